// A world behind the seam for tests of the net side: it lets everyone in, keeps what it is told, and makes frames that
// show each client its own entity and how far its commands have come.

import { defineGame } from '../../src/game/define-game.js';
import type { Identity, LeaveReason } from '../../src/game/life.js';
import { RejectCode } from '../../src/game/reject-codes.js';
import type { ClientSink, StoredPlayer, WorldPort } from '../../src/net/gateway/world-port.js';
import type { Watch } from '../../src/protocol/fb/client-message.js';
import { buildFrame, type FrameParts } from '../../src/protocol/fb/server-frame.js';

export const MOVE = 256;
export const AIM = 257;
export const QUANTUM = 1 / 256;

export const echoGame = defineGame({
  name: 'echo',
  version: 1,
  kinds: ['player', 'tree'],
  fields: { health: { type: 'u8', wire: { type: 'u8' } }, secret: { type: 'u8' } },
  commands: {
    move: {
      kind: MOVE,
      payload: {
        x: { type: 'i8', min: -127, max: 127 },
        y: { type: 'i8', min: -127, max: 127 },
        reserved: { type: 'u16', reserved: true },
      },
      apply: () => 0,
    },
    aim: {
      kind: AIM,
      payload: { angle: { type: 'f32', min: 0, max: 6.3 }, power: { type: 'u8', min: 1, max: 10 } },
      apply: () => 0,
    },
  },
  spawnPlayer: () => -1,
});

export interface EchoedCommand {
  client: number;
  generation: number;
  seq: number;
  kind: number;
  payload: number[];
}

export interface EchoClient {
  generation: number;
  entityId: number;
  updateHz: number;
  ack: number;
  congested: boolean;
  absent: boolean;
  wantsFull: boolean;
  sent: number;
}

export class EchoWorld implements WorldPort {
  sink!: ClientSink;
  readonly clients = new Map<number, EchoClient>();
  /** The latest commands, oldest first. */
  readonly commands: EchoedCommand[] = [];
  commandCount = 0;
  joins = 0;
  leaves = 0;
  /** Why they left, and who came, oldest first. */
  readonly reasons: LeaveReason[] = [];
  readonly identities: Identity[] = [];
  resumes = 0;
  readonly restored: StoredPlayer[] = [];
  readonly watched: Watch[] = [];
  watchCode: RejectCode = RejectCode.None;
  resyncs = 0;
  congestions = 0;
  tick = 0;
  /** Answers of the world to come. */
  isFull = false;
  ringIsFull = false;
  answersJoins = true;
  private readonly frames = new Uint8Array(new SharedArrayBuffer(1 << 20));

  join(client: number, generation: number, updateHz: number, identity: Identity): boolean {
    if (this.isFull) return false;
    this.identities.push(identity);
    this.joins += 1;
    this.enter(client, generation, updateHz);
    return true;
  }

  private enter(client: number, generation: number, updateHz: number): void {
    const entityId = 1000 + client;
    this.clients.set(client, {
      generation,
      entityId,
      updateHz,
      ack: 0,
      congested: false,
      absent: false,
      wantsFull: true,
      sent: 0,
    });
    if (this.answersJoins) queueMicrotask(() => this.sink.joined(client, generation, entityId, entityId));
  }

  watch(client: number, generation: number, updateHz: number, watch: Watch): RejectCode {
    if (this.watchCode !== RejectCode.None) return this.watchCode;
    this.watched.push(watch);
    this.enter(client, generation, updateHz);
    return RejectCode.None;
  }

  leave(client: number, generation: number, reason: LeaveReason): void {
    if (this.clients.get(client)?.generation !== generation)
      throw new Error(`client ${client} leaves and is not there`);
    this.leaves += 1;
    this.reasons.push(reason);
    this.clients.delete(client);
  }

  restore(client: number, generation: number, updateHz: number, player: StoredPlayer, identity: Identity): boolean {
    this.restored.push(player);
    return this.join(client, generation, updateHz, identity);
  }

  setAbsent(client: number): void {
    const known = this.clients.get(client);
    if (known === undefined) throw new Error(`client ${client} is absent and is not there`);
    known.absent = true;
  }

  resume(client: number, generation: number, updateHz: number, identity: Identity): boolean {
    const known = this.clients.get(client);
    if (known?.generation !== generation) throw new Error(`client ${client} comes back and is not there`);
    if (this.isFull) return false;
    this.resumes += 1;
    this.identities.push(identity);
    Object.assign(known, { updateHz, ack: 0, congested: false, absent: false, wantsFull: true });
    if (this.answersJoins) queueMicrotask(() => this.sink.joined(client, generation, known.entityId, known.entityId));
    return true;
  }

  resync(client: number, generation: number): boolean {
    const known = this.clients.get(client);
    if (known?.generation !== generation) throw new Error(`client ${client} wants a full frame and is not there`);
    this.resyncs += 1;
    known.wantsFull = true;
    return true;
  }

  /** The index of the client whose Welcome said this. */
  indexOf(clientId: number): number {
    const found = [...this.clients].find(([, { generation }]) => generation === clientId);
    if (found === undefined) throw new Error(`no client has the id ${clientId}`);
    return found[0];
  }

  command(
    client: number,
    generation: number,
    seq: number,
    kind: number,
    bytes: Uint8Array,
    start: number,
    limit: number,
  ): boolean {
    const known = this.clients.get(client);
    if (known?.generation !== generation) throw new Error(`client ${client} commands and is not there`);
    if (this.ringIsFull) return false;
    known.ack = seq;
    this.commandCount += 1;
    this.commands.push({ client, generation, seq, kind, payload: [...bytes.subarray(start, limit)] });
    if (this.commands.length > 64) this.commands.shift();
    return true;
  }

  setCongested(client: number, congested: boolean): void {
    const known = this.clients.get(client);
    if (known === undefined) throw new Error(`client ${client} is congested and is not there`);
    if (congested) this.congestions += 1;
    known.congested = congested;
  }

  /** One frame for every client that may have one; `paddingBytes` of entity records make it large. */
  step(paddingBytes = 0): void {
    this.tick += 1;
    for (const [client, known] of this.clients) {
      if (!known.congested && !known.absent) this.frame(client, paddingBytes);
    }
  }

  /** Sends a frame whether the client is congested or not, as a frame that was already in a ring. */
  frame(client: number, paddingBytes = 0): void {
    const known = this.clients.get(client);
    if (known === undefined) return;
    const full = known.wantsFull;
    known.wantsFull = false;
    const entities = full ? enterRecords(known.entityId, paddingBytes) : moveRecords(known.entityId, paddingBytes);
    known.sent += 1;
    this.send(client, known.generation, { tick: this.tick, ack: known.ack, full, entities });
  }

  send(client: number, generation: number, parts: FrameParts): void {
    const frame = buildFrame(parts);
    const start = 64;
    this.frames.set(frame, start);
    this.sink.frame(client, generation, this.frames, start, start + frame.length);
    // The zone worker would write over it now.
    this.frames.fill(0xee, start, start + frame.length);
  }

  reject(client: number, seq: number, kind: number, code = RejectCode.Cooldown): void {
    const known = this.clients.get(client);
    if (known !== undefined) this.sink.rejected(client, known.generation, seq, kind, code);
  }
}

const RECORD_BYTES = 13;

/** The client's own entity at (1, 2) with health 100, and trees behind it. */
function enterRecords(id: number, paddingBytes: number): Uint8Array {
  const bytes: number[] = [];
  writeEnter(bytes, id, 0, 256, 512);
  for (let size = 0; size < paddingBytes; size += RECORD_BYTES) writeEnter(bytes, 1, 1, 0, 0);
  return Uint8Array.from(bytes);
}

/** The client's own entity, one quantum on, and the same trees once more. */
function moveRecords(id: number, paddingBytes: number): Uint8Array {
  const bytes: number[] = [];
  writeVarint(bytes, id);
  bytes.push(1, 1, 2);
  for (let size = 0; size < paddingBytes; size += RECORD_BYTES) writeEnter(bytes, 1, 1, 0, 0);
  return Uint8Array.from(bytes);
}

function writeEnter(bytes: number[], idStep: number, kind: number, x: number, y: number): void {
  writeVarint(bytes, idStep);
  bytes.push(3 | 4, kind);
  for (const value of [x, y]) bytes.push(value & 255, (value >> 8) & 255, (value >> 16) & 255, value >>> 24);
  bytes.push(100);
}

function writeVarint(bytes: number[], value: number): void {
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest & 0x7f) | 0x80);
    rest >>>= 7;
  }
  bytes.push(rest);
}
