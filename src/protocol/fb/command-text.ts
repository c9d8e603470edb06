// Texts of commands: a byte that says how many there are, the bytes, which are UTF-8 without a zero, and zeros up to the most
// that the text may have. Checked before a command comes to a ring, without a copy.

import { isWritable } from '../../game/fields/text-field.js';
import { RejectCode } from '../../game/reject-codes.js';

const encoder = new TextEncoder();

/** @hot Once per text received. Its length, which stands at `at`, is within bounds. */
export function isSoundText(view: DataView, at: number, bytesMax: number): boolean {
  const start = at + 1;
  const end = start + view.getUint8(at);
  let from = start;
  while (from < end) {
    const count = sequenceLength(view, from, end);
    if (count === 0) return false;
    from += count;
  }
  for (let rest = end; rest < start + bytesMax; rest++) {
    if (view.getUint8(rest) !== 0) return false;
  }
  return true;
}

/** @hot Bytes of the character that begins here; 0: it is a zero, or none that UTF-8 has. */
function sequenceLength(view: DataView, at: number, end: number): number {
  const first = view.getUint8(at);
  if (first < 0x80) return first === 0 ? 0 : 1;
  const count = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || at + count > end) return 0;
  const second = view.getUint8(at + 1);
  // No longer form of what a shorter one says, no half of a surrogate pair, nothing beyond the last code point.
  const least = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80;
  const most = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf;
  if (second < least || second > most) return 0;
  for (let next = at + 2; next < at + count; next++) {
    if ((view.getUint8(next) & 0xc0) !== 0x80) return 0;
  }
  return count;
}

/** What follows the text is 0 already. */
export function writePayloadText(given: unknown, bytesMax: number, view: DataView, at: number): RejectCode {
  if (typeof given !== 'string') return RejectCode.Malformed;
  if (given.length > bytesMax || !isWritable(given)) return RejectCode.OutOfRange;
  const encoded = encoder.encode(given);
  if (encoded.length > bytesMax) return RejectCode.OutOfRange;
  view.setUint8(at, encoded.length);
  for (let index = 0; index < encoded.length; index++) view.setUint8(at + 1 + index, encoded[index]);
  return RejectCode.None;
}
