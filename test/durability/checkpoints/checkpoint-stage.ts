// Zones written by hand and a store that fails as it is told, for tests of checkpoints.

import { Checkpointer, type CheckpointPlan } from '../../../src/durability/checkpoints/checkpointer.js';
import { type EntityRow, scanEntities } from '../../../src/durability/checkpoints/entity-rows.js';
import { placeComponents, specifyColumns } from '../../../src/engine/entities/columns.js';
import { makeKey } from '../../../src/engine/entities/entity-key.js';
import type { ComponentForm } from '../../../src/game/fields/components.js';
import { IoCounters } from '../../../src/memory/tables/io-counters.js';
import { LIVE_BLOCK, WorldBuffer } from '../../../src/memory/world/world-buffer.js';
import {
  layOutWorld,
  SCALAR_ID_LIMIT,
  SCALAR_ROW_LIMIT,
  SCALAR_TICK,
  type WorldLayout,
} from '../../../src/memory/world/world-layout.js';
import { type ColdRow, type ColdStore, PersistError } from '../../../src/stores/store-ports.js';

export const STAGE_ROWS = 4096;
export const PLAYER = 0;
export const CRATE = 1;
export const BULLET = 2;

export const STAGE_PLAN: CheckpointPlan = {
  game: 'stage',
  gameVersion: 1,
  seed: 7,
  worldId: '7b0cf7a8-6b1f-4d0a-9a53-0d6d1c5f6b11',
  kinds: ['player', 'crate', 'bullet'],
  isLasting: [false, true, false],
  fields: ['gold', 'luck'],
  startedAtMs: 1_700_000_000_000,
};

/** Two zones whose rows a test writes as it likes. */
export class Stage {
  readonly layout: WorldLayout;
  readonly worlds: WorldBuffer[];
  readonly counters = new IoCounters(IoCounters.create());
  readonly said: string[] = [];

  constructor(components?: ComponentForm) {
    const choice = components === undefined ? {} : { components };
    const columns = specifyColumns({ gold: { type: 'u32' }, luck: { type: 'f64' }, speed: { type: 'f32' } }, choice);
    this.layout = layOutWorld(columns, STAGE_ROWS, undefined, 0, placeComponents(choice));
    this.worlds = [0, 1].map((zone) => new WorldBuffer(WorldBuffer.create(this.layout, zone), this.layout));
  }

  checkpointer(store: ColdStore, plan: Partial<CheckpointPlan> = {}, pauseMs = { min: 5, max: 20 }): Checkpointer {
    return new Checkpointer({
      worlds: this.worlds,
      plan: { ...STAGE_PLAN, ...plan },
      store,
      counters: this.counters,
      say: (line) => this.said.push(line),
      pauseMsMin: pauseMs.min,
      pauseMsMax: pauseMs.max,
      lateMs: 500,
    });
  }

  /** The n-th id of the zone with this generation, alive in this row. Returns its key. */
  place(zone: number, row: number, home: number, n: number, generation: number, kind = PLAYER): number {
    const { scalars, columns } = this.worlds[zone].blocks[LIVE_BLOCK];
    const key = makeKey(home * STAGE_ROWS + n, generation);
    columns.alive[row] = 1;
    columns.kind[row] = kind;
    columns.owner[row] = kind === PLAYER ? n + 1 : 0;
    columns.key[row] = key;
    columns.positionX[row] = n;
    columns.positionY[row] = row;
    scalars[SCALAR_ROW_LIMIT] = Math.max(scalars[SCALAR_ROW_LIMIT], row + 1);
    this.takeId(home, n, generation);
    return key;
  }

  takeId(home: number, n: number, generation: number): void {
    const { scalars, columns } = this.worlds[home].blocks[LIVE_BLOCK];
    columns.idTaken[n] = 1;
    columns.idGeneration[n] = generation;
    scalars[SCALAR_ID_LIMIT] = Math.max(scalars[SCALAR_ID_LIMIT], n + 1);
  }

  freeId(home: number, n: number): void {
    this.worlds[home].blocks[LIVE_BLOCK].columns.idTaken[n] = 0;
  }

  set(zone: number, row: number, values: Record<string, number>): void {
    for (const [name, value] of Object.entries(values)) {
      this.worlds[zone].blocks[LIVE_BLOCK].columns[name][row] = value;
    }
  }

  commit(zone?: number): void {
    for (const world of this.worlds) {
      if (zone !== undefined && world.zoneId !== zone) continue;
      world.blocks[LIVE_BLOCK].scalars[SCALAR_TICK]++;
      world.commit();
    }
  }
}

type Sort = 'put' | 'delete' | 'scan';

/** Rows in memory. `onCall` may throw, or keep the call waiting. */
export class FaultyStore {
  readonly tables = new Map<string, Map<string, Uint8Array>>();
  /** Keys of each call that wrote entities, as it was made. */
  readonly calls: { sort: Sort; keys: string[] }[] = [];
  /** Those of them that the store took. */
  readonly done: string[][] = [];
  underWay = 0;
  underWayMax = 0;
  onCall: (sort: Sort, keys: readonly string[]) => Promise<void> | void = () => {};
  /** The next write of entities is not answered; a test does it when it likes. */
  isSilent = false;
  readonly unanswered: (() => void)[] = [];

  get port(): ColdStore {
    return this as unknown as ColdStore;
  }

  get entityKeys(): string[] {
    return [...this.table('entities').keys()].sort();
  }

  async putRows(table: string, rows: readonly ColdRow[]): Promise<void> {
    await this.call(
      table,
      'put',
      rows.map(({ key }) => key),
    );
    this.write(table, () => {
      for (const { key, value } of rows) this.table(table).set(key, value);
    });
  }

  async deleteRows(table: string, keys: readonly string[]): Promise<void> {
    await this.call(table, 'delete', keys);
    this.write(table, () => {
      for (const key of keys) this.table(table).delete(key);
    });
  }

  async getRows(table: string, keys: readonly string[]): Promise<(Uint8Array | undefined)[]> {
    return keys.map((key) => this.table(table).get(key));
  }

  async scanRows(table: string, prefix: string, afterKey: string, limit: number): Promise<ColdRow[]> {
    await this.onCall('scan', []);
    return [...this.table(table)]
      .map(([key, value]) => ({ key, value }))
      .filter(({ key }) => key.startsWith(prefix) && key > afterKey)
      .sort((a, b) => (a.key < b.key ? -1 : 1))
      .slice(0, limit);
  }

  async scanKeys(table: string, prefix: string, afterKey: string, limit: number): Promise<string[]> {
    return (await this.scanRows(table, prefix, afterKey, limit)).map(({ key }) => key);
  }

  private write(table: string, act: () => void): void {
    if (table !== 'entities' || !this.isSilent) {
      act();
      return;
    }
    this.isSilent = false;
    this.unanswered.push(act);
    throw new PersistError('timeout', 'the store does not answer');
  }

  private async call(table: string, sort: Sort, keys: readonly string[]): Promise<void> {
    if (table === 'entities') this.calls.push({ sort, keys: [...keys] });
    this.underWay++;
    this.underWayMax = Math.max(this.underWayMax, this.underWay);
    try {
      await new Promise((resolve) => setImmediate(resolve));
      await this.onCall(sort, keys);
      if (table === 'entities') this.done.push([...keys]);
    } finally {
      this.underWay--;
    }
  }

  private table(name: string): Map<string, Uint8Array> {
    const table = this.tables.get(name) ?? new Map<string, Uint8Array>();
    this.tables.set(name, table);
    return table;
  }
}

export function away(): never {
  throw new PersistError('unavailable', 'the store is away');
}

export async function readAll(store: ColdStore, world: string): Promise<Map<string, EntityRow>> {
  const rows = new Map<string, EntityRow>();
  for await (const row of scanEntities(store, world)) rows.set(row.entity, row);
  return rows;
}
