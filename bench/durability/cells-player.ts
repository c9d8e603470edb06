// A player of a bench: the product's client over the load tester's connection.

import { TesseraClient } from '../../src/client/client.js';
import type { CloseInfo, Socket, SocketClass } from '../../src/client/socket.js';
import arena from '../../src/games/arena/game.js';
import { type LinkOwner, READ_BUFFER_BYTES, WebSocketLink } from '../load/swarm/websocket-link.js';

const CONNECTING = 0;
const OPEN = 1;
const CLOSED = 3;
const ABNORMAL = 1006;

class LinkSocket implements Socket, LinkOwner {
  binaryType = 'arraybuffer';
  readyState = CONNECTING;
  onopen: ((event: never) => void) | null = null;
  onmessage: ((event: never) => void) | null = null;
  onerror: ((event: never) => void) | null = null;
  onclose: ((event: never) => void) | null = null;
  private readonly link: WebSocketLink;

  constructor(url: string, protocol: string) {
    const { hostname, port, pathname } = new URL(url);
    const target = { host: hostname, port: Number(port), path: pathname };
    this.link = new WebSocketLink(0, this, target, protocol, 0x5a17c3e9, new Uint8Array(READ_BUFFER_BYTES));
  }

  send(data: Uint8Array<ArrayBuffer>): void {
    this.link.send(data);
  }

  close(): void {
    this.link.close();
    this.ended(0, 'closed here');
  }

  opened(): void {
    this.readyState = OPEN;
    this.onopen?.({} as never);
  }

  message(_client: number, bytes: Uint8Array, start: number, limit: number): void {
    this.onmessage?.({ data: bytes.slice(start, limit).buffer } as never);
  }

  ended(_client: number, reason: string): void {
    if (this.readyState === CLOSED) return;
    this.readyState = CLOSED;
    this.onclose?.({ code: ABNORMAL, reason } satisfies CloseInfo as never);
  }
}

export async function joinPlayer(url: string, name: string): Promise<TesseraClient> {
  const player = new TesseraClient({
    url: `${url.replace('http:', 'ws:')}/ws/game`,
    name,
    commands: arena.commands as never,
    WebSocket: LinkSocket as unknown as SocketClass,
  });
  await player.connect();
  return player;
}
