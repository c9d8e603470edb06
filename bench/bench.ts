// What a bench is, and the clock it is measured with. Owner of tinybench.
//
// A module under bench/ exports `bench: BenchModule` and stands in the list of modules.ts. Most describe cases and hand
// them to measureCases; one that needs threads or sockets of its own fills in rows itself.

import { Bench } from 'tinybench';
import { assert } from '../src/base/assert.js';

export interface BenchOptions {
  /** Little work and little time: shows that the bench runs and that its checksum holds, not how fast it is. */
  small: boolean;
  seed: number;
}

export interface BenchRow {
  name: string;
  /** Units of work: entities, queries, records, as the name says. */
  perSecond: number;
  /** Microseconds per unit. */
  meanUs: number;
  /** Of the samples' means per unit, where one sample is a batch of units. */
  p99Us: number;
  samples: number;
  /** Unsigned 32 bits. The same for the same seed and form, however long the bench ran. */
  checksum: number;
  note?: string;
}

export interface BenchModule {
  name: string;
  /** One line for --help. */
  summary: string;
  run(options: BenchOptions): Promise<BenchRow[]>;
}

export interface BenchCase {
  name: string;
  /** Units of work in one call, at least one. A call under some microseconds should do several. */
  unitsPerCall: number;
  /** Runs before each call, outside of the clock. */
  prepare?(): void;
  /** Measured. What it returns must depend on the work, so that the work cannot be left out. */
  call(): number;
  /** Read after the measurement. */
  note?(): string;
}

/** So many calls on the untouched case make its checksum, before any clock runs. */
const CHECKED_CALLS = 4;
const TIME_MS = 500;
const WARMUP_MS = 250;
const SMALL_TIME_MS = 5;
const SMALL_ITERATIONS = 4;

export async function measureCases(cases: readonly BenchCase[], { small }: BenchOptions): Promise<BenchRow[]> {
  const rows: BenchRow[] = [];
  for (const benchCase of cases) {
    rows.push(await measureCase(benchCase, small));
  }
  return rows;
}

/** Order matters: a value that moved from one call to another changes the sum. */
export function foldChecksum(checksum: number, value: number): number {
  FOLDED[0] = value;
  const mixed = Math.imul((checksum ^ FOLDED_WORDS[0]) + 0x6d2b79f5, 0x9e3779b1) ^ FOLDED_WORDS[1];
  return (mixed ^ (mixed >>> 15)) >>> 0;
}

/** All bits of a float64 count, fractions as well as integers beyond 2^32. */
const FOLDED = new Float64Array(1);
const FOLDED_WORDS = new Int32Array(FOLDED.buffer);

async function measureCase(benchCase: BenchCase, small: boolean): Promise<BenchRow> {
  const { name, unitsPerCall } = benchCase;
  assert(unitsPerCall >= 1, 'a bench case does at least one unit of work', name);
  let checksum = 0;
  for (let i = 0; i < CHECKED_CALLS; i++) {
    benchCase.prepare?.();
    checksum = foldChecksum(checksum, benchCase.call());
  }

  let sink = 0;
  const bench = new Bench({
    throws: true,
    time: small ? SMALL_TIME_MS : TIME_MS,
    iterations: small ? SMALL_ITERATIONS : 64,
    warmup: !small,
    warmupTime: WARMUP_MS,
  });
  bench.add(
    name,
    () => {
      sink += benchCase.call();
    },
    { async: false, beforeEach: () => benchCase.prepare?.() },
  );
  const [task] = await bench.run();
  const { result } = task;
  assert(result.state === 'completed', 'a bench case runs to its end', `${name}: ${result.state}`);
  assert(!Number.isNaN(sink), 'a bench case returns numbers', name);

  const { mean, p99, samplesCount } = result.latency;
  const note = benchCase.note?.();
  return {
    name,
    perSecond: (1000 * unitsPerCall) / mean,
    meanUs: (1000 * mean) / unitsPerCall,
    p99Us: (1000 * p99) / unitsPerCall,
    samples: samplesCount,
    checksum,
    ...(note === undefined ? {} : { note }),
  };
}
