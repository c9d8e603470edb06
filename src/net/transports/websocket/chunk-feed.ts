// Stands between a socket and ws. Node hands over up to 64 KiB at once, and ws would parse all of it, some 9,000 of the
// smallest messages, after the first of them has closed the connection. So ws gets a chunk in small pieces, and what is
// left when the connection closes goes back to the socket, where the closing sockets read it little by little.

import type { Socket } from 'node:net';
import { assert } from '../../../base/assert.js';
import { CLOSING_READ_BYTES } from '../../limits.js';

/** As much of a WebSocket of ws as is used here. */
interface Closable {
  readonly OPEN: number;
  readonly readyState: number;
  close(code: number, reason: string): void;
}

type Feed = (this: Socket, bytes: Buffer) => void;

export class ChunkFeed {
  private readonly feed: Feed;
  /** We closed first: ws still looks for the close answer of the client. After a close of the client it takes nothing. */
  private isAnswerDue = false;

  constructor(
    private readonly ws: Closable,
    private readonly socket: Socket,
  ) {
    const listeners = socket.listeners('data');
    assert(listeners.length === 1, 'ws listens for data once', listeners.length);
    this.feed = listeners[0] as Feed;
    socket.removeListener('data', this.feed);
    socket.on('data', (bytes: Buffer) => this.take(bytes));
  }

  /** As ws.close; only the first call says something. */
  close(code: number, reason: string): void {
    if (this.ws.readyState === this.ws.OPEN) this.isAnswerDue = true;
    this.ws.close(code, reason);
  }

  /** @hot */
  private take(bytes: Buffer): void {
    const wasOpen = this.ws.readyState === this.ws.OPEN;
    if (bytes.length <= CLOSING_READ_BYTES) {
      if (this.isRead()) this.feed.call(this.socket, bytes);
      return;
    }
    for (let start = 0; start < bytes.length && this.isRead(); start += CLOSING_READ_BYTES) {
      if (wasOpen && this.ws.readyState !== this.ws.OPEN) {
        // Paused by then: it waits in the socket.
        this.socket.unshift(bytes.subarray(start));
        return;
      }
      this.feed.call(this.socket, bytes.subarray(start, start + CLOSING_READ_BYTES));
    }
  }

  private isRead(): boolean {
    // ws ends the socket when it has both close frames.
    return this.ws.readyState === this.ws.OPEN || (this.isAnswerDue && !this.socket.writableEnded);
  }
}
