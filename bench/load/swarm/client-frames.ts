// Client frames, masked as RFC 6455 asks. The mask of a connection is chosen once: it guards proxies on the way, and
// here there are none. Inputs are the bulk, so each client has one finished Move frame whose few changing bytes are
// rewritten in place.
//
//  0     1          2        6                                18
//  | 82  | 80 + 12  | mask   | kind u16, 0 u16, seq u32, x i8, y i8, 0 u16 |   (masked from byte 6 on)

import { OPCODE_BINARY } from './frame-splitter.js';

const MASK_BYTES = 4;
const SHORT_HEADER_BYTES = 2 + MASK_BYTES;
const SHORT_PAYLOAD_MAX = 125;

export const MOVE_PAYLOAD_BYTES = 12;
const MOVE_FRAME_BYTES = SHORT_HEADER_BYTES + MOVE_PAYLOAD_BYTES;

/** A whole frame around `payload`; for the few messages that are not inputs. */
export function maskFrame(opcode: number, payload: Uint8Array, maskKey: number): Buffer {
  const long = payload.length > SHORT_PAYLOAD_MAX;
  const start = SHORT_HEADER_BYTES + (long ? 2 : 0);
  const frame = Buffer.alloc(start + payload.length);
  frame[0] = 0x80 | opcode;
  frame[1] = 0x80 | (long ? 126 : payload.length);
  if (long) frame.writeUInt16BE(payload.length, 2);
  frame.writeUInt32BE(maskKey >>> 0, start - MASK_BYTES);
  for (let i = 0; i < payload.length; i++) frame[start + i] = payload[i] ^ frame[start - MASK_BYTES + (i & 3)];
  return frame;
}

export class MoveFrames {
  private readonly frames: Buffer[] = [];

  constructor(clientCount: number, moveKind: number, random: () => number) {
    const payload = new Uint8Array(MOVE_PAYLOAD_BYTES);
    new DataView(payload.buffer).setUint16(0, moveKind, true);
    for (let client = 0; client < clientCount; client++) {
      const frame = maskFrame(OPCODE_BINARY, payload, Math.floor(random() * 0x100000000));
      if (frame.length !== MOVE_FRAME_BYTES) throw new Error(`a Move frame has ${frame.length} bytes`);
      this.frames.push(frame);
    }
  }

  /** @hot The frame of `client` with these values; valid until the next call for the same client. */
  fill(client: number, seq: number, x: number, y: number): Buffer {
    const frame = this.frames[client];
    frame[10] = (seq & 0xff) ^ frame[2];
    frame[11] = ((seq >>> 8) & 0xff) ^ frame[3];
    frame[12] = ((seq >>> 16) & 0xff) ^ frame[4];
    frame[13] = (seq >>> 24) ^ frame[5];
    frame[14] = (x & 0xff) ^ frame[2];
    frame[15] = (y & 0xff) ^ frame[3];
    return frame;
  }
}
