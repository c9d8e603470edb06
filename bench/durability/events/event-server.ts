// A server of the bench's game in a process of its own, and one client that opens and closes the tap.

import { fileURLToPath } from 'node:url';
import { formatPlain, parseTrusted } from '../../../src/protocol/plain/plain-codec.js';
import { defaultOptions } from '../../load/options.js';
import { planScene } from '../../load/scene.js';
import { type ServerUnderTest, startServer } from '../../load/server-under-test.js';
import { READ_BUFFER_BYTES, WebSocketLink } from '../../load/swarm/websocket-link.js';
import { flagsOf } from '../../server-process.js';
import { RATE_COMMAND } from './event-game.js';

const GAME = fileURLToPath(new URL('./event-game.js', import.meta.url));
const ANSWER_MS_MAX = 5000;

export interface EventServerOptions {
  /** That will connect beside the one with the tap. */
  clients: number;
  seed: number;
  settings: Readonly<Record<string, string | number>>;
}

export async function startEventServer({ clients, seed, settings }: EventServerOptions): Promise<ServerUnderTest> {
  const serverArgs = flagsOf({ game: GAME, ...settings });
  const options = { ...defaultOptions(), clients: clients + 1, seed, serverArgs };
  return startServer(options, planScene('spread', Math.max(clients, 1), options.visible));
}

/** The client with the tap. It stands where it began and takes what it is sent. */
export class Tap {
  private readonly link: WebSocketLink;
  private sequence = 0;
  private acknowledged = 0;
  private hasJoined = false;
  private endedText = '';

  private constructor(server: ServerUnderTest) {
    const { hostname, port, pathname } = server.url;
    const target = { host: hostname, port: Number(port), path: pathname };
    const owner = {
      opened: () => this.send({ type: 'join', name: 'tap' }),
      message: (_: number, bytes: Uint8Array, start: number, limit: number) => this.hear(bytes.slice(start, limit)),
      ended: (_: number, reason: string) => {
        this.endedText = reason;
      },
    };
    this.link = new WebSocketLink(0, owner, target, 'tessera.msgpack.1', 0x1f2e3d4c, new Uint8Array(READ_BUFFER_BYTES));
  }

  static async open(server: ServerUnderTest): Promise<Tap> {
    const tap = new Tap(server);
    await tap.until('the tap joins', () => tap.hasJoined);
    return tap;
  }

  /** Events per tick of the zone that the tap stands in, from the next tick on. */
  async set(perTick: number): Promise<void> {
    this.sequence++;
    const { sequence } = this;
    this.send({ type: RATE_COMMAND, seq: sequence, perTick });
    await this.until('the tap turns', () => this.acknowledged >= sequence);
  }

  close(): void {
    this.link.close();
  }

  private send(message: object): void {
    this.link.send(formatPlain('msgpack', message) as Uint8Array);
  }

  private hear(bytes: Uint8Array): void {
    const frame = parseTrusted('msgpack', bytes) as { welcome?: object; ack?: number };
    if (frame.welcome !== undefined) this.hasJoined = true;
    this.acknowledged = Math.max(this.acknowledged, frame.ack ?? 0);
  }

  private async until(what: string, condition: () => boolean): Promise<void> {
    const deadline = performance.now() + ANSWER_MS_MAX;
    while (!condition()) {
      if (this.endedText !== '') throw new Error(`${what}: ${this.endedText}`);
      if (performance.now() > deadline) throw new Error(`${what}: no answer within ${ANSWER_MS_MAX / 1000} s`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
}
