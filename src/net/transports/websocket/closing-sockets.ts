// Sockets of connections that end. Whoever was told to go could otherwise keep this process parsing until the deadline
// of the close handshake, so reading stops at once. What the client has still to say waits in the kernel, and is read in
// small bounded pieces only to come to its close answer. The answer, the end of the socket or the deadline ends it.

import type { Socket } from 'node:net';
import type { NetClock } from '../../gateway/session.js';
import { CLOSE_DEADLINE_MS, CLOSING_READ_BYTES, CLOSING_READ_BYTES_TOTAL } from '../../limits.js';

export class ClosingSockets {
  /** Since when, by socket; the one that was read longest ago comes first. */
  private readonly sockets = new Map<Socket, number>();

  constructor(private readonly clock: NetClock) {}

  get size(): number {
    return this.sockets.size;
  }

  /** At any time after the close frame was sent or received; again is no harm. */
  add(ws: { pause(): void }, socket: Socket): void {
    if (this.sockets.has(socket) || socket.destroyed) return;
    // Else ws resumes the socket when it has parsed what it holds.
    ws.pause();
    socket.pause();
    this.sockets.set(socket, this.clock[0]);
    socket.once('close', () => this.sockets.delete(socket));
  }

  beat(): void {
    let allowed = CLOSING_READ_BYTES_TOTAL;
    for (const [socket, since] of [...this.sockets]) {
      if (allowed > 0) {
        this.sockets.delete(socket);
        this.sockets.set(socket, since);
        allowed -= readSome(socket, Math.min(allowed, CLOSING_READ_BYTES));
      }
      // ws ends the socket once both close frames are through. What the client says after its own concerns nobody.
      if (socket.writableEnded) socket.destroySoon();
      if (this.clock[0] - since >= CLOSE_DEADLINE_MS) destroyUnread(socket);
    }
  }

  terminate(): void {
    for (const socket of this.sockets.keys()) destroyUnread(socket);
  }
}

/** Hands so many bytes to whoever listens for data; returns how many there were. */
function readSome(socket: Socket, bytesMax: number): number {
  // ws resumes a socket that it needs no more.
  socket.pause();
  const bytes = Math.min(socket.readableLength, bytesMax);
  // A read of nothing notices the end.
  socket.read(bytes);
  return bytes;
}

/** When a socket is destroyed, ws parses what the socket still holds. */
function destroyUnread(socket: Socket): void {
  socket.removeAllListeners('data');
  socket.read();
  socket.destroy();
}
