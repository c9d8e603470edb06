// One zone without threads, sockets or neighbours: the real Zone over a real world buffer, with a real index.

import { specifyColumns } from '../../src/engine/entities/columns.js';
import { Quadtree } from '../../src/engine/space/quadtree.js';
import { EngineZone } from '../../src/engine/zone/zone.js';
import type { CommandDefinition, FieldDefinitions, GameDefinition } from '../../src/game/definition.js';
import { EVENT_RECORD_BYTES } from '../../src/memory/limits.js';
import * as R from '../../src/memory/records/thread-records.js';
import { RecordRing } from '../../src/memory/rings/record-ring.js';
import { hashCommitted, hashText } from '../../src/memory/world/state-hash.js';
import { WorldBuffer } from '../../src/memory/world/world-buffer.js';
import { layOutWorld } from '../../src/memory/world/world-layout.js';
import { encodeCommand, layOutCommand } from '../../src/protocol/fb/command-layout.js';
import { CLIENT_HEADER_BYTES } from '../../src/protocol/limits.js';

const EVENT_RECORDS = 65536;

export interface ZoneEvent {
  name: string;
  tick: number;
  entity: number;
  other: number;
  a: number;
  b: number;
}

export interface HeadlessOptions {
  seed: number;
  width?: number;
  height?: number;
  bots?: number;
  tickHz?: number;
  rows?: number;
}

export class HeadlessZone<F extends FieldDefinitions> {
  readonly zone: EngineZone<F>;
  private readonly world: WorldBuffer;
  private readonly index: Quadtree;
  private readonly eventRing: RecordRing;

  constructor(
    readonly game: GameDefinition<F>,
    { seed, width = 128, height = 128, bots = 0, tickHz = 60, rows = 4096 }: HeadlessOptions,
  ) {
    const layout = layOutWorld(specifyColumns(game.fields), rows);
    this.world = new WorldBuffer(WorldBuffer.create(layout, 0), layout);
    this.index = new Quadtree({ originX: 0, originY: 0, width, height, leafSize: 8, capacity: rows });
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
    game.populate?.(this.zone, bots, area);
    this.rebuildIndex();
  }

  /** One tick; returns what the game said happened in it, and between the last tick and it. */
  step(): ZoneEvent[] {
    this.zone.tick++;
    for (const system of this.game.systems) system.run(this.zone);
    this.rebuildIndex();
    this.zone.publishEvents();
    return this.drainEvents();
  }

  run(ticks: number, eachTick: (events: ZoneEvent[]) => void = () => {}): void {
    for (let i = 0; i < ticks; i++) eachTick(this.step());
  }

  /** Applies a command as the engine would; payload values in the order of its unreserved fields. */
  command(row: number, name: string, ...values: number[]): number {
    const command = this.game.commands.find((candidate) => candidate.name === name);
    if (command === undefined) throw new Error(`no command ${name}`);
    const layout = layOutCommand(command as CommandDefinition);
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
