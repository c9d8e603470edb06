// The gateway without sockets: connections are objects that keep what they are sent, and time is set by hand.

import { DEFAULTS } from '../../src/config/settings.js';
import { RejectCode } from '../../src/game/reject-codes.js';
import { BanList } from '../../src/net/auth/bans.js';
import type { Connection } from '../../src/net/gateway/connection.js';
import { Gateway, type GatewaySettings } from '../../src/net/gateway/gateway.js';
import { NetCounters } from '../../src/net/gateway/net-counters.js';
import { Outbox } from '../../src/net/gateway/outbox.js';
import { type ResumeOptions, Resumption } from '../../src/net/gateway/resumption.js';
import { SessionTable } from '../../src/net/gateway/session.js';
import { openFrame, type RejectInfo, readRejects, type ServerFrame } from '../../src/protocol/fb/server-frame.js';
import { describeGame } from '../../src/protocol/game-description.js';
import type { Encoding } from '../../src/protocol/subprotocols.js';
import { type EchoWorld, echoGame, QUANTUM } from './echo-world.js';

const KEPT_MESSAGES_MAX = 1000;

export class KeptConnection implements Connection {
  client = -1;
  address = '127.0.0.1';
  readonly messages: (Uint8Array | string)[] = [];
  sentCount = 0;
  closeCode = 0;

  send(bytes: Uint8Array, start: number, limit: number): void {
    this.keep(bytes.slice(start, limit));
  }

  sendMessage(message: Uint8Array | string): void {
    this.keep(message);
  }

  reseat(client: number): void {
    this.client = client;
  }

  close(code: number): void {
    if (this.closeCode !== 0) throw new Error(`closed with ${code} after ${this.closeCode}`);
    this.closeCode = code;
  }

  frames(): ServerFrame[] {
    return this.messages.map((message) => openFrame(message as Uint8Array)!);
  }

  rejects(): RejectInfo[] {
    return this.frames().flatMap(readRejects);
  }

  private keep(message: Uint8Array | string): void {
    if (this.closeCode !== 0) throw new Error('sent after the close');
    this.sentCount += 1;
    this.messages.push(message);
    if (this.messages.length > KEPT_MESSAGES_MAX) this.messages.shift();
  }
}

export interface InProcess<W extends EchoWorld = EchoWorld> {
  gateway: Gateway;
  sessions: SessionTable;
  counters: NetCounters;
  world: W;
  clock: Float64Array;
  connect(encoding?: Encoding): KeptConnection;
}

const silentLog = { debug() {}, info() {}, warn() {}, error() {} };

export function createInProcess<W extends EchoWorld>(
  world: W,
  capacity: number,
  settings: Partial<GatewaySettings> = {},
  resume?: ResumeOptions,
): InProcess<W> {
  const clock = new Float64Array([1000]);
  const sessions = new SessionTable(capacity, clock, 0, resume ? 4 : 0);
  const counters = new NetCounters();
  const description = describeGame(echoGame);
  const outbox = new Outbox({ sessions, counters, world, description, quantum: QUANTUM });
  const resumption = resume && new Resumption(resume, sessions, outbox, counters);
  resumption?.begin();
  const gateway = new Gateway({
    settings: { ...DEFAULTS, ...settings },
    sessions,
    counters,
    world,
    outbox,
    layouts: description.layouts,
    welcome: {
      protocol: 1,
      game: description.game,
      tickHz: 60,
      worldWidth: 512,
      worldHeight: 512,
      quantum: QUANTUM,
      viewRadius: 24,
      leaveRadius: 30,
      kinds: description.kinds,
      fields: description.fields,
      commands: description.commands,
    },
    admit: (_name, token) => (token === '' ? RejectCode.None : RejectCode.BadToken),
    resumption,
    bans: new BanList(),
    log: silentLog,
  });
  world.sink = gateway;
  const connect = (encoding: Encoding = 'fb') => {
    const connection = new KeptConnection();
    connection.client = gateway.open(connection, encoding);
    return connection;
  };
  return { gateway, sessions, counters, world, clock, connect };
}
