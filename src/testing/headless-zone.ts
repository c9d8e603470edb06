// One zone without threads, sockets or neighbours: the engine's zone over a world buffer, with its index.

import { layOutLoneZone } from '../engine/plan/world-plan.js';
import type { PostRoads, ZonePosts } from '../engine/posts/zone-posts.js';
import { Quadtree } from '../engine/space/quadtree.js';
import { beginShared } from '../engine/zone/begin-shared.js';
import { spawnPlayer } from '../engine/zone/game-fault.js';
import { removePlayer, tellJoined } from '../engine/zone/player-life.js';
import { EngineZone } from '../engine/zone/zone.js';
import { createPosts } from '../engine/zone/zone-parts.js';
import type { Columns, CommandDefinition, FieldDefinitions, GameDefinition } from '../game/definition.js';
import { JOIN_REASONS, LEAVE_REASONS, type LeaveReason, type Who } from '../game/life.js';
import { EVENT_RECORD_BYTES } from '../memory/limits.js';
import * as R from '../memory/records/thread-records.js';
import { RecordRing } from '../memory/rings/record-ring.js';
import { hashCommitted, hashText } from '../memory/world/state-hash.js';
import { WorldBuffer } from '../memory/world/world-buffer.js';
import {
  type CommandLayout,
  type CommandPayload,
  encodeCommand,
  layOutCommand,
  writeCommand,
} from '../protocol/fb/command-layout.js';
import { CLIENT_HEADER_BYTES } from '../protocol/limits.js';
import { testIdentity } from './test-identity.js';

const EVENT_RECORDS = 65536;

/** There is no other zone. */
const NO_ROADS: PostRoads = {
  claim: () => -1,
  wordsOf: () => new Int32Array(0),
};

export interface ZoneEvent {
  name: string;
  tick: number;
  entity: number;
  other: number;
  a: number;
  b: number;
}

export interface HeadlessOptions {
  /** Of all chance in the zone. Default 1. */
  seed?: number;
  width?: number;
  height?: number;
  /** Given to the game's populate. */
  bots?: number;
  tickHz?: number;
  /** Room for entities. */
  rows?: number;
}

/** Somebody who plays in the zone. */
export interface ZonePlayer {
  /** Of its entity: zone.columns.score[player.row]. */
  readonly row: number;
  /** Applies a command at once. Returns a RejectCode: 0, or what the server's check or the game says. */
  send(name: string, payload?: Readonly<CommandPayload>): number;
  /** onLeave, and its entity goes. Nothing happens where it is gone already. */
  leave(reason?: LeaveReason): void;
  /** onJoin, as for a client that is back. */
  resume(who?: Partial<Who>): void;
}

export class HeadlessZone<F extends FieldDefinitions> {
  readonly zone: EngineZone<F>;
  private readonly world: WorldBuffer;
  private readonly index: Quadtree;
  private readonly eventRing: RecordRing;
  private readonly posts: ZonePosts | undefined;
  private playerCount = 0;

  constructor(
    readonly game: GameDefinition<F>,
    { seed = 1, width = 128, height = 128, bots = 0, tickHz = 60, rows = 4096 }: HeadlessOptions = {},
  ) {
    const layout = layOutLoneZone(game as unknown as GameDefinition, rows);
    this.world = new WorldBuffer(WorldBuffer.create(layout, 0), layout);
    this.index = new Quadtree({ originX: 0, originY: 0, width, height, leafSize: 8, capacity: layout.rowCapacity });
    this.eventRing = new RecordRing(RecordRing.create(EVENT_RECORDS, EVENT_RECORD_BYTES));
    const area = { x: 0, y: 0, width, height };
    this.zone = new EngineZone<F>({
      world: this.world,
      game,
      zoneCount: 1,
      ownCapacity: rows,
      area,
      worldWidth: width,
      worldHeight: height,
      tickHz,
      seed,
      index: this.index,
      events: this.eventRing,
    });
    this.posts = createPosts(this.zone as unknown as EngineZone);
    beginShared(this.zone as unknown as EngineZone);
    game.populate?.(this.zone, bots, area);
    this.rebuildIndex();
  }

  /** The game's fields, by name and row. */
  get columns(): Columns<F> {
    return this.zone.columns;
  }

  /** A new player, in the middle unless a place is given. `who` is what onJoin is told, where it matters. */
  join(x = this.zone.world.width / 2, y = this.zone.world.height / 2, who: Partial<Who> = {}): ZonePlayer {
    const row = spawnPlayer(this.zone as unknown as EngineZone, x, y);
    if (row < 0) throw new Error('spawnPlayer returned -1: there is no room');
    this.zone.owner[row] = ++this.playerCount;
    this.tell(row, who, this.playerCount);
    const key = this.zone.engine.key[row];
    return {
      row,
      send: (name, payload = {}) => this.applyChecked(row, name, payload),
      leave: (reason = 'left') => {
        if (this.zone.alive[row] === 0 || this.zone.engine.key[row] !== key) return;
        removePlayer(this.zone as unknown as EngineZone, row, LEAVE_REASONS.indexOf(reason));
      },
      resume: (again = {}) => this.tell(row, { ...who, reason: 'resumed', ...again }, this.zone.owner[row]),
    };
  }

  private tell(row: number, who: Partial<Who>, index: number): void {
    const { playerId, name, claims } = { ...testIdentity(index), ...who };
    const reason = JOIN_REASONS.indexOf(who.reason ?? 'new');
    tellJoined(this.zone as unknown as EngineZone, row, reason, { playerId, name, claims: JSON.stringify(claims) });
  }

  /** One tick; returns what the game said happened in it, and between the last tick and it. */
  step(): ZoneEvent[] {
    this.zone.tick++;
    this.posts?.deliver();
    this.zone.timers?.run(this.zone as unknown as EngineZone);
    for (const system of this.game.systems) system.run(this.zone);
    this.posts?.route(NO_ROADS);
    this.rebuildIndex();
    this.zone.publishEvents();
    return this.drainEvents();
  }

  run(ticks: number, eachTick: (events: ZoneEvent[]) => void = () => {}): void {
    for (let i = 0; i < ticks; i++) eachTick(this.step());
  }

  /** Applies a command as the engine would; payload values in the order of its unreserved fields. */
  command(row: number, name: string, ...values: number[]): number {
    const { command, layout } = this.findCommand(name);
    const named = layout.fields.filter((field) => !field.reserved).map((field, i) => [field.name, values[i]] as const);
    const bytes = encodeCommand(layout, Object.fromEntries(named), 1);
    return command.apply(this.zone, row, new DataView(bytes.buffer), CLIENT_HEADER_BYTES);
  }

  hash(): string {
    this.world.commit();
    return hashText(hashCommitted(this.world)!);
  }

  rebuildIndex(): void {
    const { alive, positionX, positionY, rowLimit } = this.zone;
    this.index.build(alive, positionX, positionY, 0, rowLimit);
  }

  rowsOfKind(kind: number): number[] {
    const rows: number[] = [];
    for (let row = 0; row < this.zone.rowLimit; row++) {
      if (this.zone.alive[row] !== 0 && this.zone.kind[row] === kind) rows.push(row);
    }
    return rows;
  }

  private applyChecked(row: number, name: string, payload: Readonly<CommandPayload>): number {
    const { command, layout } = this.findCommand(name);
    const view = new DataView(new ArrayBuffer(layout.bytes));
    const code = writeCommand(layout, payload, 1, view, 0);
    return code === 0 ? command.apply(this.zone, row, view, CLIENT_HEADER_BYTES) : code;
  }

  private findCommand(name: string): { command: CommandDefinition<F>; layout: CommandLayout } {
    const command = this.game.commands.find((candidate) => candidate.name === name);
    if (command === undefined) throw new Error(`no command ${name}`);
    return { command, layout: layOutCommand(command as CommandDefinition) };
  }

  private drainEvents(): ZoneEvent[] {
    const { view } = this.eventRing;
    const events: ZoneEvent[] = [];
    const count = this.eventRing.readable();
    for (let i = 0; i < count; i++) {
      const offset = this.eventRing.offsetOf(i);
      events.push({
        name: this.game.events[view.getUint16(offset + R.EVENT_TYPE, true)],
        tick: view.getInt32(offset + R.EVENT_TICK, true),
        entity: view.getUint32(offset + R.EVENT_ENTITY, true),
        other: view.getUint32(offset + R.EVENT_OTHER, true),
        a: view.getFloat64(offset + R.EVENT_A, true),
        b: view.getFloat64(offset + R.EVENT_B, true),
      });
    }
    this.eventRing.release(count);
    return events;
  }
}
