// A journal on the disk: one folder per session, in it what the session is (session.json) and segments that follow one
// another, NNNNNN.journal. A segment is frames, and begins with the whole of every zone:
//
//  0           4           8
//  | bytes u32 | crc32 u32 | kind u8 | payload |     bytes counts kind and payload, the CRC-32 covers them
//
// BASE   a zone snapshot (zone-snapshot.ts)
// TICKS  for one zone: | zone u16 | sums u16 | tick i32 | sum i32 ... | then records: | bytes u32 | record | ...
//        Where `sums` is not 0, they are the zone's state hash (memory/world/state-hash.ts) at `tick`.
//
// Files are only added to. What a kill leaves of the last frame does not verify, and everything before it does. Where a
// frame in the middle was damaged and the one behind it stands where it should, reading goes on there: records have
// serials, so nobody takes those behind the gap for the next ones.

import { crc32 } from '../../base/checksum.js';

export const FRAME_BASE = 1;
export const FRAME_TICKS = 2;
export const FRAME_HEAD_BYTES = 8;
const TICKS_HEAD_BYTES = 8;

export const SESSION_FILE = 'session.json';
export const SEGMENT_SUFFIX = '.journal';

export function segmentName(number: number): string {
  return `${String(number).padStart(6, '0')}${SEGMENT_SUFFIX}`;
}

export interface ExpectedHash {
  zone: number;
  tick: number;
  sums: Int32Array;
}

export interface JournalRecord {
  zone: number;
  serial: number;
  tick: number;
  /** As it stood in the ring, head included. */
  bytes: Buffer;
}

export interface Segment {
  bases: Buffer[];
  records: JournalRecord[];
  hashes: ExpectedHash[];
  /** Bytes that could not be read, and why; the first one first. */
  damages: { at: number; bytes: number; reason: string }[];
}

/** What a session says of itself, for people to read too. One flipped digit would give its events other times. */
export function encodeSession(session: object): string {
  return `${JSON.stringify({ ...session, crc32: sumOf(session) }, undefined, 2)}\n`;
}

/** Throws for what is damaged. */
export function decodeSession(text: string): object {
  const { crc32: sum, ...session } = JSON.parse(text) as { crc32?: number };
  if (sum !== sumOf(session)) throw new Error('its sum does not fit');
  return session;
}

function sumOf(session: object): number {
  return crc32(Buffer.from(JSON.stringify(session)));
}

/** `parts` are written behind the head as they are. */
export function encodeFrame(kind: number, parts: readonly Uint8Array[]): Buffer {
  const bytes = parts.reduce((sum, part) => sum + part.length, 1);
  const frame = Buffer.allocUnsafe(FRAME_HEAD_BYTES + bytes);
  frame.writeUInt32LE(bytes, 0);
  frame[FRAME_HEAD_BYTES] = kind;
  let at = FRAME_HEAD_BYTES + 1;
  for (const part of parts) {
    frame.set(part, at);
    at += part.length;
  }
  frame.writeUInt32LE(crc32(frame.subarray(FRAME_HEAD_BYTES)), 4);
  return frame;
}

export function encodeTicksHead(zone: number, hash: { tick: number; sums: Int32Array } | undefined): Buffer {
  const sums = hash?.sums ?? new Int32Array(0);
  const head = Buffer.alloc(TICKS_HEAD_BYTES + sums.length * 4);
  head.writeUInt16LE(zone, 0);
  head.writeUInt16LE(sums.length, 2);
  head.writeInt32LE(hash?.tick ?? 0, 4);
  for (const [index, sum] of sums.entries()) head.writeInt32LE(sum, TICKS_HEAD_BYTES + index * 4);
  return head;
}

/** Reads the frames that verify, whatever the bytes are. */
export function decodeSegment(bytes: Buffer): Segment {
  const segment: Segment = { bases: [], records: [], hashes: [], damages: [] };
  let at = 0;
  while (at < bytes.length) {
    const size = frameSize(bytes, at);
    const reason = problemAt(bytes, at, size) ?? takeFrame(bytes.subarray(at + FRAME_HEAD_BYTES, at + size), segment);
    if (reason === undefined) {
      at += size;
      continue;
    }
    const next = at + size;
    const goesOn = size > 0 && next < bytes.length && problemAt(bytes, next, frameSize(bytes, next)) === undefined;
    const limit = goesOn ? next : bytes.length;
    segment.damages.push({ at, bytes: limit - at, reason });
    at = limit;
  }
  return segment;
}

export function describeDamage({ at, bytes, reason }: Segment['damages'][number]): string {
  return `${reason} at byte ${at}, ${bytes} bytes from there on are not used`;
}

/** Head included; 0 where no whole frame can begin. */
function frameSize(bytes: Buffer, at: number): number {
  if (bytes.length - at < FRAME_HEAD_BYTES) return 0;
  const size = bytes.readUInt32LE(at);
  return size === 0 || size > bytes.length - at - FRAME_HEAD_BYTES ? 0 : FRAME_HEAD_BYTES + size;
}

function problemAt(bytes: Buffer, at: number, size: number): string | undefined {
  if (size === 0) return 'a frame is cut short';
  const isWhole = crc32(bytes.subarray(at + FRAME_HEAD_BYTES, at + size)) === bytes.readUInt32LE(at + 4);
  return isWhole ? undefined : 'the checksum of a frame does not match';
}

function takeFrame(body: Buffer, segment: Segment): string | undefined {
  if (body[0] === FRAME_BASE) {
    segment.bases.push(body.subarray(1));
    return undefined;
  }
  if (body[0] !== FRAME_TICKS) return `a frame is of kind ${body[0]}, which this server does not know`;
  return takeTicks(body.subarray(1), segment) ? undefined : 'a frame does not hold what it says';
}

function takeTicks(body: Buffer, segment: Segment): boolean {
  if (body.length < TICKS_HEAD_BYTES) return false;
  const zone = body.readUInt16LE(0);
  const sumCount = body.readUInt16LE(2);
  let at = TICKS_HEAD_BYTES + sumCount * 4;
  if (at > body.length) return false;
  if (sumCount > 0) {
    const sums = Int32Array.from({ length: sumCount }, (_, index) => body.readInt32LE(TICKS_HEAD_BYTES + index * 4));
    segment.hashes.push({ zone, tick: body.readInt32LE(4), sums });
  }
  while (at < body.length) {
    const size = body.length - at >= 4 ? body.readUInt32LE(at) : 0;
    if (size < 8 || size > body.length - at - 4) return false;
    const record = body.subarray(at + 4, at + 4 + size);
    segment.records.push({ zone, serial: record.readInt32LE(0), tick: record.readInt32LE(4), bytes: record });
    at += 4 + size;
  }
  return true;
}
