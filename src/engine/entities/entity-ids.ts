// The local ids of a zone. An id that becomes free rests before it is given out again, so that no reference means somebody else
// for a day: its generation is one of 512, and comes round when the id has been given out 512 times, each time after a rest.
//
// All of it follows from the columns (idTaken, idFreed) and the tick: the lowest free id that has rested is next. So a successor and
// a replay give out the same. When every id is taken or rests, those that have rested longest are free at once (idsHurried).

import { COUNTER } from '../../memory/tables/zone-counters.js';
import { FreeBitmap } from './free-bitmap.js';
import { ID_REST_SECONDS } from './limits.js';

/** idFreed: 0, or 1 + the second of the world, modulo this, in which the id became free; far more than a rest is long. */
const SECONDS = 65535;

export class EntityIds {
  private readonly places: FreeBitmap;
  /** Ids that rest, from the one that began first; as many as there are, round and round. */
  private readonly resting: Int32Array;
  private head = 0;
  private count = 0;

  constructor(
    private readonly capacity: number,
    private readonly tickHz: number,
    private readonly taken: Uint8Array,
    private readonly freed: Uint16Array,
    private readonly counters: Float64Array,
  ) {
    this.places = new FreeBitmap(capacity);
    this.resting = new Int32Array(capacity);
  }

  /** One past the highest id that is taken or rests. */
  get limit(): number {
    return this.places.limit;
  }

  /** Takes up what the columns say of the ids below `limit`. */
  attach(limit: number, tick: number): void {
    const { taken, freed, places } = this;
    const now = this.secondOf(tick);
    const resting: number[] = [];
    for (let id = 0; id < Math.min(limit, this.capacity); id++) {
      if (taken[id] !== 0 || freed[id] !== 0) places.mark(id);
      if (taken[id] === 0 && freed[id] !== 0) resting.push(id);
    }
    resting.sort((a, b) => ageOf(freed[b], now) - ageOf(freed[a], now));
    for (const id of resting) this.push(id);
  }

  /** Those that have rested are free. Once per tick. */
  rise(tick: number): void {
    const now = this.secondOf(tick);
    while (this.count > 0 && ageOf(this.freed[this.resting[this.head]], now) >= ID_REST_SECONDS) this.pop();
  }

  /** An id that is now taken; -1: all are. */
  take(): number {
    let id = this.places.take();
    if (id < 0 && this.count > 0) {
      this.hurry();
      id = this.places.take();
    }
    if (id >= 0) this.taken[id] = 1;
    return id;
  }

  /** It was taken, and no entity had it. */
  putBack(id: number): void {
    this.taken[id] = 0;
    this.places.give(id);
  }

  give(id: number, tick: number): void {
    this.taken[id] = 0;
    this.freed[id] = this.secondOf(tick) + 1;
    this.push(id);
  }

  /** All that began to rest in the same second as the first: which of them came first is in no column. */
  private hurry(): void {
    const second = this.freed[this.resting[this.head]];
    while (this.count > 0 && this.freed[this.resting[this.head]] === second) {
      this.counters[COUNTER.idsHurried]++;
      this.pop();
    }
  }

  private push(id: number): void {
    this.resting[(this.head + this.count++) % this.capacity] = id;
  }

  private pop(): void {
    const id = this.resting[this.head];
    this.head = (this.head + 1) % this.capacity;
    this.count--;
    this.freed[id] = 0;
    this.places.give(id);
  }

  private secondOf(tick: number): number {
    return Math.floor(tick / this.tickHz) % SECONDS;
  }
}

function ageOf(freed: number, now: number): number {
  return (now - (freed - 1) + SECONDS) % SECONDS;
}
