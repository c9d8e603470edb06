// Plays the arena by chance, and remembers where it saw itself in the ticks that it was last told of.

import { WebSocket } from 'ws';
import { TesseraClient } from '../../../src/client/client.js';
import type { SocketClass } from '../../../src/client/socket.js';
import { ARENA_COMMANDS } from '../../../src/games/arena/command-forms.js';

const TICKS_KEPT = 240;
const ACT_MS = 60;

export interface Sight {
  entityId: number;
  x: number;
  y: number;
}

export class DrillPlayer {
  /** By tick. */
  readonly sights = new Map<number, Sight>();
  newestTick = 0;
  quantum = 0;
  /** Of the newest Welcome of all. */
  entityId = 0;
  private token = '';
  private client: TesseraClient | undefined;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    readonly name: string,
    private readonly random: () => number,
  ) {}

  /** A new life of the server: what was seen before is of another one. */
  async join(url: string): Promise<void> {
    this.sights.clear();
    this.newestTick = 0;
    const client = new TesseraClient({
      url,
      name: this.name,
      token: this.token,
      commands: ARENA_COMMANDS,
      WebSocket: WebSocket as unknown as SocketClass,
    });
    this.client = client;
    client.onFrame = ({ tick, delta }) => {
      this.newestTick = Math.max(this.newestTick, tick);
      if (delta.error === null) this.look(client, tick);
    };
    const { quantum, entityId } = await client.connect();
    this.quantum = quantum;
    this.entityId = entityId;
    this.token = client.resumeToken;
    this.timer = setInterval(() => this.act(client), ACT_MS);
  }

  /** The server is gone, or is about to be. */
  leave(): void {
    clearInterval(this.timer);
    this.client?.close();
    this.client = undefined;
  }

  private look(client: TesseraClient, tick: number): void {
    const { self, entityId } = client;
    if (self === null || entityId === null) return;
    this.sights.set(tick, { entityId, x: self.x, y: self.y });
    this.sights.delete(tick - TICKS_KEPT);
  }

  private act(client: TesseraClient): void {
    const dice = this.random();
    if (dice < 0.3) {
      const angle = this.random() * 2 * Math.PI;
      client.send('Move', { x: Math.round(127 * Math.cos(angle)), y: Math.round(127 * Math.sin(angle)) });
    } else if (dice < 0.6) {
      client.send('Shoot', { angle: Math.floor(this.random() * 65536) });
    }
  }
}
