// One zone as the game sees it: its rows, spawning and despawning, chance, queries, events. Lives on the zone's tick thread;
// its state is the live block of the world buffer, so that a commit and a restore carry all of it.
//
// Rows [0, ownCapacity) are this zone's. Rows from ownCapacity on mirror entities of neighbours near the border
// (mirrors.ts): they are in the index and in view, but no system writes them. They are
// committed with the rest, since systems saw them: so a restored zone goes on exactly as it would have.

import type { Area } from '../../base/area.js';
import { assert } from '../../base/assert.js';
import { nextFloat, seedState } from '../../base/chance.js';
import type {
  CellEvent,
  Columns,
  FieldDefinitions,
  GameDefinition,
  GroundQueries,
  Zone,
} from '../../game/definition.js';
import { readText, textBytesOf, writeText } from '../../game/fields/text-field.js';
import { putEvent } from '../../memory/records/event-record.js';
import type { RecordRing } from '../../memory/rings/record-ring.js';
import { COUNTER } from '../../memory/tables/zone-counters.js';
import { LIVE_BLOCK, type WorldBuffer } from '../../memory/world/world-buffer.js';
import {
  CLAIM_OF_EVENTS,
  SCALAR_ENTITY_COUNT,
  SCALAR_ID_LIMIT,
  SCALAR_MIRROR_FIRST,
  SCALAR_MIRROR_LIMIT,
  SCALAR_RANDOM,
  SCALAR_ROW_LIMIT,
  SCALAR_TICK,
} from '../../memory/world/world-layout.js';
import { DEPART_TO_CELL, type EngineColumns, engineColumnsOf } from '../entities/columns.js';
import { EntityIds } from '../entities/entity-ids.js';
import { makeKey, wireIdOfKey } from '../entities/entity-key.js';
import { KindRows } from '../entities/kind-rows.js';
import { ENTITIES_PER_ZONE_MAX, INDEX_SLACK } from '../limits.js';
import { SpaceQueries } from '../space/space-queries.js';
import { buildGround } from './game-fault.js';
import { ZoneMail } from './zone-mail.js';

/** What the zone asks of the spatial index; interest/ has it. */
export interface SpatialIndex {
  queryCircle(x: number, y: number, radius: number, out: Int32Array): number;
  queryBox(minX: number, minY: number, maxX: number, maxY: number, out: Int32Array): number;
}

/** What the zone asks of its cells; zone-cells.ts has it. */
export interface CellSense {
  isLive(x: number, y: number): boolean;
  tell(event: CellEvent): boolean;
}

export interface ZoneOptions<F extends FieldDefinitions> {
  world: WorldBuffer;
  game: GameDefinition<F>;
  zoneCount: number;
  /** Rows that are this zone's; the rest of the buffer's rows are for mirrors. */
  ownCapacity: number;
  area: Area;
  worldWidth: number;
  worldHeight: number;
  tickHz: number;
  seed: number;
  index: SpatialIndex;
  /** How far across its borders the zone sees. */
  margin?: number;
  events: RecordRing;
  /** Default: those in the world buffer. A replay has its own, since nothing of it happens now. */
  counters?: Float64Array | undefined;
}

export class EngineZone<F extends FieldDefinitions = FieldDefinitions> extends ZoneMail implements Zone<F> {
  readonly id: number;
  readonly dt: number;
  readonly tickHz: number;
  readonly world: { readonly width: number; readonly height: number };
  readonly area: Area;
  readonly ownCapacity: number;
  readonly rowCapacity: number;
  readonly zoneCount: number;
  readonly game: GameDefinition<F>;
  readonly buffer: WorldBuffer;
  readonly counters: Float64Array;
  readonly scalars: Int32Array;
  readonly globals: Float64Array;
  readonly engine: EngineColumns;
  readonly alive: Uint8Array;
  readonly kind: Uint8Array;
  readonly owner: Int32Array;
  readonly positionX: Float32Array;
  readonly positionY: Float32Array;
  readonly columns: Columns<F>;
  /** By wire id: row + 1 of the entity here, own or mirror; 0 when it is not here. */
  readonly rowOfId: Int32Array;
  /** Undefined: the world is not cut into cells. */
  cells: CellSense | undefined;
  /** Ids of entities born elsewhere that died here, on their way home: zone and local id in one wire id. Committed with the tick. */
  readonly idsToReturn: number[];
  /** Told of every row that begins to stand for another entity, so that what others remember of it is forgotten. */
  onRowReset: (row: number) => void = () => {};
  /** Told of a key that is about to stand for an own row: whatever else has its id here must go. */
  onKeyTaken: (key: number) => void = () => {};
  /** Told of a row that is about to be freed. */
  onDespawn: (row: number) => void = () => {};
  private readonly rows: KindRows;
  private readonly ids: EntityIds;
  readonly ground: GroundQueries;
  private readonly index: SpatialIndex;
  private readonly queries: SpaceQueries;
  private readonly events: RecordRing;
  private rowLimitNow = 0;
  private tickNow = 0;
  private eventPosition = 0;

  constructor(options: ZoneOptions<F>) {
    const { world, game } = options;
    super(world.blocks[LIVE_BLOCK], game, options.ownCapacity, options.tickHz, world.layout.rowCapacity, world.zoneId);
    assert(world.layout.rowCapacity <= ENTITIES_PER_ZONE_MAX, 'every row can have an id', world.layout.rowCapacity);
    this.buffer = world;
    this.game = game;
    this.id = world.zoneId;
    this.tickHz = options.tickHz;
    this.dt = 1 / options.tickHz;
    this.world = { width: options.worldWidth, height: options.worldHeight };
    this.area = options.area;
    this.ownCapacity = options.ownCapacity;
    this.rowCapacity = world.layout.rowCapacity;
    this.zoneCount = options.zoneCount;
    this.counters = options.counters ?? world.counters;
    this.idsToReturn = world.returningIds;
    const live = world.blocks[LIVE_BLOCK];
    this.scalars = live.scalars;
    this.globals = live.globals;
    this.engine = engineColumnsOf(live);
    this.alive = this.engine.alive;
    this.kind = this.engine.kind;
    this.owner = this.engine.owner;
    this.positionX = this.engine.positionX;
    this.positionY = this.engine.positionY;
    this.columns = live.columns as unknown as Columns<F>;
    this.rowOfId = new Int32Array(options.zoneCount * this.rowCapacity);
    this.rows = new KindRows(options.ownCapacity, live, game, world.layout.components);
    const idCapacity = this.rowCapacity - (this.sharedRow < 0 ? 0 : 1);
    const { idTaken, idFreed } = this.engine;
    this.ids = new EntityIds(idCapacity, options.tickHz, idTaken, idFreed, this.counters);
    this.index = options.index;
    this.ground = buildGround(this as never, options.seed, options.margin ?? 0);
    this.queries = new SpaceQueries(this.index, this.alive, this.kind, this.positionX, this.positionY, INDEX_SLACK);
    this.events = options.events;
    if (this.scalars[SCALAR_RANDOM] === 0) seedState(this.scalars, SCALAR_RANDOM, options.seed + this.id);
    this.attach();
  }

  get tick(): number {
    return this.tickNow;
  }

  get rowLimit(): number {
    return this.rowLimitNow;
  }

  get entityCount(): number {
    return this.scalars[SCALAR_ENTITY_COUNT];
  }

  set tick(tick: number) {
    this.timers?.beginTick(tick);
    this.tickNow = tick;
    this.ids.rise(tick);
    this.rows.sort();
    this.eventPosition = 0;
    this.scalars[SCALAR_TICK] = tick;
  }

  /** Derives what is private to this thread from the live block. */
  private attach(): void {
    const { alive, departTo, key } = this.engine;
    this.tickNow = this.scalars[SCALAR_TICK];
    const rowLimit = this.scalars[SCALAR_ROW_LIMIT];
    for (let row = 0; row < rowLimit; row++) {
      if (alive[row] !== 0) {
        this.rowOfId[wireIdOfKey(key[row])] = row + 1;
      }
      if (alive[row] !== 0 || departTo[row] !== 0) {
        this.rows.mark(row);
      }
    }
    this.rows.sort();
    this.ids.attach(this.scalars[SCALAR_ID_LIMIT], this.tickNow);
    this.scalars[SCALAR_MIRROR_FIRST] = this.ownCapacity;
    this.storeLimits();
  }

  spawn(kind: number, x: number, y: number): number {
    const row = this.bear(kind, x, y);
    if (row < 0) {
      this.counters[COUNTER.spawnsRefused]++;
    }
    return row;
  }

  /** The same for those who ask again: a refusal is not counted. */
  bear(kind: number, x: number, y: number): number {
    const localId = this.ids.take();
    const row = localId < 0 ? -1 : this.rows.takeFor(kind);
    if (row < 0) {
      if (localId >= 0) this.ids.putBack(localId);
      return -1;
    }
    this.place(row, this.giveKey(localId), kind, x, y);
    this.storeLimits();
    return row;
  }

  /** The shared record, which has no row among the zone's own. */
  bearShared(kind: number): void {
    this.place(this.sharedRow, this.sharedKey, kind, 0, 0);
    this.scalars[SCALAR_ENTITY_COUNT]--;
    this.scalars[SCALAR_MIRROR_LIMIT] = Math.max(this.scalars[SCALAR_MIRROR_LIMIT], this.sharedRow + 1);
  }

  /** A row for an entity that already has a key: it comes from another zone. -1 when there is none. */
  adopt(key: number, kind: number): number {
    const row = this.rows.takeFor(kind);
    if (row >= 0) {
      this.place(row, key, kind, 0, 0);
      this.storeLimits();
    }
    return row;
  }

  /** It has been of another kind until now. */
  become(row: number, kind: number): void {
    this.rows.reset(row, kind, this.kind[row]);
    this.kind[row] = kind;
  }

  despawn(row: number): void {
    assert(row >= 0 && row < this.ownCapacity && this.alive[row] !== 0, 'only a living row of this zone dies', row);
    this.onDespawn(row);
    const wireId = wireIdOfKey(this.engine.key[row]);
    if (this.rowOfId[wireId] === row + 1) this.rowOfId[wireId] = 0;
    this.returnId(wireId);
    this.freeRow(row);
  }

  /** The row's entity is another zone's from now on; its row stays taken until its record is on its way. */
  depart(row: number, targetZone: number, sequence: number): void {
    const wireId = wireIdOfKey(this.engine.key[row]);
    if (this.rowOfId[wireId] === row + 1) {
      this.rowOfId[wireId] = 0; // no mirror stands for it, so nothing here does
    }
    this.posts?.departing(this.engine.key[row], targetZone);
    this.engine.departTo[row] = targetZone + 1;
    this.engine.departSequence[row] = sequence;
    this.alive[row] = 0;
    this.scalars[SCALAR_ENTITY_COUNT]--;
  }

  /** Frees a row that departed. */
  forgetDeparted(row: number): void {
    this.engine.departTo[row] = 0;
    this.rows.give(row);
    this.storeLimits();
  }

  /** The row stands still for as long as its cell is on its way to the store. It keeps its row and its id. */
  park(row: number): void {
    assert(this.alive[row] !== 0 && this.owner[row] === 0, 'only what belongs to nobody rests', row);
    this.onDespawn(row);
    this.rowOfId[wireIdOfKey(this.engine.key[row])] = 0;
    this.engine.departTo[row] = DEPART_TO_CELL;
    this.alive[row] = 0;
    this.scalars[SCALAR_ENTITY_COUNT]--;
  }

  /** It goes on where it stood. */
  unpark(row: number): void {
    const key = this.engine.key[row];
    this.onKeyTaken(key);
    this.engine.departTo[row] = 0;
    this.alive[row] = 1;
    this.rowOfId[wireIdOfKey(key)] = row + 1;
    this.scalars[SCALAR_ENTITY_COUNT]++;
    this.onRowReset(row);
  }

  /** The store has it: row and id are free. */
  releaseParked(row: number): void {
    this.engine.departTo[row] = 0;
    this.rows.give(row);
    this.returnId(wireIdOfKey(this.engine.key[row]));
    this.storeLimits();
  }

  /** An id that was given out here is free again. */
  takeIdBack(localId: number): void {
    this.posts?.freed(localId);
    this.ids.give(localId, this.tickNow);
    this.storeLimits();
  }

  textOf(field: keyof F & string, row: number): string {
    return readText(this.columns[field] as Uint8Array, row, textBytesOf(this.game.fields, field));
  }

  setText(field: keyof F & string, row: number, text: string): boolean {
    return writeText(this.columns[field] as Uint8Array, row, textBytesOf(this.game.fields, field), text);
  }

  refOf(row: number): number {
    return this.engine.key[row];
  }

  rowOfRef(ref: number): number {
    const row = this.rowOfId[wireIdOfKey(ref)] - 1;
    return ref !== 0 && row >= 0 && this.engine.key[row] === ref ? row : -1;
  }

  wireIdOf(row: number): number {
    return wireIdOfKey(this.engine.key[row]);
  }

  queryCircle(x: number, y: number, radius: number, out: Int32Array): number {
    return this.index.queryCircle(x, y, radius, out);
  }

  queryBox(minX: number, minY: number, maxX: number, maxY: number, out: Int32Array): number {
    return this.index.queryBox(minX, minY, maxX, maxY, out);
  }

  nearest(x: number, y: number, radius: number, kinds: number, out: Int32Array): number {
    return this.queries.nearest(x, y, radius, kinds, out);
  }

  firstHit(
    x: number,
    y: number,
    stepX: number,
    stepY: number,
    reach: number,
    kinds: number,
    exceptRow: number,
  ): number {
    return this.queries.firstHit(x, y, stepX, stepY, reach, kinds, exceptRow);
  }

  get hitAt(): number {
    return this.queries.hitAt;
  }

  isCellLive(x: number, y: number): boolean {
    return this.cells === undefined || this.cells.isLive(x, y);
  }

  tellCell(x: number, y: number, kind: number, a: number, b: number): boolean {
    const event = { x, y, kind, a, b, tick: this.tickNow };
    if (this.cells !== undefined) return this.cells.tell(event);
    this.game.applyToCell?.(this, event);
    return true;
  }

  random(): number {
    return nextFloat(this.scalars, SCALAR_RANDOM);
  }

  emit(type: number, row: number, otherRow: number, valueA: number, valueB: number): void {
    const { events } = this;
    const offset = events.claim();
    if (offset < 0) {
      this.counters[COUNTER.eventsDropped]++;
      this.eventPosition++; // those that follow keep their names
      return;
    }
    const key = row < 0 ? 0 : this.engine.key[row];
    const otherKey = otherRow < 0 ? 0 : this.engine.key[otherRow];
    putEvent(events.view, offset, type, this.id, this.tickNow, key, otherKey, valueA, valueB, this.eventPosition++);
    this.counters[COUNTER.eventsEmitted]++;
  }

  /** Before the commit: events up to here belong to it. */
  claimEvents(): void {
    this.buffer.claims[CLAIM_OF_EVENTS] = this.events.claimedCount();
  }

  /** After a restore: events of a committed tick that a dead thread did not come to publish. */
  recoverEvents(): void {
    this.events.publishUpTo(this.buffer.claims[CLAIM_OF_EVENTS]);
  }

  /** Makes the tick's events readable. */
  publishEvents(): void {
    this.events.publish();
  }

  private place(row: number, key: number, kind: number, x: number, y: number): void {
    const { engine } = this;
    this.onKeyTaken(key);
    engine.key[row] = key;
    engine.kind[row] = kind;
    engine.owner[row] = 0;
    engine.ownerGeneration[row] = 0;
    engine.positionX[row] = x;
    engine.positionY[row] = y;
    engine.departTo[row] = 0;
    this.beginSight(row);
    this.rows.reset(row, kind);
    engine.alive[row] = 1;
    this.rowOfId[wireIdOfKey(key)] = row + 1;
    this.scalars[SCALAR_ENTITY_COUNT]++;
    this.onRowReset(row);
  }

  /** The next key of a local id. 0 names no entity. */
  private giveKey(localId: number): number {
    const key = makeKey(this.id * this.rowCapacity + localId, ++this.engine.idGeneration[localId]);
    return key === 0 ? this.giveKey(localId) : key;
  }

  private freeRow(row: number): void {
    this.alive[row] = 0;
    this.rows.give(row);
    this.scalars[SCALAR_ENTITY_COUNT]--;
    this.storeLimits();
  }

  private returnId(wireId: number): void {
    const home = Math.floor(wireId / this.rowCapacity);
    if (home === this.id) {
      this.takeIdBack(wireId - home * this.rowCapacity);
    } else {
      this.idsToReturn.push(wireId);
    }
  }

  private storeLimits(): void {
    this.rowLimitNow = this.rows.limit;
    this.scalars[SCALAR_ROW_LIMIT] = this.rows.limit;
    // Never lower: the generation of an id that is free now must be known when it is given out again.
    this.scalars[SCALAR_ID_LIMIT] = Math.max(this.scalars[SCALAR_ID_LIMIT], this.ids.limit);
  }
}
