// Cuts the byte stream of one WebSocket into frames without copying: a frame that lies whole in a chunk is handed on
// as a range of that chunk. Only a frame that a chunk border cuts in two is gathered in a buffer of its own.
//
//   byte 0          byte 1              0, 2 or 8 bytes         payload
//   | FIN RSV op  | MASK length 7 bits | longer length, big end | ...
//
// A server may neither mask nor, in this protocol, fragment: either is a violation and ends the connection.

export const OPCODE_TEXT = 1;
export const OPCODE_BINARY = 2;
export const OPCODE_CLOSE = 8;
export const OPCODE_PING = 9;
export const OPCODE_PONG = 10;

/** No frame of the server comes near this; a length beyond it means that we lost our place in the stream. */
export const FRAME_BYTES_LIMIT = 1024 * 1024;
const HEADER_BYTES_MAX = 10;

/** Told of every whole frame; the payload is bytes[start, limit) and valid during the call only. */
export interface FrameReceiver {
  frame(opcode: number, bytes: Uint8Array, start: number, limit: number, headerBytes: number): void;
}

export type Violation =
  | ''
  | 'masked frame'
  | 'reserved bits set'
  | 'fragmented message'
  | 'unknown opcode'
  | 'frame too long';

function checkFirstBytes(first: number, second: number): Violation {
  if ((first & 0x70) !== 0) return 'reserved bits set';
  if ((second & 0x80) !== 0) return 'masked frame';
  const opcode = first & 0x0f;
  if (opcode === 0 || (first & 0x80) === 0) return 'fragmented message';
  const known = opcode === OPCODE_TEXT || opcode === OPCODE_BINARY || (opcode >= OPCODE_CLOSE && opcode <= OPCODE_PONG);
  return known ? '' : 'unknown opcode';
}

export class FrameSplitter {
  /** Begin of a frame whose end has not arrived; empty while no frame is cut. */
  private carry: Uint8Array = new Uint8Array(0);
  private carryBytes = 0;
  private readonly receiver: FrameReceiver;

  constructor(receiver: FrameReceiver) {
    this.receiver = receiver;
  }

  /** Hands on what bytes[start, limit) completes. Anything but '' means that the stream cannot be read on. */
  push(bytes: Uint8Array, start: number, limit: number): Violation {
    let at = start;
    while (this.carryBytes > 0 && at < limit) {
      // One byte at a time until the header tells the length: this path is for cut frames only.
      const known = this.frameBytes(this.carry, 0, this.carryBytes);
      const taken = known === 0 ? 1 : Math.min(known - this.carryBytes, limit - at);
      this.keep(bytes, at, at + taken);
      at += taken;
      const frameBytes = this.frameBytes(this.carry, 0, this.carryBytes);
      if (frameBytes < 0) return this.violation(this.carry, 0);
      if (frameBytes === this.carryBytes) {
        this.carryBytes = 0;
        this.deliver(this.carry, 0, frameBytes);
      }
    }
    while (at < limit) {
      const frameBytes = this.frameBytes(bytes, at, limit);
      if (frameBytes < 0) return this.violation(bytes, at);
      if (frameBytes === 0 || at + frameBytes > limit) {
        this.keep(bytes, at, limit);
        return '';
      }
      this.deliver(bytes, at, frameBytes);
      at += frameBytes;
    }
    return '';
  }

  /** Bytes of the frame that begins at `at`, header included; 0 while the header is cut, -1 for a violation. */
  private frameBytes(bytes: Uint8Array, at: number, limit: number): number {
    if (limit - at < 2) return 0;
    if (checkFirstBytes(bytes[at], bytes[at + 1]) !== '') return -1;
    const short = bytes[at + 1] & 0x7f;
    if (short < 126) return 2 + short;
    if (short === 126) {
      if (limit - at < 4) return 0;
      return 4 + ((bytes[at + 2] << 8) | bytes[at + 3]);
    }
    if (limit - at < HEADER_BYTES_MAX) return 0;
    let length = 0;
    for (let i = 2; i < HEADER_BYTES_MAX; i++) length = length * 256 + bytes[at + i];
    return length > FRAME_BYTES_LIMIT ? -1 : HEADER_BYTES_MAX + length;
  }

  private violation(bytes: Uint8Array, at: number): Violation {
    return checkFirstBytes(bytes[at], bytes[at + 1]) || 'frame too long';
  }

  private deliver(bytes: Uint8Array, at: number, frameBytes: number): void {
    const short = bytes[at + 1] & 0x7f;
    const headerBytes = short < 126 ? 2 : short === 126 ? 4 : HEADER_BYTES_MAX;
    this.receiver.frame(bytes[at] & 0x0f, bytes, at + headerBytes, at + frameBytes, headerBytes);
  }

  private keep(bytes: Uint8Array, start: number, limit: number): void {
    const needed = this.carryBytes + (limit - start);
    if (needed > this.carry.length) {
      const grown = new Uint8Array(Math.max(256, needed * 2));
      grown.set(this.carry.subarray(0, this.carryBytes));
      this.carry = grown;
    }
    this.carry.set(bytes.subarray(start, limit), this.carryBytes);
    this.carryBytes = needed;
  }
}
