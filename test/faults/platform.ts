// The platform's end of its topics, and a player who tells what became of him, for tests from the outside.

import { join } from 'node:path';
import { pack, unpack } from 'msgpackr';
import { WebSocket } from 'ws';
import { PLATFORM_TOPIC } from '../../src/durability/commands/platform-desk.js';
import { openEmbeddedEventLog } from '../../src/stores/embedded/embedded-event-log.js';
import type { EventLog } from '../../src/stores/store-ports.js';
import { until } from '../folder.js';

const openLogs: EventLog[] = [];

export async function closeLogs(): Promise<void> {
  await Promise.all(openLogs.map((log) => log.close()));
}

export interface Answered {
  eventId: string;
  type: string;
  payload: { commandId: string; command: string; reason?: string; applied?: string[]; restart?: string[] };
}

/** The platform: gives commands and reads answers. */
export class Platform {
  private constructor(private readonly log: EventLog) {}

  /** Of a server with this data folder. */
  static openFolder(data: string): Promise<Platform> {
    return Platform.open(openEmbeddedEventLog({ folder: join(data, 'stores', 'log') }));
  }

  static async open(log: EventLog): Promise<Platform> {
    openLogs.push(log);
    await log.createTopics([PLATFORM_TOPIC, { name: 'game.events.player', partitions: 4 }]);
    return new Platform(log);
  }

  /** Everything on the topic of players that `isWanted`. */
  async events<T>(isWanted: (event: T) => boolean): Promise<T[]> {
    const found: T[] = [];
    await this.log.replay({ topics: ['game.events.player'] }, async ({ entries }) => {
      found.push(...entries.map(({ value }) => unpack(value) as T).filter(isWanted));
    });
    return found;
  }

  async send(value: object | Uint8Array): Promise<void> {
    const bytes = value instanceof Uint8Array ? value : pack(value);
    await this.log.append([{ topic: PLATFORM_TOPIC.name, key: 'game', value: bytes, timestampMs: Date.now() }]);
  }

  answers(): Promise<Answered[]> {
    return this.events<Answered>(({ type }) => type.startsWith('platform.'));
  }

  async answersTo(commandId: string, count = 1): Promise<Answered[]> {
    let found: Answered[] = [];
    await until(`${count} answers to '${commandId}'`, async () => {
      found = (await this.answers()).filter(({ payload }) => payload.commandId === commandId);
      return found.length >= count;
    });
    return found;
  }

  async order(command: { commandId: string; type: string; [field: string]: unknown }): Promise<Answered> {
    await this.send(command);
    return (await this.answersTo(command.commandId))[0];
  }
}

export class Player {
  readonly notices: { code: number; text: string }[] = [];
  readonly rejects: { code: number }[] = [];
  clientId = -1;
  entityId = -1;
  closeReason = '';
  /** Own entity, as last told. */
  readonly self: Record<string, number> = {};
  private lastSeq = 0;
  closeCode = 0;
  private readonly socket: WebSocket;

  constructor(url: string, name: string) {
    this.socket = new WebSocket(url, 'tessera.json.1');
    this.socket.on('open', () => this.socket.send(JSON.stringify({ type: 'join', name })));
    this.socket.on('message', (data) => {
      const { notice, rejects, welcome, entities } = JSON.parse(String(data));
      if (notice !== undefined) this.notices.push(notice);
      if (rejects !== undefined) this.rejects.push(...rejects);
      if (welcome !== undefined) {
        this.clientId = welcome.clientId;
        this.entityId = welcome.entityId;
      }
      const own = entities?.find(({ id }: { id: number }) => id === this.entityId);
      if (own !== undefined) Object.assign(this.self, own);
    });
    this.socket.on('error', () => {}); // a close follows
    this.socket.on('close', (code, reason) => {
      this.closeCode = code;
      this.closeReason = String(reason);
    });
  }

  async joined(): Promise<this> {
    await until('a welcome', () => this.clientId >= 0);
    return this;
  }

  async closed(): Promise<this> {
    await until('a close', () => this.closeCode > 0);
    return this;
  }

  get isOpen(): boolean {
    return this.socket.readyState === WebSocket.OPEN;
  }

  send(type: string, fields: Record<string, number>): void {
    this.socket.send(JSON.stringify({ type, seq: ++this.lastSeq, ...fields }));
  }

  /** Reads nothing more, also no close frame. */
  pause(): void {
    this.socket.pause();
  }
}
