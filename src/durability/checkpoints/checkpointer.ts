// Checkpoints: what lasts of entities goes to the cold store row by row, and only what has changed since it last went.
// A world that goes on keeps its rows; one that begins anew has a name, and rows, of its own.

import { nowMs } from '../../base/clock.js';
import { type ComponentForm, hasField } from '../../game/fields/components.js';
import { readStored, type StoredForm, type StoredValue } from '../../game/fields/stored-value.js';
import type { IoCounters } from '../../memory/tables/io-counters.js';
import type { WorldBuffer } from '../../memory/world/world-buffer.js';
import { WIRE_KINDS_MAX } from '../../protocol/limits.js';
import { pause } from '../../stores/deadline.js';
import type { ColdStore } from '../../stores/store-ports.js';
import { entityName, keyOfName } from '../entity-name.js';
import {
  dropWorld,
  ENTITIES_TABLE,
  encodeEntity,
  entityRowKey,
  listWorlds,
  putWorld,
  scanEntityNames,
  type WorldRow,
  worldName,
} from './entity-rows.js';
import { EntityShadow, type ZoneCopy } from './entity-shadow.js';
import { CHECKPOINT_WORLDS_KEPT } from './limits.js';
import { RowQueue } from './row-queue.js';
import { RowWriter } from './row-writer.js';

/** Two worlds may begin in one millisecond. */
function nameWorld(known: readonly WorldRow[], plan: CheckpointPlan): WorldRow {
  const { game, gameVersion, seed, worldId, startedAtMs } = plan;
  const taken = new Set(known.map(({ world }) => world));
  let ms = startedAtMs;
  while (taken.has(worldName(ms))) ms++;
  return { world: worldName(ms), game, gameVersion, seed, startedAtMs, worldId };
}

/** What of a world has checkpoints. Plain data: it is handed to the I/O thread. */
export interface CheckpointPlan {
  game: string;
  gameVersion: number;
  seed: number;
  worldId: string;
  kinds: readonly string[];
  /** By kind. */
  isLasting: readonly boolean[];
  /** Names of the persistent fields. */
  fields: readonly string[];
  /** Of those that are not one number. */
  forms?: Readonly<Record<string, StoredForm>>;
  /** Absent: every kind has every field. */
  components?: ComponentForm;
  /** When it began, if it has no rows yet. */
  startedAtMs: number;
}

export interface CheckpointerOptions {
  worlds: readonly WorldBuffer[];
  plan: CheckpointPlan;
  store: ColdStore;
  counters: IoCounters;
  say: (line: string) => void;
  /** Whether worlds that nobody goes on with may be told from those that live elsewhere: then the oldest go. */
  mayDrop?: () => boolean;
  pauseMsMin?: number;
  pauseMsMax?: number;
  lateMs?: number;
}

export class Checkpointer {
  private readonly shadow: EntityShadow;
  private readonly queue = new RowQueue();
  private readonly writer: RowWriter;
  private worldNow = '';
  /** Worlds that are to go, oldest first. */
  private old: string[] = [];
  private isDropping = false;

  constructor(private readonly options: CheckpointerOptions) {
    const { worlds, plan, store, counters, say, pauseMsMin, pauseMsMax, lateMs } = options;
    const lastingKinds = new Uint8Array(WIRE_KINDS_MAX);
    lastingKinds.set(plan.isLasting.map(Number));
    this.shadow = new EntityShadow(worlds, plan.fields, lastingKinds);
    this.writer = new RowWriter({
      store,
      table: ENTITIES_TABLE,
      queue: this.queue,
      keyOf: (key) => entityRowKey(this.worldNow, entityName(key)),
      prepare: () => this.open(),
      counters,
      say,
      ...(pauseMsMin === undefined ? {} : { pauseMsMin }),
      ...(pauseMsMax === undefined ? {} : { pauseMsMax }),
      ...(lateMs === undefined ? {} : { lateMs }),
    });
  }

  /** Name of the world whose rows these are; '' until the store has answered for the first time. */
  get world(): string {
    return this.worldNow;
  }

  /** Queues what has changed and sees to it that it is written. */
  take(): void {
    const { counters } = this.options;
    const start = nowMs();
    counters.add('checkpointFailures', this.shadow.compare(this));
    counters.add('checkpoints', 1);
    counters.set('checkpointMs', nowMs() - start);
    counters.set('checkpointRowsWaiting', this.queue.length);
    void this.writer.run();
    void this.dropOld();
  }

  /** Resolves when nothing waits any more; with a store that is away, not before it is back. */
  settled(): Promise<void> {
    return this.writer.run();
  }

  /** One last checkpoint, as far as the store takes it in this time. */
  async stop(withinMs: number): Promise<void> {
    this.writer.hurry();
    this.take();
    const patience = new AbortController();
    await Promise.race([this.settled(), pause(withinMs, patience.signal)]);
    patience.abort();
    this.writer.end();
    if (this.queue.length > 0) {
      this.options.say(`${this.queue.length} checkpoints of entities were not written before the end`);
    }
  }

  changed(key: number, row: number, copy: ZoneCopy): void {
    const { plan, counters } = this.options;
    const { forms = {}, components } = plan;
    const kind = copy.kind[row];
    const fields: Record<string, StoredValue> = {};
    for (const [i, name] of plan.fields.entries()) {
      if (hasField(components, kind, name)) fields[name] = readStored(copy.fields[i], row, forms[name]);
    }
    this.queue.put(
      key,
      encodeEntity({
        kind: plan.kinds[kind] ?? String(kind),
        zone: copy.zone,
        tick: copy.tick,
        positionX: copy.positionX[row],
        positionY: copy.positionY[row],
        fields,
      }),
    );
    counters.add('checkpointRowsChanged', 1);
  }

  gone(key: number): void {
    this.queue.delete(key);
  }

  /** Finds the world's name, what it has stored under it, and which older worlds are to go. May be tried again. */
  private async open(): Promise<void> {
    const { plan, store } = this.options;
    const known = await listWorlds(store);
    // By its id, whatever other worlds have been stored since.
    const own = known.findLast(({ worldId }) => worldId === plan.worldId);
    const world = own ?? nameWorld(known, plan);
    await putWorld(store, { ...world, gameVersion: plan.gameVersion });
    for await (const name of scanEntityNames(store, world.world)) this.note(name);
    this.worldNow = world.world;
    const others = known.map((other) => other.world).filter((other) => other !== world.world);
    this.old = others.slice(0, Math.max(0, others.length + 1 - CHECKPOINT_WORLDS_KEPT));
    void this.dropOld();
  }

  /** Beside the writing, which does not wait for it: they may have very many rows. What fails is tried again later. */
  private async dropOld(): Promise<void> {
    const { store, counters, mayDrop = () => true } = this.options;
    if (this.isDropping) return;
    this.isDropping = true;
    try {
      for (; this.old.length > 0 && mayDrop(); this.old.shift()) await dropWorld(store, this.old[0]);
    } catch {
      counters.add('checkpointFailures', 1);
    } finally {
      this.isDropping = false;
    }
  }

  private note(name: string): void {
    const key = keyOfName(name);
    if (key === undefined) return; // nobody here has written it
    this.queue.noteStored(key);
    if (!this.shadow.noteStored(key)) this.queue.delete(key);
  }
}
