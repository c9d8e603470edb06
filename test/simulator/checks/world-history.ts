// What each zone had committed, tick by tick, for as long as a recovery may go back to it: every living entity with a sum
// over its cells. A world that the journal brought to a tick is that tick's world, whole.

import type { ZoneSnapshot } from '../../../src/durability/snapshots/zone-snapshot.js';
import { engineColumnsOf } from '../../../src/engine/entities/columns.js';
import { wireIdOfKey } from '../../../src/engine/entities/entity-key.js';
import type { WorldPlan } from '../../../src/engine/plan/world-plan.js';
import type { Block } from '../../../src/memory/world/world-buffer.js';
import { WorldBuffer } from '../../../src/memory/world/world-buffer.js';
import { SCALAR_ROW_LIMIT, SCALAR_TICK } from '../../../src/memory/world/world-layout.js';
import { require } from './violation.js';

const TICKS_KEPT = 400;
const words = new Int32Array(2);
const float = new Float64Array(words.buffer);

type Sums = ReadonlyMap<number, number>;

/** What a zone is brought to. */
interface Stand {
  tick: number;
  sums: Sums;
  /** Who died in this tick, as long as it is only written down. */
  died: ReadonlySet<number>;
}

const NOBODY: ReadonlySet<number> = new Set();

export class WorldHistory {
  private readonly ticks: Map<number, Stand>[];
  /** In ticks that were committed. */
  private readonly deaths = new Map<number, { zone: number; tick: number }>();
  /** When each was last committed as departed. */
  private readonly departures = new Map<number, number>();
  /** By zone: the tick that was written down last and is not committed yet. */
  private readonly uncommitted = new Map<number, number>();
  /** By zone: ticks that were written down and lost with their thread, and whose place a successor's record has. */
  private readonly replaced: Stand[][];
  private readonly names: readonly string[];

  constructor(plan: WorldPlan) {
    this.ticks = plan.worlds.map(() => new Map());
    this.replaced = plan.worlds.map(() => []);
    this.names = plan.layout.columns.filter(({ role }) => role === undefined).map(({ name }) => name);
    for (const [zone, buffer] of plan.worlds.entries())
      this.committed(zone, new WorldBuffer(buffer, plan.layout).committed);
  }

  committed(zone: number, block: Block): void {
    const tick = block.scalars[SCALAR_TICK];
    // A successor begins with what was committed before: until it writes, what its predecessor wrote last still counts.
    if (this.uncommitted.get(zone) === tick) this.uncommitted.delete(zone);
    this.ticks[zone].set(tick, { tick, sums: this.sum(block), died: NOBODY });
    const { departTo, key } = engineColumnsOf(block);
    for (let row = 0; row < block.scalars[SCALAR_ROW_LIMIT]; row++) {
      if (departTo[row] !== 0) this.departures.set(key[row], tick);
    }
    this.ticks[zone].delete(tick - TICKS_KEPT);
  }

  get lastTick(): number {
    return Math.max(...this.ticks.map((ticks) => Math.max(...ticks.keys())));
  }

  /** A recovery may bring the world to a tick that was written down and not committed any more, and `died` are dead there. */
  journaled(zone: number, live: Block, died: ReadonlySet<number>): void {
    const tick = live.scalars[SCALAR_TICK];
    const former = this.uncommitted.get(zone);
    if (former !== undefined) {
      // Its thread was lost in between. Its successor's record stands for that one, if it comes to the disk.
      this.replaced[zone].push(this.ticks[zone].get(former) as Stand);
      this.ticks[zone].delete(former);
    }
    this.ticks[zone].set(tick, { tick, sums: this.sum(live), died });
    this.uncommitted.set(zone, tick);
  }

  died(zone: number, key: number, tick: number): void {
    this.deaths.set(key, { zone, tick });
  }

  /** What the journal brought each zone to is what it was. */
  checkZones(plan: WorldPlan, tick: number): void {
    this.findStands(plan, tick);
  }

  /** Returns how many were lost in a way that is known. `plan` holds the recovered world, which stands at `tick`; a zone may have had a snapshot that was ahead of it. */
  checkRecovered(plan: WorldPlan, tick: number): number {
    const { recovered, stands } = this.findStands(plan, tick);
    const everybody = new Set(recovered.flatMap((sums) => [...sums.keys()]));
    const expected = new Set<number>();
    let waiting = 0;
    for (const [zone, ticks] of this.ticks.entries()) {
      for (const key of stands[zone].sums.keys()) expected.add(key);
      for (const [at, { sums }] of ticks) if (at < stands[zone].tick) for (const key of sums.keys()) expected.add(key);
    }
    for (const key of expected) {
      const death = this.deaths.get(key);
      const isLongDead = death !== undefined && death.tick <= stands[death.zone].tick;
      const isDead = isLongDead || stands.some(({ died }) => died.has(key));
      // Known: who left before what the recovery goes on from, and waits for a zone that takes nobody in, is nowhere.
      if (!isDead && !everybody.has(key) && (this.departures.get(key) ?? tick) < tick) {
        waiting++;
        continue;
      }
      require(isDead || everybody.has(key), 'the journal brings everybody back', () =>
        `${this.tell(key)}, zones are at ${stands.map((stand) => stand.tick)}`);
    }
    for (const key of tick === 0 ? [] : everybody) {
      // (A world that was killed before its first tick is given its first life again.)
      require(expected.has(key) || this.departures.has(key), 'the journal makes nobody up', () =>
        `${this.tell(key)}, zones are at ${stands.map((stand) => stand.tick)}`);
    }
    return waiting;
  }

  private findStands(plan: WorldPlan, tick: number): { recovered: Sums[]; stands: Stand[] } {
    const recovered = plan.worlds.map((buffer) => this.sum(new WorldBuffer(buffer, plan.layout).committed));
    const holders = new Map<number, number>(); // by id: one that was given out anew is nobody else's any more
    for (const [zone, sums] of recovered.entries()) for (const key of sums.keys()) holders.set(wireIdOfKey(key), zone);
    const stands = recovered.map((now, zone) => this.findStand(zone, now, tick, holders));
    // Zones that cannot be brought to one tick may both have it: the later one keeps it.
    for (const [zone, { tick: at, sums }] of stands.entries()) {
      for (const key of sums.keys()) {
        const holder = recovered[zone].has(key) ? undefined : holders.get(wireIdOfKey(key));
        require(holder === undefined ||
          stands[holder].tick >= at, 'whoever was in two zones stays in the later one', () =>
          `${this.tell(key)}, zones are at ${stands.map((stand) => stand.tick)}`);
      }
    }
    return { recovered, stands };
  }

  /** When the zone was as it is now, but for who was on the way, and who lives in another zone. */
  private findStand(zone: number, now: Sums, tick: number, holders: ReadonlyMap<number, number>): Stand {
    const stands = [...this.ticks[zone].values()].sort((a, b) => a.tick - b.tick);
    // A zone that skipped ticks stood still meanwhile.
    const first = Math.max(
      0,
      stands.findLastIndex((stand) => stand.tick <= tick),
    );
    const order = [...stands.slice(first), ...stands.slice(0, first).reverse(), ...this.replaced[zone]];
    const othersOf = ({ sums }: Stand): number[] =>
      [...sums]
        .filter(([key, sum]) => now.get(key) !== sum && (now.has(key) || !holders.has(wireIdOfKey(key))))
        .map(([key]) => key);
    const found = order.find((stand) => othersOf(stand).length === 0);
    require(found !== undefined, 'the journal brings back what was', () => {
      const others = othersOf(stands[first]);
      const count = stands[first].sums.size;
      return `zone ${zone} at tick ${stands[first].tick} of ${tick}: ${others.slice(0, 5)} of ${count} are others`;
    });
    return found as Stand;
  }

  /** Undefined, or what of a snapshot was never committed so. */
  differenceOf(snapshot: ZoneSnapshot): string | undefined {
    const { zone, tick, rows } = snapshot.header;
    const then = this.ticks[zone].get(tick)?.sums;
    if (then === undefined) return `tick ${tick} was never committed`;
    const now = this.sumCells((name) => snapshot.columns.get(name) as ArrayLike<number>, rows);
    if (now.size !== then.size) return `${now.size} live at tick ${tick}, ${then.size} did`;
    for (const [key, sum] of then) if (now.get(key) !== sum) return `${key} was another at tick ${tick}`;
    return undefined;
  }

  private tell(key: number): string {
    const seen = this.ticks.map((ticks, zone) => {
      const at = [...ticks].filter(([, { sums }]) => sums.has(key)).map(([tick]) => tick);
      return at.length === 0 ? '' : ` in zone ${zone} from tick ${Math.min(...at)} to ${Math.max(...at)}`;
    });
    return `entity ${wireIdOfKey(key)}.${key >>> 23} was${seen.join('') || ' nowhere'}`;
  }

  private sum(block: Block): Map<number, number> {
    return this.sumCells((name) => block.columns[name] as ArrayLike<number>, block.scalars[SCALAR_ROW_LIMIT]);
  }

  private sumCells(cellsOf: (name: string) => ArrayLike<number>, rows: number): Map<number, number> {
    const alive = cellsOf('alive');
    const key = cellsOf('key');
    const columns = this.names.map(cellsOf);
    const sums = new Map<number, number>();
    for (let row = 0; row < rows; row++) {
      if (alive[row] === 0) continue;
      let sum = 0x811c9dc5;
      for (const column of columns) {
        float[0] = column[row];
        sum = Math.imul(Math.imul(sum ^ words[0], 0x01000193) ^ words[1], 0x01000193);
      }
      sums.set(key[row], sum);
    }
    return sums;
  }
}
