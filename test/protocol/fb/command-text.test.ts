// Texts in commands: what is sound on the wire, and what becomes of what is not.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRandom } from '../../../src/base/chance.js';
import { formPayload } from '../../../src/game/payload.js';
import { RejectCode } from '../../../src/game/reject-codes.js';
import { checkCommand, decodeCommand, layOutCommand, writeCommand } from '../../../src/protocol/fb/command-layout.js';
import { CLIENT_HEADER_BYTES } from '../../../src/protocol/limits.js';

const SEED = Number(process.env.SEED ?? 1 + (Date.now() % 100000));
const BYTES = 12;
const layout = layOutCommand({
  name: 'Say',
  kind: 256,
  payload: formPayload({ loud: { type: 'bool' }, text: { type: 'text', bytes: BYTES }, to: { type: 'u32' } }),
});
const TEXT_AT = CLIENT_HEADER_BYTES + 1;

function write(text: unknown): { code: RejectCode; view: DataView } {
  const view = new DataView(new ArrayBuffer(layout.bytes));
  return { code: writeCommand(layout, { loud: true, text, to: 7 }, 1, view, 0), view };
}

function check(bytes: readonly number[], length = bytes.length): RejectCode {
  const { view } = write('');
  view.setUint8(TEXT_AT, length);
  for (const [i, byte] of bytes.entries()) view.setUint8(TEXT_AT + 1 + i, byte);
  return checkCommand(layout, view, 0, layout.bytes);
}

test('a text comes back as it was written, beside other values', () => {
  for (const text of ['', 'hello', 'Zoë', '👋👋👋', '日本語', 'x'.repeat(BYTES)]) {
    const { code, view } = write(text);
    assert.equal(code, RejectCode.None, text);
    assert.equal(checkCommand(layout, view, 0, layout.bytes), RejectCode.None, text);
    assert.deepEqual(decodeCommand(layout, view, 0), { loud: true, text, to: 7 });
  }
});

test('a text that does not fit, or that UTF-8 has not, is refused where it is written', () => {
  for (const text of ['x'.repeat(BYTES + 1), '👋👋👋!', 'a\0b', '\ud800'])
    assert.equal(write(text).code, RejectCode.OutOfRange);
  for (const text of [7, null, undefined, ['a']]) assert.equal(write(text).code, RejectCode.Malformed);
});

test('bytes that are no text are malformed on the wire', () => {
  const A = 0x61;
  assert.equal(check([A], BYTES + 1), RejectCode.OutOfRange);
  for (const bytes of [
    [0],
    [A, 0, A],
    [0x80],
    [0xc0, 0x80],
    [0xc1, 0xbf],
    [0xe0, 0x80, 0x80],
    [0xed, 0xa0, 0x80],
    [0xf0, 0x80, 0x80, 0x80],
    [0xf4, 0x90, 0x80, 0x80],
    [0xf5, 0x80, 0x80, 0x80],
    [0xff],
    [0xe2, 0x82],
    [0xe2, 0x82, A],
  ]) {
    assert.equal(check(bytes), RejectCode.Malformed, bytes.map((byte) => byte.toString(16)).join(' '));
  }
  assert.equal(check([A, A], 1), RejectCode.Malformed, 'something stands behind the text');
  assert.equal(check([0xe2, 0x82, 0xac], 2), RejectCode.Malformed, 'its last character is cut');
});

test(`what is sound is what the platform reads (SEED=${SEED})`, () => {
  const random = createRandom(SEED);
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  const leads = [0x41, 0xc2, 0xdf, 0xe0, 0xe1, 0xec, 0xed, 0xee, 0xf0, 0xf1, 0xf4, 0xf5, 0x80, 0xbf, 0x90, 0x9f, 0xa0];
  for (let round = 0; round < 20000; round++) {
    const length = 1 + Math.floor(random() * 6);
    const bytes = Array.from({ length }, () =>
      random() < 0.7 ? leads[Math.floor(random() * leads.length)] : 1 + Math.floor(random() * 255),
    );
    let isText = true;
    try {
      decoder.decode(Uint8Array.from(bytes));
    } catch {
      isText = false; // the only way it tells
    }
    assert.equal(check(bytes) === RejectCode.None, isText, bytes.map((byte) => byte.toString(16)).join(' '));
  }
});
