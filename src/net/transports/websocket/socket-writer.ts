// Writes finished messages to upgraded sockets, behind a WebSocket header of 2 or 4 bytes and in one socket.write.
//
// The bytes come out of memory that its owner will reuse, so they are copied once, into a scratch buffer. Where the
// kernel takes all of it at once, which is the rule, the socket is done with the scratch when write() returns, and the
// next frame may use it again: a steady server allocates nothing here, and a slow client keeps alive what it was sent,
// not a slab with everyone's frames. Where the kernel does not, the socket keeps the scratch and a new one takes its
// place; what is added to a socket that already has a backlog gets a buffer of its own size.
//
// The `ws` package writes to the same sockets: handshakes, pongs, close frames. Without compression it writes a frame
// whole and synchronously, header and payload, so a frame of ours never lands inside one of its frames.

import type { Socket } from 'node:net';
import { assert } from '../../../base/assert.js';
import { FRAME_BYTES_MAX } from '../../../engine/replication/limits.js';
import { WS_HEADER_BYTES_MAX, WS_KEPT_VIEW_BYTES_MAX } from '../../limits.js';

export const OPCODE_BINARY = 2;
export const OPCODE_PING = 9;

const FIN = 0x80;
/** From here on a length needs 16 bits of its own. */
const LONG_LENGTH = 126;
const SCRATCH_BYTES = FRAME_BYTES_MAX + WS_HEADER_BYTES_MAX;

/** @hot The bytes that a message takes on a server's side of a WebSocket. */
export function framedBytes(messageBytes: number): number {
  return messageBytes < LONG_LENGTH ? messageBytes + 2 : messageBytes + WS_HEADER_BYTES_MAX;
}

export class SocketWriter {
  private scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES);
  /** By length: scratch[0, length). */
  private views: (Buffer | undefined)[] = new Array(WS_KEPT_VIEW_BYTES_MAX + 1).fill(undefined);

  /** @hot One message at bytes[start, limit), at most FRAME_BYTES_MAX of them. */
  write(socket: Socket, opcode: number, bytes: Uint8Array, start: number, limit: number): void {
    const messageBytes = limit - start;
    assert(messageBytes <= FRAME_BYTES_MAX, 'a frame is too large to be sent', messageBytes);
    const total = framedBytes(messageBytes);
    if (socket.writableLength !== 0) {
      const own = Buffer.allocUnsafeSlow(total);
      fill(own, opcode, bytes, start, limit);
      socket.write(own);
      return;
    }
    fill(this.scratch, opcode, bytes, start, limit);
    socket.write(this.viewOf(total));
    if (socket.writableLength !== 0) this.replaceScratch();
  }

  /** @hot */
  private viewOf(total: number): Buffer {
    if (total > WS_KEPT_VIEW_BYTES_MAX) return this.scratch.subarray(0, total);
    const kept = this.views[total];
    if (kept !== undefined) return kept;
    const view = this.scratch.subarray(0, total);
    this.views[total] = view;
    return view;
  }

  private replaceScratch(): void {
    this.scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES);
    this.views.fill(undefined);
  }
}

/** @hot */
function fill(target: Buffer, opcode: number, bytes: Uint8Array, start: number, limit: number): void {
  const messageBytes = limit - start;
  target[0] = FIN | opcode;
  if (messageBytes < LONG_LENGTH) {
    target[1] = messageBytes;
    target.set(bytes.subarray(start, limit), 2);
  } else {
    target[1] = LONG_LENGTH;
    target[2] = messageBytes >>> 8;
    target[3] = messageBytes & 0xff;
    target.set(bytes.subarray(start, limit), WS_HEADER_BYTES_MAX);
  }
}
