// What the checkpoints last knew of every entity, and what has changed since. Lives on the I/O thread; looks at committed
// blocks only, each of which it copies whole before it compares, so that no row is a mix of two ticks.
//
// The shadow is struct of arrays by wire id, not by row: an entity that walks into another zone stays in its place, and
// is the same entity there. Pages of ids that were never used are never touched.

import { type AnyColumn, copyElements } from '../../memory/world/column-types.js';
import { type ComponentsPlace, eachRun } from '../../memory/world/component-rows.js';
import type { WorldBuffer } from '../../memory/world/world-buffer.js';
import { SCALAR_ID_LIMIT, SCALAR_ROW_LIMIT, SCALAR_TICK } from '../../memory/world/world-layout.js';
import { WIRE_KINDS_MAX } from '../../protocol/limits.js';
import { WIRE_ID_BITS, WIRE_ID_MASK } from '../entity-name.js';
import { SNAPSHOT_COPY_ATTEMPTS } from '../snapshots/limits.js';

/** Where a changed row is to be read from; its arrays are overwritten by the next zone. */
export interface ZoneCopy {
  zone: number;
  tick: number;
  alive: Uint8Array;
  kind: Uint8Array;
  owner: Int32Array;
  key: Uint32Array;
  positionX: Float32Array;
  positionY: Float32Array;
  /** In the order of the field names. */
  fields: readonly AnyColumn[];
}

export interface ShadowListener {
  changed(key: number, row: number, copy: ZoneCopy): void;
  /** It was told of as changed before, or noted, and is no more, or is none that lasts any more. */
  gone(key: number): void;
}

const UNKNOWN = 0;
const KNOWN = 1;
/** Stored by an earlier process: it is there, but with what values nobody here knows. */
const NOTED = 2;

interface Copied {
  name: string;
  array: AnyColumn;
  /** Of rows without it nothing is copied. */
  component?: number | undefined;
}

export class EntityShadow {
  private readonly idCount: number;
  private readonly rowCapacity: number;
  private readonly copy: ZoneCopy;
  private readonly copied: readonly Copied[];
  private readonly idTaken: Uint8Array;
  private readonly idGeneration: Uint16Array;
  // By wire id.
  private readonly state: Uint8Array;
  private readonly key: Uint32Array;
  private readonly kind: Uint8Array;
  private readonly positionX: Float32Array;
  private readonly positionY: Float32Array;
  private readonly fields: readonly AnyColumn[];
  /** By field: values per row. */
  private readonly lengths: readonly number[];
  /** By kind: which of the fields it has. */
  private readonly fieldsOf: readonly Int32Array[];
  private readonly seenPass: Uint32Array;
  private readonly seenTick: Int32Array;
  private pass = 0;
  private copyRowLimit = 0;

  constructor(
    private readonly worlds: readonly WorldBuffer[],
    fieldNames: readonly string[],
    /** By kind: not 0 where its entities last whoever they belong to. */
    private readonly lastingKinds: Uint8Array,
  ) {
    const { layout, committed } = worlds[0];
    this.rowCapacity = layout.rowCapacity;
    this.idCount = worlds.length * layout.rowCapacity;
    const scratch = <T extends AnyColumn>(name: string): T =>
      sameType(committed.columns[name], committed.columns[name].length) as T;
    const fields = fieldNames.map((name) => scratch(name));
    this.copy = {
      zone: 0,
      tick: 0,
      alive: scratch('alive'),
      kind: scratch('kind'),
      owner: scratch('owner'),
      key: scratch('key'),
      positionX: scratch('positionX'),
      positionY: scratch('positionY'),
      fields,
    };
    const { alive, kind, owner, key, positionX, positionY } = this.copy;
    const engine = Object.entries({ alive, kind, owner, key, positionX, positionY });
    const componentOf = (name: string) => layout.columns.find((column) => column.name === name)?.component;
    this.copied = [
      ...engine.map(([name, array]) => ({ name, array })),
      ...fieldNames.map((name, i) => ({ name, array: fields[i], component: componentOf(name) })),
    ];
    this.idTaken = scratch('idTaken');
    this.idGeneration = scratch('idGeneration');
    this.state = new Uint8Array(this.idCount);
    this.key = new Uint32Array(this.idCount);
    this.kind = new Uint8Array(this.idCount);
    this.positionX = new Float32Array(this.idCount);
    this.positionY = new Float32Array(this.idCount);
    this.lengths = fields.map((field) => field.length / this.rowCapacity);
    this.fields = fields.map((field, i) => sameType(field, this.idCount * this.lengths[i]));
    this.fieldsOf = Array.from({ length: WIRE_KINDS_MAX }, (_, kind) => {
      const set = layout.components?.sets[kind] ?? 0;
      return Int32Array.from([...fieldNames.keys()].filter((i) => isOf(set, componentOf(fieldNames[i]))));
    });
    this.seenPass = new Uint32Array(this.idCount);
    this.seenTick = new Int32Array(this.idCount);
  }

  /**
   * Tells of everything that has changed since the last call. A zone that commits faster than it can be copied is left
   * out until the next call; returns how many were.
   */
  compare(listener: ShadowListener): number {
    this.pass++;
    let missed = 0;
    for (const world of this.worlds) {
      if (this.copyRows(world)) this.compareRows(this.copyRowLimit, listener);
      else missed++;
    }
    // What was seen in no zone is dead, or between two of them: whether its id is still taken at home tells which.
    for (const world of this.worlds) {
      if (this.copyIds(world)) this.findGone(world.zoneId * this.rowCapacity, listener);
    }
    return missed;
  }

  /** False: it is none of this world's, or another entity has its id now, and its row is to go. */
  noteStored(key: number): boolean {
    const id = key & WIRE_ID_MASK;
    if (id >= this.idCount) return false;
    if (this.state[id] !== UNKNOWN) return this.key[id] === key;
    this.state[id] = NOTED;
    this.key[id] = key;
    return true;
  }

  private copyRows(world: WorldBuffer): boolean {
    const { copy, copied } = this;
    for (let attempt = 0; attempt < SNAPSHOT_COPY_ATTEMPTS; attempt++) {
      const held = world.hold();
      const { scalars, columns } = world.committed;
      const rowLimit = scalars[SCALAR_ROW_LIMIT];
      copy.tick = scalars[SCALAR_TICK];
      for (const { name, array, component } of copied) {
        const length = array.length / this.rowCapacity;
        const copyRun = (start: number, end: number): void =>
          array.set(columns[name].subarray(start * length, end * length) as never, start * length);
        if (component === undefined) copyRun(0, rowLimit);
        else eachRun(columns, world.layout.components as ComponentsPlace, component, 0, rowLimit, copyRun);
      }
      if (world.isHeld(held)) {
        copy.zone = world.zoneId;
        this.copyRowLimit = rowLimit;
        return true;
      }
    }
    return false;
  }

  private copyIds(world: WorldBuffer): boolean {
    for (let attempt = 0; attempt < SNAPSHOT_COPY_ATTEMPTS; attempt++) {
      const held = world.hold();
      const { scalars, columns } = world.committed;
      const idLimit = scalars[SCALAR_ID_LIMIT];
      this.idTaken.set((columns.idTaken as Uint8Array).subarray(0, idLimit));
      this.idGeneration.set((columns.idGeneration as Uint16Array).subarray(0, idLimit));
      if (world.isHeld(held)) {
        this.idTaken.fill(0, idLimit);
        return true;
      }
    }
    return false;
  }

  /** @hot Once per row and checkpoint; what has not changed costs comparisons only. */
  private compareRows(rowLimit: number, listener: ShadowListener): void {
    const { copy, lastingKinds, state, key, seenPass, seenTick, pass } = this;
    const { alive, owner, kind, tick } = copy;
    for (let row = 0; row < rowLimit; row++) {
      if (alive[row] === 0) continue;
      const rowKey = copy.key[row];
      const id = rowKey & WIRE_ID_MASK;
      const isKnown = state[id] !== UNKNOWN && key[id] === rowKey;
      if (owner[row] <= 0 && lastingKinds[kind[row]] === 0) {
        if (isKnown) this.forget(id, listener);
        continue;
      }
      // One that walked over a border between the copies of two zones is in both: the later tick has it.
      if (isKnown && seenPass[id] === pass && seenTick[id] - tick >= 0) continue;
      seenPass[id] = pass;
      seenTick[id] = tick;
      if (isKnown && state[id] === KNOWN && !this.differs(row, id)) continue;
      if (!isKnown && state[id] !== UNKNOWN) this.forget(id, listener);
      this.remember(row, id);
      listener.changed(rowKey, row, copy);
    }
  }

  /** @hot */
  private differs(row: number, id: number): boolean {
    const { copy, fields, lengths } = this;
    const own = this.fieldsOf[copy.kind[row]];
    if (copy.kind[row] !== this.kind[id]) return true;
    if (copy.positionX[row] !== this.positionX[id] || copy.positionY[row] !== this.positionY[id]) return true;
    for (let n = 0; n < own.length; n++) {
      const i = own[n];
      const length = lengths[i];
      for (let element = 0; element < length; element++) {
        const now = copy.fields[i][row * length + element];
        const before = fields[i][id * length + element];
        // Not a number is the same as not a number here, or it would change for ever.
        // biome-ignore lint/suspicious/noSelfCompare: this is how a hot loop asks for NaN
        if (now !== before && (now === now || before === before)) return true;
      }
    }
    return false;
  }

  /** @hot */
  private remember(row: number, id: number): void {
    const { copy, fields, lengths } = this;
    this.state[id] = KNOWN;
    this.key[id] = copy.key[row];
    this.kind[id] = copy.kind[row];
    this.positionX[id] = copy.positionX[row];
    this.positionY[id] = copy.positionY[row];
    const own = this.fieldsOf[copy.kind[row]];
    for (let n = 0; n < own.length; n++) {
      const i = own[n];
      copyElements(copy.fields[i], row, fields[i], id, lengths[i]);
    }
  }

  /** @hot */
  private forget(id: number, listener: ShadowListener): void {
    this.state[id] = UNKNOWN;
    listener.gone(this.key[id]);
  }

  /** @hot Once per id of a zone and checkpoint. */
  private findGone(firstId: number, listener: ShadowListener): void {
    const { state, key, seenPass, pass, idTaken, idGeneration } = this;
    for (let local = 0; local < this.rowCapacity; local++) {
      const id = firstId + local;
      if (state[id] === UNKNOWN || seenPass[id] === pass) continue;
      // The key's bits above the id are as many of the generation as fit.
      const isTaken = idTaken[local] !== 0 && ((idGeneration[local] << WIRE_ID_BITS) ^ key[id]) >>> WIRE_ID_BITS === 0;
      if (!isTaken) this.forget(id, listener);
    }
  }
}

function isOf(set: number, component: number | undefined): boolean {
  return component === undefined || (set & (1 << component)) !== 0;
}

function sameType(column: AnyColumn, length: number): AnyColumn {
  return new (column.constructor as new (length: number) => AnyColumn)(length);
}
