// All clients of one generator thread. What is needed for every frame and every input lies in columns; objects exist per
// connection, and per view that is decoded.

import { setTimeout as sleep } from 'node:timers/promises';
import { ArenaCommand } from '../../../schemas/generated/tessera/arena/arena-command.js';
import { createRandom } from '../../../src/base/chance.js';
import { nowMs } from '../../../src/base/clock.js';
import { rejectName } from '../../../src/game/reject-codes.js';
import { encodeJoin, encodeResync } from '../../../src/protocol/fb/client-message.js';
import {
  openFrame,
  readNotice,
  readRejects,
  readWelcome,
  type WelcomeInfo,
} from '../../../src/protocol/fb/server-frame.js';
import { DEFAULT_SUBPROTOCOL } from '../../../src/protocol/subprotocols.js';
import type { Observation } from '../report/census.js';
import { LatencyHistogram } from '../report/latency-histogram.js';
import { MOVE_PAYLOAD_BYTES, MoveFrames } from './client-frames.js';
import { type FrameHead, readFrameHead } from './frame-head.js';
import type { JoinFigures, SwarmPlan, SwarmProgress, WindowFigures } from './messages.js';
import { Movement } from './movement.js';
import { Pacer } from './pacer.js';
import { RoundTrips } from './round-trips.js';
import { View } from './view.js';
import { type LinkOwner, READ_BUFFER_BYTES, WebSocketLink } from './websocket-link.js';

const PHASE_WAITING = 0;
const PHASE_CONNECTING = 1;
const PHASE_JOINING = 2;
/** Welcome received and own entity seen. */
const PHASE_JOINED = 3;
const PHASE_FAILED = 4;
const PHASE_LOST = 5;

const JOIN_DEADLINE_MS = 10000;
/** A server owes every client at least a keep-alive per second. */
const SILENCE_MS_MAX = 2000;
/** Inputs of the last moment get this long to be acknowledged. */
const LAST_ACK_MS = 1000;
const PUMP_MS = 1;
const WATCH_MS = 250;

export class Swarm implements LinkOwner {
  private readonly plan: SwarmPlan;
  private readonly links: (WebSocketLink | null)[];
  private readonly views: (View | null)[];
  private readonly phase: Uint8Array;
  private readonly seq: Uint32Array;
  private readonly entityId: Uint32Array;
  private readonly connectedAtMs: Float64Array;
  private readonly lastFrameMs: Float64Array;
  private readonly isSilent: Uint8Array;
  private readonly readBuffer = new Uint8Array(READ_BUFFER_BYTES);
  private readonly head: FrameHead = { ack: 0, flags: 0, hasRareParts: false };
  private readonly random: () => number;
  private readonly movement: Movement;
  private readonly moves: MoveFrames;
  private readonly rtt = new LatencyHistogram();
  private readonly roundTrips: RoundTrips;
  private readonly failures: Record<string, number> = {};
  private readonly disconnects: Record<string, number> = {};
  private readonly watch: NodeJS.Timeout;
  private readonly samplePeriod: number;
  private pacer: Pacer;
  private pump: NodeJS.Timeout | undefined;
  private welcome: WelcomeInfo | null = null;
  /** The last notice of the server, by client: it says why a connection is about to be closed. */
  private readonly notices = new Map<number, string>();
  private isClosing = false;

  private joined = 0;
  private failed = 0;
  private lost = 0;
  private framesTotal = 0;
  private inputsTotal = 0;
  private windowBeganMs = 0;
  private figures: WindowFigures;

  constructor(plan: SwarmPlan) {
    this.plan = plan;
    const count = plan.clients;
    this.links = new Array(count).fill(null);
    this.views = new Array(count).fill(null);
    this.phase = new Uint8Array(count);
    this.seq = new Uint32Array(count);
    this.entityId = new Uint32Array(count);
    this.connectedAtMs = new Float64Array(count);
    this.lastFrameMs = new Float64Array(count);
    this.isSilent = new Uint8Array(count);
    this.random = createRandom(plan.seed);
    this.movement = new Movement(count, plan.movement, this.random);
    this.moves = new MoveFrames(count, ArenaCommand.Move, this.random);
    this.roundTrips = new RoundTrips(count, this.rtt);
    this.samplePeriod = Math.max(1, Math.floor(count / Math.max(1, plan.sample)));
    this.pacer = new Pacer(count, plan.inputHz, nowMs());
    this.figures = emptyFigures();
    this.watch = setInterval(() => this.watchOver(), WATCH_MS);
  }

  progress(): SwarmProgress {
    const { joined, failed, lost } = this;
    return { joined, failed, lost, framesReceived: this.framesTotal, inputsSent: this.inputsTotal };
  }

  // --- joining ---

  /** Returns when every client has joined or failed to. */
  async connect(): Promise<JoinFigures> {
    const startedMs = nowMs();
    for (let client = 0; client < this.plan.clients && !this.isClosing; ) {
      const due = Math.min(this.plan.clients, Math.ceil(((nowMs() - startedMs) * this.plan.ramp) / 1000));
      while (client < due) this.connectClient(client++);
      await sleep(5);
    }
    while (this.joined + this.failed + this.lost < this.plan.clients && !this.isClosing) await sleep(20);
    return { joined: this.joined, failures: this.failures, welcome: this.welcome };
  }

  private connectClient(client: number): void {
    this.phase[client] = PHASE_CONNECTING;
    this.connectedAtMs[client] = nowMs();
    const maskKey = Math.floor(this.random() * 0x100000000);
    const protocol = DEFAULT_SUBPROTOCOL.name;
    this.links[client] = new WebSocketLink(client, this, this.plan.target, protocol, maskKey, this.readBuffer);
  }

  opened(client: number): void {
    this.phase[client] = PHASE_JOINING;
    const name = `load-${this.plan.firstClient + client}`;
    this.links[client]!.send(encodeJoin({ name, token: '', updateHz: this.plan.updateHz }));
  }

  ended(client: number, reason: string): void {
    if (this.isClosing) return;
    const notice = this.notices.get(client);
    const text = notice === undefined ? reason : `${reason} (${notice})`;
    if (this.phase[client] === PHASE_JOINED) {
      this.phase[client] = PHASE_LOST;
      this.joined -= 1;
      this.lost += 1;
      count(this.disconnects, text);
    } else if (this.phase[client] < PHASE_JOINED) {
      this.phase[client] = PHASE_FAILED;
      this.failed += 1;
      count(this.failures, text);
    }
    this.views[client] = null;
  }

  private completeJoin(client: number, view: View): void {
    if (!view.entities.has(this.entityId[client])) return;
    this.phase[client] = PHASE_JOINED;
    this.joined += 1;
    if (!this.isSampled(client)) this.views[client] = null;
  }

  // --- frames ---

  /** @hot Once per frame received; all but the sample stop after the header. */
  message(client: number, bytes: Uint8Array, start: number, limit: number, frameBytes: number): void {
    const now = nowMs();
    if (!readFrameHead(bytes, start, limit, this.head)) {
      this.links[client]!.abort('a binary message that is no ServerFrame');
      return;
    }
    this.framesTotal += 1;
    this.figures.framesReceived += 1;
    this.figures.bytesReceived += frameBytes;
    this.noteArrival(client, now);
    if (this.head.ack !== 0) this.roundTrips.acknowledged(client, this.head.ack, now);
    if (this.head.hasRareParts) this.readRareParts(client, bytes.subarray(start, limit));
    const view = this.views[client];
    if (view !== null) this.decode(client, view, bytes.subarray(start, limit), frameBytes);
  }

  private noteArrival(client: number, now: number): void {
    const silence = now - this.lastFrameMs[client];
    this.lastFrameMs[client] = now;
    if (this.phase[client] === PHASE_JOINED) this.noteSilence(client, silence);
  }

  private noteSilence(client: number, silenceMs: number): void {
    if (silenceMs > this.figures.silenceMsMax) this.figures.silenceMsMax = silenceMs;
    if (silenceMs > SILENCE_MS_MAX && this.isSilent[client] === 0) {
      this.isSilent[client] = 1;
      this.figures.silentClients += 1;
    }
  }

  private decode(client: number, view: View, bytes: Uint8Array, frameBytes: number): void {
    const records = view.apply(bytes);
    if (this.phase[client] === PHASE_JOINING) this.completeJoin(client, view);
    if (this.isSampled(client)) {
      this.figures.sampleFrames += 1;
      this.figures.sampleRecords += records;
      if (records > 0) this.figures.sampleBytes += frameBytes;
      this.figures.sampleVisibleSum += view.entities.size;
    }
    if (view.error !== '') {
      count(this.figures.sampleErrors, view.error);
      this.links[client]!.abort(`a frame that does not decode: ${view.error}`);
    }
  }

  private readRareParts(client: number, bytes: Uint8Array): void {
    const frame = openFrame(bytes);
    if (frame === null) return;
    for (const reject of readRejects(frame)) count(this.figures.rejects, rejectName(reject.code));
    const notice = readNotice(frame);
    if (notice !== null) this.notices.set(client, notice.text);
    const welcome = readWelcome(frame);
    if (welcome !== null) this.greet(client, welcome);
  }

  private greet(client: number, welcome: WelcomeInfo): void {
    const move = welcome.commands.find((command) => command.kind === ArenaCommand.Move);
    if (move?.bytes !== MOVE_PAYLOAD_BYTES) {
      this.links[client]!.abort(`the game ${welcome.game} has no Move of ${MOVE_PAYLOAD_BYTES} bytes`);
      return;
    }
    this.welcome ??= welcome;
    this.entityId[client] = welcome.entityId;
    this.views[client] = new View(welcome, false);
  }

  // --- inputs ---

  startInputs(): void {
    this.pacer = new Pacer(this.plan.clients, this.plan.inputHz, nowMs());
    this.pump = setInterval(() => this.sendDueInputs(), PUMP_MS);
  }

  stopInputs(): void {
    clearInterval(this.pump);
    this.pump = undefined;
  }

  private sendDueInputs(): void {
    const now = nowMs();
    for (let due = this.pacer.due(now); due > 0; due--) {
      const client = this.pacer.nextClient();
      if (this.phase[client] === PHASE_JOINED) this.sendInput(client, now);
    }
  }

  /** @hot Once per input. */
  private sendInput(client: number, now: number): void {
    const link = this.links[client]!;
    if (!link.isWritable) {
      this.figures.inputsHeldBack += 1;
      return;
    }
    this.movement.steer(client, now);
    this.seq[client] += 1;
    const seq = this.seq[client];
    const frame = this.moves.fill(client, seq, this.movement.wishX[client], this.movement.wishY[client]);
    // The clock is read again: `now` is from before the inputs of the same slice that went first.
    this.roundTrips.sent(client, seq, nowMs());
    link.writeFrame(frame);
    this.inputsTotal += 1;
    this.figures.inputsSent += 1;
  }

  // --- the timed part ---

  beginWindow(): void {
    this.rtt.clear();
    this.roundTrips.forgetPending();
    this.pacer.clearCounts();
    this.isSilent.fill(0);
    this.figures = emptyFigures();
    this.windowBeganMs = nowMs();
  }

  /** Counters stop now; the inputs under way get a moment to come back, so that the slowest are not cut off. */
  async endWindow(): Promise<WindowFigures> {
    this.watchOver();
    this.stopInputs();
    const figures = this.figures;
    figures.seconds = (nowMs() - this.windowBeganMs) / 1000;
    figures.inputsSkipped = this.pacer.skipped;
    figures.pacerLatenessMsMax = this.pacer.latenessMsMax;
    this.figures = emptyFigures();
    await sleep(LAST_ACK_MS);
    figures.inputsUnanswered = this.roundTrips.waiting() + this.roundTrips.overwritten;
    figures.rttCounts = this.rtt.counts.slice();
    figures.rttCount = this.rtt.count;
    figures.rttSumMs = this.rtt.sumMs;
    figures.rttMaxMs = this.rtt.maxMs;
    return figures;
  }

  private watchOver(): void {
    const now = nowMs();
    for (let client = 0; client < this.plan.clients; client++) {
      const phase = this.phase[client];
      if (phase === PHASE_JOINED) {
        this.noteSilence(client, now - this.lastFrameMs[client]);
      } else if (
        phase !== PHASE_WAITING &&
        phase < PHASE_JOINED &&
        now - this.connectedAtMs[client] > JOIN_DEADLINE_MS
      ) {
        const stage = phase === PHASE_CONNECTING ? 'no upgrade' : 'no Welcome with its own entity in view';
        this.links[client]!.abort(`${stage} within ${JOIN_DEADLINE_MS / 1000} s`);
      }
    }
  }

  // --- what the census asks for ---

  isSampled(client: number): boolean {
    return client % this.samplePeriod === 0 && client / this.samplePeriod < this.plan.sample;
  }

  isJoined(client: number): boolean {
    return this.phase[client] === PHASE_JOINED;
  }

  joinedClients(): number[] {
    return Array.from(this.phase.keys()).filter((client) => this.isJoined(client));
  }

  view(client: number): View | null {
    return this.views[client];
  }

  sendStop(client: number): void {
    this.seq[client] += 1;
    this.links[client]!.writeFrame(this.moves.fill(client, this.seq[client], 0, 0));
  }

  isAcknowledged(client: number): boolean {
    return this.roundTrips.lastAck(client) >= this.seq[client];
  }

  /** Every frame of this client is decoded from now on, beginning with a Full one. */
  sendResync(client: number): void {
    this.views[client] ??= new View(this.welcome!, true);
    this.views[client].expectFull();
    this.seq[client] += 1;
    this.links[client]!.send(encodeResync(this.seq[client]));
  }

  stopDecoding(client: number): void {
    this.views[client] = null;
  }

  /** What one client sees now; nothing, if its view is not decoded. */
  observe(client: number, source: Observation['source']): Observation {
    const entities = [...(this.views[client]?.entities.values() ?? [])];
    return {
      client: this.plan.firstClient + client,
      source,
      entityId: this.entityId[client],
      ids: Uint32Array.from(entities, (entity) => entity.id),
      x: Float64Array.from(entities, (entity) => entity.x),
      y: Float64Array.from(entities, (entity) => entity.y),
    };
  }

  /** Ends every connection; returns why some had ended before. */
  close(): Record<string, number> {
    this.isClosing = true;
    this.stopInputs();
    clearInterval(this.watch);
    for (const link of this.links) link?.close();
    return this.disconnects;
  }
}

function count(counts: Record<string, number>, key: string): void {
  counts[key] = (counts[key] ?? 0) + 1;
}

function emptyFigures(): WindowFigures {
  return {
    seconds: 0,
    inputsSent: 0,
    inputsHeldBack: 0,
    inputsSkipped: 0,
    pacerLatenessMsMax: 0,
    framesReceived: 0,
    bytesReceived: 0,
    rttCounts: new Float64Array(0),
    rttCount: 0,
    rttSumMs: 0,
    rttMaxMs: 0,
    inputsUnanswered: 0,
    sampleFrames: 0,
    sampleBytes: 0,
    sampleRecords: 0,
    sampleVisibleSum: 0,
    sampleErrors: {},
    rejects: {},
    silentClients: 0,
    silenceMsMax: 0,
  };
}
