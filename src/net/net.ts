// The net side as a whole: what the server creates, wires to the world, and closes.

import { randomInt } from 'node:crypto';
import { nowMs } from '../base/clock.js';
import type { Log } from '../base/log.js';
import type { Settings } from '../config/settings.js';
import type { GameDefinition } from '../game/definition.js';
import { RejectCode, rejectName } from '../game/reject-codes.js';
import { PROTOCOL_VERSION } from '../protocol/fb/server-frame.js';
import { describeGame, type GameDescription } from '../protocol/game-description.js';
import { CLIENT_ID_MAX } from '../protocol/limits.js';
import { Admission } from './auth/admission.js';
import { BanList, type Selection } from './auth/bans.js';
import { SteadyClock } from './auth/steady-clock.js';
import type { Admit } from './gateway/entrance.js';
import { Gateway } from './gateway/gateway.js';
import {
  BYTES_IN,
  BYTES_OUT,
  closeLabel,
  DROP_CONNECTION_ACCEPT,
  DROP_NAMES,
  NetCounters,
  type NetSnapshot,
  nameCounts,
  PACKETS_IN,
  PACKETS_OUT,
} from './gateway/net-counters.js';
import { Outbox, type WelcomeBase } from './gateway/outbox.js';
import { type ResumeOptions, Resumption } from './gateway/resumption.js';
import { SESSION_ABSENT, SESSION_LIVE, SessionTable } from './gateway/session.js';
import type { ClientSink, WorldPort } from './gateway/world-port.js';
import { HttpServer, type Readiness } from './http/http.js';
import { type Metrics, registerNetMetrics } from './http/metrics.js';
import {
  ACCEPT_WARNING_INTERVAL_MS,
  ANTEROOM_SESSIONS,
  CLOSE_DEADLINE_MS,
  DRAIN_GRACE_MS,
  NET_BEAT_MS,
  STALL_MS,
} from './limits.js';
import { WebSocketTransport } from './transports/websocket/websocket.js';

export type NetSettings = Pick<
  Settings,
  | 'host'
  | 'port'
  | 'web'
  | 'clientsMax'
  | 'connectionsPerAddress'
  | 'messagesPerSecond'
  | 'joinTimeoutMs'
  | 'idleTimeoutMs'
  | 'slowClientMs'
  | 'tickHz'
  | 'updateHz'
  | 'worldWidth'
  | 'worldHeight'
  | 'viewRadius'
  | 'spectators'
  | 'spectatorDelayMs'
>;

export interface NetOptions {
  settings: NetSettings;
  game: Pick<GameDefinition, 'name' | 'kinds' | 'fields' | 'commands'>;
  /** World units per step of a position. */
  quantum: number;
  /** Entities in view stay until they are farther than this. */
  leaveRadius: number;
  world: WorldPort;
  log: Log;
  metrics: Metrics;
  health(): object;
  ready(): Readiness;
  /** Default: guests only, who bring no token. */
  admit?: Admit;
  /** Absent: nobody is given a token to come back by. */
  resume?: ResumeOptions;
}

export interface NetStats {
  /** Connections, and those of them that play. */
  readonly connections: number;
  readonly clients: number;
  readonly spectators: number;
  /** Entities that wait for their clients to come back. */
  readonly absent: number;
  readonly packetsIn: number;
  readonly packetsOut: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  snapshot(): NetSnapshot;
}

export interface Net {
  readonly sink: ClientSink;
  readonly stats: NetStats;
  /** Rejects with the system's own error when the port cannot be had. */
  listen(): Promise<{ port: number }>;
  /** A notice for everyone who plays; how many were told. */
  broadcast(text: string): number;
  /** Tells them why and closes their connections; how many they were. */
  kick(who: Selection, text: string): number;
  /** Those who play, as the world knows them. */
  playersOf(who: Selection): { client: number; generation: number }[];
  /** Takes over those settings that can change while it runs. */
  adopt(settings: NetSettings): void;
  readonly bans: BanList;
  /** Tells every client why, closes all connections, and resolves when they are gone or their deadline is over. */
  drain(code: number, text: string): Promise<void>;
  close(): Promise<void>;
}

export function createNet(options: NetOptions): Net {
  return new NetServer(options);
}

const admitGuests: Admit = (_name, token) => (token === '' ? RejectCode.None : RejectCode.BadToken);

class NetServer implements Net {
  readonly sink: Gateway;
  readonly stats: NetStats;
  readonly bans = new BanList();
  private readonly clock = new Float64Array([nowMs()]);
  private readonly sessions: SessionTable;
  private readonly transport: WebSocketTransport;
  private readonly admission: Admission;
  private readonly http: HttpServer;
  private readonly log: Log;
  private readonly metrics: Metrics;
  private readonly resumption: Resumption | undefined;
  private readonly outbox: Outbox;
  private readonly steady: SteadyClock;
  private timer: NodeJS.Timeout | undefined;
  private warnedAt = Number.NEGATIVE_INFINITY;

  constructor(options: NetOptions) {
    const { settings, world, log, metrics, game } = options;
    const counters = new NetCounters();
    this.steady = new SteadyClock(log);
    const anteroom = options.resume ? ANTEROOM_SESSIONS : 0;
    const sessions = new SessionTable(settings.clientsMax, this.clock, randomInt(CLIENT_ID_MAX), anteroom);
    const admission = new Admission(settings.clientsMax, settings.connectionsPerAddress, counters);
    const description = describeGame(game);
    const spectators = { delayMs: settings.spectatorDelayMs, most: settings.spectators };
    const outbox = new Outbox({ sessions, counters, world, description, quantum: options.quantum, spectators });
    this.resumption =
      options.resume && new Resumption({ now: () => this.steady.now(), ...options.resume }, sessions, outbox, counters);
    const gateway = new Gateway({
      settings,
      sessions,
      counters,
      world,
      outbox,
      layouts: description.layouts,
      welcome: describeServer(options, description),
      admit: options.admit ?? admitGuests,
      resumption: this.resumption,
      bans: this.bans,
      log,
    });
    const { idleTimeoutMs } = settings;
    this.transport = new WebSocketTransport({ gateway, sessions, counters, admission, bans: this.bans, idleTimeoutMs });
    this.http = new HttpServer({
      host: settings.host,
      port: settings.port,
      web: settings.web,
      admission,
      counters,
      metrics,
      health: options.health,
      ready: options.ready,
      acceptFailed: (error) => {
        counters.drops[DROP_CONNECTION_ACCEPT] += 1;
        this.warnSeldom(error);
      },
      upgrade: (request, socket, head) => this.transport.upgrade(request, socket, head),
    });
    registerNetMetrics(metrics, counters, sessions);
    this.admission = admission;
    this.outbox = outbox;
    this.log = log;
    this.metrics = metrics;
    this.sessions = sessions;
    this.sink = gateway;
    this.stats = createStats(counters, sessions);
  }

  async listen(): Promise<{ port: number }> {
    const address = await this.http.listen();
    this.clock[0] = nowMs();
    this.resumption?.begin();
    this.timer = setInterval(() => this.beat(nowMs()), NET_BEAT_MS);
    return address;
  }

  broadcast(text: string): number {
    return this.sink.broadcast(text);
  }

  kick(who: Selection, text: string): number {
    return this.sink.kick(who, text);
  }

  playersOf(who: Selection): { client: number; generation: number }[] {
    return this.sink.playersOf(who);
  }

  adopt(settings: NetSettings): void {
    this.sink.adopt(settings);
    this.admission.setPerAddress(settings.connectionsPerAddress);
    this.transport.idleTimeoutMs = settings.idleTimeoutMs;
  }

  async drain(code: number, text: string): Promise<void> {
    this.sink.drain(code, text);
    const deadline = nowMs() + CLOSE_DEADLINE_MS + DRAIN_GRACE_MS;
    while (this.sessions.used > 0 && nowMs() < deadline) await sleep(NET_BEAT_MS);
  }

  async close(): Promise<void> {
    clearInterval(this.timer);
    this.transport.terminate();
    this.outbox.stop();
    await this.http.close();
  }

  private warnSeldom(error: Error): void {
    const now = nowMs();
    if (now - this.warnedAt < ACCEPT_WARNING_INTERVAL_MS) return;
    this.warnedAt = now;
    this.log.warn({ err: error }, 'a connection could not be accepted');
  }

  private beat(now: number): void {
    const sinceMs = now - this.clock[0];
    const judges = sinceMs < STALL_MS;
    this.metrics.loopLag.note(sinceMs - NET_BEAT_MS);
    this.clock[0] = now;
    this.steady.check();
    this.transport.beat(judges);
    this.sink.beat(judges);
  }
}

function describeServer(options: NetOptions, description: GameDescription): WelcomeBase {
  const { game, kinds, fields, kindFields, commands, notes } = description;
  const { settings, quantum, leaveRadius } = options;
  return {
    protocol: PROTOCOL_VERSION,
    game,
    tickHz: settings.tickHz,
    worldWidth: settings.worldWidth,
    worldHeight: settings.worldHeight,
    quantum,
    viewRadius: settings.viewRadius,
    leaveRadius,
    kinds,
    fields,
    ...(kindFields && { kindFields }),
    commands,
    ...(notes.length > 0 && { notes }),
  };
}

function createStats(counters: NetCounters, sessions: SessionTable): NetStats {
  return {
    get connections() {
      return sessions.used;
    },
    get clients() {
      return sessions.counts[SESSION_LIVE] - sessions.spectatorsLive;
    },
    get spectators() {
      return sessions.spectatorsLive;
    },
    get absent() {
      return sessions.counts[SESSION_ABSENT];
    },
    get packetsIn() {
      return counters.total(PACKETS_IN);
    },
    get packetsOut() {
      return counters.total(PACKETS_OUT);
    },
    get bytesIn() {
      return counters.total(BYTES_IN);
    },
    get bytesOut() {
      return counters.total(BYTES_OUT);
    },
    snapshot: () => ({
      packetsIn: counters.total(PACKETS_IN),
      packetsOut: counters.total(PACKETS_OUT),
      bytesIn: counters.total(BYTES_IN),
      bytesOut: counters.total(BYTES_OUT),
      accepted: counters.accepted[0],
      rejects: nameCounts(counters.rejects, rejectName),
      drops: nameCounts(counters.drops, (index) => DROP_NAMES[index]),
      closedByServer: nameCounts(counters.closedByServer, closeLabel),
      closedByClient: nameCounts(counters.closedByClient, closeLabel),
    }),
  };
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
