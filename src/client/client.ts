// The client of a Tessera server, for browsers and for Node: connects, joins, decodes, sends, measures. It draws nothing
// and predicts nothing; what it knows of the world is in `entities`.
//
//   closed -> connecting -> joining -> joined -> closed
//                ^                       |
//                +------- waiting <------+   the connection was lost and `reconnect` is set

import { assert } from '../base/assert.js';
import { nowMs } from '../base/clock.js';
import { RejectCode, rejectReason } from '../game/reject-codes.js';
import { encodeJoin, encodeLeave, encodePing, encodeResync } from '../protocol/fb/client-message.js';
import { CommandLayouts, type CommandPayload, encodeCommand } from '../protocol/fb/command-layout.js';
import { EntityDecoder, type EntityState, type FrameDelta } from '../protocol/fb/entity-decoder.js';
import { type NoteMessage, NoteReader } from '../protocol/fb/note-reader.js';
import {
  FrameFlag,
  type NoticeInfo,
  openFrame,
  PROTOCOL_VERSION,
  type RejectInfo,
  readNotice,
  readPong,
  readRejects,
  readWelcome,
  type ServerFrame,
  type WelcomeInfo,
} from '../protocol/fb/server-frame.js';
import { SharedReader, type SharedView } from '../protocol/fb/shared-view.js';
import { DEFAULT_SUBPROTOCOL } from '../protocol/subprotocols.js';
import { backoffMs, RECONNECT_DEFAULTS } from './backoff.js';
import type { ClientOptions } from './client-options.js';
import { JOIN_TIMEOUT_MS, RESYNC_REPEAT_MS } from './limits.js';
import { RoundTrip } from './round-trip.js';
import { type CloseInfo, SOCKET_OPEN, type Socket, type SocketClass } from './socket.js';

const CLOSE_NORMAL = 1000;
/** Our own token has come back by another connection: to take over in turn would go on for ever. */
const CLOSE_REPLACED = 4006;

export type ClientState = 'closed' | 'connecting' | 'joining' | 'joined' | 'waiting';

/** A frame with state of the world, after it was applied. */
export interface FrameInfo {
  tick: number;
  ack: number;
  full: boolean;
  bytes: number;
  receivedMs: number;
  delta: FrameDelta;
}

export interface Ending extends CloseInfo {
  /** Milliseconds until the next attempt; null when there will be none. */
  retryMs: number | null;
}

export interface Traffic {
  framesIn: number;
  bytesIn: number;
  messagesOut: number;
  bytesOut: number;
  /** Frames that could not be understood. */
  framesBad: number;
  resyncs: number;
  reconnects: number;
}

/** The values of a note by name; bools as such, enums by name, a reference as the id of an entity or null. */
export type NoteData = Readonly<Record<string, number | string | boolean | null>>;
export type NoteHandler = (values: NoteData, note: NoteMessage) => void;

interface Waiting {
  resolve(welcome: WelcomeInfo): void;
  reject(error: Error): void;
}

export class TesseraClient {
  state: ClientState = 'closed';
  welcome: WelcomeInfo | null = null;
  /** Of the newest frame: the server's tick, and the highest input that it has applied. */
  tick = 0;
  ack = 0;
  /** Time from a Ping to its Pong, which waits for no tick; 0 before the first. */
  pingMs = 0;
  readonly roundTrip = new RoundTrip();
  readonly traffic: Traffic = {
    framesIn: 0,
    bytesIn: 0,
    messagesOut: 0,
    bytesOut: 0,
    framesBad: 0,
    resyncs: 0,
    reconnects: 0,
  };

  onWelcome: (welcome: WelcomeInfo) => void = () => {};
  onFrame: (frame: FrameInfo) => void = () => {};
  onNotice: (notice: NoticeInfo) => void = () => {};
  /** Notes that were told and did not come; before those of its frame that did. */
  onNotesMissed: (count: number) => void = () => {};
  onReject: (reject: RejectInfo) => void = () => {};
  onClose: (ending: Ending) => void = () => {};

  private readonly options: ClientOptions;
  private readonly clock: () => number;
  private readonly layouts: CommandLayouts;
  private readonly SocketClass: SocketClass;
  private socket: Socket | null = null;
  private decoder: EntityDecoder | null = null;
  private sharedReader: SharedReader | null = null;
  private readonly notes = new NoteReader([]);
  private readonly noteHandlers = new Map<string, NoteHandler>();
  private waiting: Waiting | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  /** Of the last Welcome, for the next Join. */
  private ticket = '';
  /** The one of the options, until it is refused. */
  private ownToken = '';
  private seq = 0;
  private attempt = 0;
  /** When a Resync was asked for that has not been answered yet. */
  private resyncSentMs: number | null = null;
  /** Why the server did not let us in, when it said so before it closed. */
  private refusal = '';

  constructor(options: ClientOptions) {
    this.options = options;
    this.clock = options.clock ?? nowMs;
    this.layouts = new CommandLayouts(options.commands ?? []);
    const platform = (globalThis as { WebSocket?: SocketClass }).WebSocket;
    const SocketClass = options.WebSocket ?? platform;
    assert(SocketClass !== undefined, 'a WebSocket class is given where the platform has none');
    this.SocketClass = SocketClass;
  }

  get entities(): ReadonlyMap<number, EntityState> {
    return this.decoder?.entities ?? EMPTY;
  }

  /** The game's shared record, by the names of its fields; null before it has come, and where the game has none. */
  get shared(): SharedView | null {
    return this.sharedReader?.read() ?? null;
  }

  get entityId(): number | null {
    return this.welcome === null || this.isSpectator ? null : this.welcome.entityId;
  }

  /** Brings another connection back to our entity: what the next Join would show. Empty where there is none. */
  get resumeToken(): string {
    return this.ticket === '' ? this.ownToken : this.ticket;
  }

  get isSpectator(): boolean {
    return this.welcome?.spectator ?? false;
  }

  /** Whether the entity is the one of before the connection was lost. */
  get resumed(): boolean {
    return this.welcome?.resumed ?? false;
  }

  /** The entity that is ours; null while it is not in view. */
  get self(): EntityState | null {
    return this.welcome === null ? null : (this.entities.get(this.welcome.entityId) ?? null);
  }

  /** The place of a field in an entity's `fields`, by its name in the game; -1 before the Welcome, and where it is not sent. */
  fieldIndex(name: string): number {
    return this.welcome?.fields.findIndex((field) => field.name === name) ?? -1;
  }

  /** Resolves when the server has let us in; rejects, saying why, when it has not. */
  connect(): Promise<WelcomeInfo> {
    assert(this.state === 'closed', 'connect() is called once, or again after the end', this.state);
    this.attempt = 0;
    this.ownToken = this.options.token ?? '';
    return new Promise((resolve, reject) => {
      this.waiting = { resolve, reject };
      this.open();
    });
  }

  /** Leaves. Nothing is called back after this. */
  close(): void {
    const socket = this.socket;
    if (this.state === 'joined') this.transmit(encodeLeave(this.nextSeq()));
    this.release();
    this.state = 'closed';
    socket?.close(CLOSE_NORMAL, 'left');
    this.settle(new Error('closed before it was joined'));
  }

  /** Sends a command of the game; returns its sequence number, 0 when not joined, and for spectators. */
  send(commandName: string, payload: CommandPayload): number {
    const layout = this.layouts.findByName(commandName);
    assert(layout !== null, 'the game has this command', commandName);
    if (this.state !== 'joined' || this.isSpectator) return 0;
    const seq = this.nextSeq();
    this.roundTrip.sent(seq, this.clock());
    this.transmit(encodeCommand(layout, payload, seq));
    return seq;
  }

  /** Calls the handler with each note of this name. There is one for a name: a later one takes its place. */
  onNote(name: string, handler: NoteHandler): void {
    this.noteHandlers.set(name, handler);
  }

  /** Measures pingMs. */
  ping(): void {
    if (this.state === 'joined') this.transmit(encodePing(this.nextSeq(), this.clockUs()));
  }

  /** Asks for everything in view anew. Until it comes, frames change nothing. */
  resync(): void {
    if (this.state !== 'joined') return;
    const now = this.clock();
    if (this.resyncSentMs !== null && now - this.resyncSentMs < RESYNC_REPEAT_MS) return;
    this.resyncSentMs = now;
    this.traffic.resyncs++;
    this.transmit(encodeResync(this.nextSeq()));
  }

  // --- connecting ---

  private open(): void {
    this.state = 'connecting';
    this.refusal = '';
    this.timer = setTimeout(
      () => this.lose({ code: 0, reason: 'no answer in time' }),
      this.options.joinTimeoutMs ?? JOIN_TIMEOUT_MS,
    );
    let socket: Socket;
    try {
      socket = new this.SocketClass(this.options.url, DEFAULT_SUBPROTOCOL.name);
    } catch (error) {
      // A malformed address is the only thing that a constructor complains of.
      this.lose({ code: 0, reason: (error as Error).message });
      return;
    }
    this.socket = socket;
    socket.binaryType = 'arraybuffer';
    socket.onopen = () => socket === this.socket && this.join();
    socket.onmessage = ({ data }: { data: unknown }) => socket === this.socket && this.receive(data);
    // A close event follows every error, and is the one that says more.
    socket.onerror = () => {};
    socket.onclose = ({ code, reason }: CloseInfo) => socket === this.socket && this.lose({ code, reason });
  }

  private join(): void {
    const { name, updateHz = 0, watch } = this.options;
    this.state = 'joining';
    this.seq = 0;
    this.transmit(encodeJoin({ name, token: this.resumeToken, updateHz, ...(watch && { watch }) }));
  }

  private begin(welcome: WelcomeInfo): void {
    const problem = this.findMismatch(welcome);
    if (problem !== null) {
      this.giveUp(problem);
      return;
    }
    clearTimeout(this.timer);
    this.welcome = welcome;
    if (welcome.token !== '') this.ticket = welcome.token;
    this.decoder = new EntityDecoder(welcome.fields, welcome.quantum, welcome.kinds, welcome.kindFields);
    this.sharedReader = new SharedReader(this.decoder);
    this.notes.renew(welcome.notes ?? [], welcome.resumed);
    this.state = 'joined';
    this.attempt = 0;
    this.waiting?.resolve(welcome);
    this.waiting = null;
    this.onWelcome(welcome);
  }

  private findMismatch(welcome: WelcomeInfo): string | null {
    if (welcome.protocol !== PROTOCOL_VERSION) return `the server speaks version ${welcome.protocol} of the protocol`;
    for (const { name, kind, bytes } of this.layouts.all) {
      const theirs = welcome.commands.find((command) => command.kind === kind);
      if (theirs?.name !== name || theirs.bytes !== bytes) return `the server's game has no command like ${name}`;
    }
    return null;
  }

  /** The connection is gone, or never came to be. */
  private lose(info: CloseInfo): void {
    const wasJoined = this.state === 'joined';
    const isRetry = this.waiting === null && !wasJoined;
    const socket = this.socket;
    this.release();
    socket?.close();
    const reason = this.refusal !== '' ? this.refusal : info.reason;
    const retryMs = (wasJoined || isRetry) && info.code !== CLOSE_REPLACED ? this.planRetry() : null;
    this.state = retryMs === null ? 'closed' : 'waiting';
    this.settle(new Error(reason || 'the server cannot be reached'));
    if (wasJoined || isRetry) this.onClose({ code: info.code, reason, retryMs });
  }

  /** Ends a connection that another attempt would not make better. */
  private giveUp(reason: string): void {
    const socket = this.socket;
    const wasAwaited = this.waiting !== null;
    this.release();
    socket?.close(CLOSE_NORMAL, 'not understood');
    this.state = 'closed';
    this.settle(new Error(reason));
    if (!wasAwaited) this.onClose({ code: 0, reason, retryMs: null });
  }

  private planRetry(): number | null {
    if (this.options.reconnect === undefined) return null;
    const options = { ...RECONNECT_DEFAULTS, ...this.options.reconnect };
    if (this.attempt >= options.attemptsMax) return null;
    const delayMs = backoffMs(this.attempt++, options);
    this.timer = setTimeout(() => {
      this.traffic.reconnects++;
      this.open();
    }, delayMs);
    return delayMs;
  }

  /** Forgets the connection and all that was known through it. */
  private release(): void {
    clearTimeout(this.timer);
    this.socket = null;
    this.decoder = null;
    this.welcome = null;
    this.resyncSentMs = null;
    this.tick = 0;
    this.ack = 0;
    this.roundTrip.reset();
  }

  private settle(error: Error): void {
    this.waiting?.reject(error);
    this.waiting = null;
  }

  // --- receiving ---

  private receive(data: unknown): void {
    const frame = data instanceof ArrayBuffer ? openFrame(new Uint8Array(data)) : null;
    if (frame === null) {
      this.traffic.framesBad++;
      this.giveUp('the server sent what is no frame');
      return;
    }
    const bytes = (data as ArrayBuffer).byteLength;
    this.traffic.framesIn++;
    this.traffic.bytesIn += bytes;
    const welcome = readWelcome(frame);
    if (welcome !== null) this.begin(welcome);
    for (const reject of readRejects(frame)) this.refused(reject);
    const pong = readPong(frame);
    // Both are 32-bit microseconds, so the difference survives the wrap.
    if (pong !== null) this.pingMs = ((this.clockUs() - pong.clientTime) >>> 0) / 1000;
    // Frames of tick 0 carry news of the connection, but no state.
    if (frame.tick() !== 0 && this.decoder !== null) this.applyState(frame, this.decoder, bytes);
    this.takeNotes(frame);
    const notice = readNotice(frame);
    if (notice !== null) this.onNotice(notice);
  }

  private takeNotes(frame: ServerFrame): void {
    const notes = this.notes.read(frame);
    if (notes === null) {
      this.traffic.framesBad++;
      return;
    }
    if (this.notes.missed > 0) this.onNotesMissed(this.notes.missed);
    for (const note of notes) this.noteHandlers.get(note.name)?.(note.values as NoteData, note);
  }

  private refused(reject: RejectInfo): void {
    if (this.state === 'joining') {
      this.refusal = rejectReason(reject.code);
      if (reject.code === RejectCode.BadToken) this.dropToken();
    }
    this.onReject(reject);
  }

  /** A server that does not know it lets us in without it, if at all. */
  private dropToken(): void {
    if (this.ticket === '') this.ownToken = '';
    this.ticket = '';
  }

  private applyState(frame: ServerFrame, decoder: EntityDecoder, bytes: number): void {
    const receivedMs = this.clock();
    const full = (frame.flags() & FrameFlag.Full) !== 0;
    this.tick = frame.tick();
    this.ack = frame.ack();
    this.roundTrip.acknowledged(this.ack, receivedMs);
    if (full) this.resyncSentMs = null;
    if (this.resyncSentMs !== null) {
      this.resync();
      return;
    }
    const delta = decoder.apply(frame);
    if (delta.error !== null) {
      this.traffic.framesBad++;
      this.resync();
    }
    this.onFrame({ tick: this.tick, ack: this.ack, full, bytes, receivedMs, delta });
  }

  // --- sending ---

  private nextSeq(): number {
    this.seq++;
    return this.seq;
  }

  private transmit(bytes: Uint8Array): void {
    // Between the loss of a connection and its close event there is nobody to send to.
    if (this.socket === null || this.socket.readyState !== SOCKET_OPEN) return;
    this.traffic.messagesOut++;
    this.traffic.bytesOut += bytes.length;
    this.socket.send(bytes as Uint8Array<ArrayBuffer>);
  }

  private clockUs(): number {
    return Math.floor(this.clock() * 1000) >>> 0;
  }
}

const EMPTY: ReadonlyMap<number, EntityState> = new Map();
