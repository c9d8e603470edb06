// Where every entity is, followed from commit to commit: born where its id is at home, on its way in one handoff ring, in
// one zone, or dead because a system let it die. Anything else is an entity that was lost or doubled. What a zone does
// between two commits counts when it is committed, so that a tick that was lost with its thread leaves nothing behind.

import { engineColumnsOf } from '../../../src/engine/entities/columns.js';
import { wireIdOfKey } from '../../../src/engine/entities/entity-key.js';
import type { WorldPlan } from '../../../src/engine/plan/world-plan.js';
import { type Block, WorldBuffer } from '../../../src/memory/world/world-buffer.js';
import { SCALAR_ROW_LIMIT, SCALAR_TICK } from '../../../src/memory/world/world-layout.js';
import { require } from './violation.js';

interface Place {
  zone: number;
  /** Committed as departed, to `zone`. */
  isOnItsWay: boolean;
}

export class Census {
  readonly places = new Map<number, Place>();
  private readonly died: Set<number>[];
  private readonly present: Set<number>[];
  private readonly lastTick: Int32Array;

  constructor(
    private readonly plan: WorldPlan,
    private readonly onDeath: (zone: number, key: number, tick: number) => void,
  ) {
    this.died = plan.worlds.map(() => new Set());
    this.present = plan.worlds.map(() => new Set());
    this.lastTick = new Int32Array(plan.worlds.length).fill(-1);
    for (const [zone, buffer] of plan.worlds.entries())
      this.begin(zone, new WorldBuffer(buffer, plan.layout).committed);
  }

  /** A world that was restored, or is new: all are where they are found, each once. */
  private begin(zone: number, block: Block): void {
    for (const key of this.keysOf(block).alive) {
      const other = this.places.get(key);
      require(other === undefined, 'nobody is doubled', () =>
        `${name(key)} begins in zones ${other?.zone} and ${zone}`);
      this.places.set(key, { zone, isOnItsWay: false });
      this.present[zone].add(key);
    }
  }

  despawned(zone: number, key: number): void {
    this.died[zone].add(key);
  }

  /** Since the zone's last commit, or what it goes on from. */
  deadOf(zone: number): Set<number> {
    return new Set(this.died[zone]);
  }

  /** What the zone's thread did since its last commit is as if it had not been. */
  lostThread(zone: number): void {
    this.died[zone].clear();
  }

  committed(zone: number, block: Block): void {
    const tick = block.scalars[SCALAR_TICK];
    require(tick > this.lastTick[zone], 'ticks rise', () => `zone ${zone}: ${tick} after ${this.lastTick[zone]}`);
    this.lastTick[zone] = tick;
    const { alive, departed } = this.keysOf(block);
    const before = this.present[zone];
    const now = new Set<number>();
    for (const key of alive) {
      require(!now.has(key), 'nobody is doubled', () => `${name(key)} twice in zone ${zone} at tick ${tick}`);
      now.add(key);
      if (!before.has(key)) this.enter(key, zone, tick);
      before.delete(key);
    }
    for (const [key, target] of departed) {
      const place = this.places.get(key);
      const isHere = place === undefined ? this.isHome(key, zone) : place.zone === zone || place.isOnItsWay;
      require(isHere, 'nobody is doubled', () => `${name(key)} leaves zone ${zone} at tick ${tick}, ${tell(place)}`);
      this.places.set(key, { zone: target, isOnItsWay: true });
      before.delete(key);
    }
    for (const key of before) {
      const isDead = this.died[zone].has(key);
      require(isDead, 'nobody is lost', () => `${name(key)} is gone from zone ${zone} at tick ${tick}`);
      this.places.delete(key);
    }
    for (const key of this.died[zone]) {
      this.onDeath(zone, key, tick);
      const place = this.places.get(key);
      if (place?.isOnItsWay && place.zone === zone) this.places.delete(key); // came and died within one tick
    }
    this.died[zone].clear();
    this.present[zone] = now;
  }

  private enter(key: number, zone: number, tick: number): void {
    const place = this.places.get(key);
    const isBorn = place === undefined && this.isHome(key, zone);
    const hasArrived = place?.isOnItsWay === true && place.zone === zone;
    require(isBorn || hasArrived, place === undefined ? 'nobody comes from nowhere' : 'nobody is doubled', () =>
      `${name(key)} is in zone ${zone} at tick ${tick}, ${tell(place)}`);
    this.places.set(key, { zone, isOnItsWay: false });
  }

  get onTheirWay(): number[] {
    return [...this.places].filter(([, { isOnItsWay }]) => isOnItsWay).map(([key]) => key);
  }

  private isHome(key: number, zone: number): boolean {
    return Math.floor(wireIdOfKey(key) / this.plan.layout.rowCapacity) === zone;
  }

  private keysOf(block: Block): { alive: number[]; departed: [number, number][] } {
    const { alive, key, departTo } = engineColumnsOf(block);
    const keys = { alive: [] as number[], departed: [] as [number, number][] };
    for (let row = 0; row < block.scalars[SCALAR_ROW_LIMIT]; row++) {
      if (alive[row] !== 0) keys.alive.push(key[row]);
      else if (departTo[row] !== 0) keys.departed.push([key[row], departTo[row] - 1]);
    }
    return keys;
  }
}

function name(key: number): string {
  return `entity ${wireIdOfKey(key)}.${key >>> 23}`;
}

function tell(place: Place | undefined): string {
  if (place === undefined) return 'and it was nowhere';
  return place.isOnItsWay ? `and it is on its way to zone ${place.zone}` : `and it is in zone ${place.zone}`;
}
