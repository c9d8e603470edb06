// One client: joins, plays, misbehaves, leaves; decodes every frame, and remembers what it asked for and what it was told.

import { POSITION_QUANTUM } from '../../../src/engine/plan/world-plan.js';
import { RejectCode } from '../../../src/game/reject-codes.js';
import { encodeCommand } from '../../../src/protocol/fb/command-layout.js';
import { EntityDecoder } from '../../../src/protocol/fb/entity-decoder.js';
import { openFrame } from '../../../src/protocol/fb/server-frame.js';
import type { GameDescription } from '../../../src/protocol/game-description.js';
import type { Chance } from '../chance.js';
import { require, Violation } from '../checks/violation.js';

export type ClientState = 'joining' | 'playing' | 'refused' | 'dropped' | 'gone';

export class VirtualClient {
  readonly decoder: EntityDecoder;
  state: ClientState = 'joining';
  entityId = 0;
  tick = 0;
  ack = 0;
  seq = 0;
  frameCount = 0;
  isCongested = false;
  private readonly rejected = new Map<number, number>();

  constructor(
    readonly index: number,
    readonly generation: number,
    private readonly description: GameDescription,
  ) {
    this.decoder = new EntityDecoder(description.fields, POSITION_QUANTUM, description.kinds, description.kindFields);
  }

  get isLive(): boolean {
    return this.state === 'joining' || this.state === 'playing';
  }

  toString(): string {
    return `client ${this.index}.${this.generation}`;
  }

  /** The next command, as valid bytes of the game. */
  makeCommand(chance: Chance): { kind: number; bytes: Uint8Array } {
    const layout = chance.pick(this.description.layouts.all);
    const payload: Record<string, number> = {};
    for (const { name, type, min, max, reserved } of layout.fields) {
      if (reserved) continue;
      const value = chance.between(min, max);
      payload[name] = type === 'f32' ? value : Math.min(max, Math.max(min, Math.round(value)));
    }
    return { kind: layout.kind, bytes: encodeCommand(layout, payload, ++this.seq) };
  }

  takeRejected(seq: number, code: number): void {
    require(seq >= 1 && seq <= this.seq, 'only what was sent is rejected', () => `${this}: ${seq} of ${this.seq}`);
    require(code !== RejectCode.BadSequence, 'what is sent in order is not rejected for its number', () =>
      `${this}: ${seq}`);
    require(!this.rejected.has(seq), 'a command is rejected once', () =>
      `${this}: ${seq} by ${code}, was ${this.rejected.get(seq)}`);
    require(seq !== this.ack, 'what is acknowledged is not rejected', () => `${this}: ${seq} by ${code}`);
    this.rejected.set(seq, code);
  }

  takeFrame(bytes: Uint8Array): void {
    const frame = openFrame(bytes);
    if (frame === null) throw new Violation('frames open', `${this}`);
    const delta = this.decoder.apply(frame);
    require(delta.error === null, 'frames decode', () => `${this} at tick ${frame.tick()}: ${delta.error}`);
    require(frame.tick() >= this.tick, 'frames come in order', () => `${this}: ${frame.tick()} after ${this.tick}`);
    const ack = frame.ack();
    require(ack >= this.ack, 'acknowledgements rise', () => `${this}: ${ack} after ${this.ack}`);
    require(ack <= this.seq, 'only what was sent is acknowledged', () => `${this}: ${ack} of ${this.seq}`);
    require(!this.rejected.has(ack), 'what is acknowledged is not rejected', () => `${this}: ${ack}`);
    this.tick = frame.tick();
    this.ack = ack;
    this.frameCount++;
  }
}
