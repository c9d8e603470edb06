// Durations in buckets whose width grows with the value: 64 buckets for every doubling, so that a percentile is never
// off by more than 1/64 of itself. A percentile is the upper edge of its bucket: rounded against us, never for us.
// The buckets are plain numbers, so histograms of threads and of clients add up.

const SUB_BITS = 6;
const SUB_BUCKETS = 1 << SUB_BITS;
/** 2^27 us are 134 s: longer than a run waits for anything. */
const MAGNITUDES = 27 - SUB_BITS;
export const HISTOGRAM_BUCKETS = SUB_BUCKETS * (MAGNITUDES + 1);
const VALUE_US_MAX = SUB_BUCKETS * 2 ** MAGNITUDES - 1;

/** @hot Values below 64 us have a bucket each; above, the top 6 bits below the highest one choose it. */
export function bucketOf(valueUs: number): number {
  if (valueUs < SUB_BUCKETS) return valueUs | 0;
  const magnitude = 31 - Math.clz32(valueUs) - SUB_BITS;
  return SUB_BUCKETS * (magnitude + 1) + ((valueUs >>> magnitude) - SUB_BUCKETS);
}

/** The largest whole number of microseconds that falls into a bucket. */
export function bucketUpperUs(bucket: number): number {
  if (bucket < SUB_BUCKETS) return bucket;
  const magnitude = Math.floor(bucket / SUB_BUCKETS) - 1;
  return (SUB_BUCKETS + (bucket % SUB_BUCKETS) + 1) * 2 ** magnitude - 1;
}

export class LatencyHistogram {
  readonly counts: Float64Array;
  count = 0;
  sumMs = 0;
  maxMs = 0;

  constructor(counts: Float64Array = new Float64Array(HISTOGRAM_BUCKETS)) {
    this.counts = counts;
  }

  /** @hot */
  record(valueMs: number): void {
    const valueUs = Math.min(VALUE_US_MAX, Math.max(0, valueMs * 1000)) | 0;
    this.counts[bucketOf(valueUs)] += 1;
    this.count += 1;
    this.sumMs += valueMs;
    if (valueMs > this.maxMs) this.maxMs = valueMs;
  }

  add(other: LatencyHistogram): void {
    for (let bucket = 0; bucket < HISTOGRAM_BUCKETS; bucket++) this.counts[bucket] += other.counts[bucket];
    this.count += other.count;
    this.sumMs += other.sumMs;
    this.maxMs = Math.max(this.maxMs, other.maxMs);
  }

  clear(): void {
    this.counts.fill(0);
    this.count = 0;
    this.sumMs = 0;
    this.maxMs = 0;
  }

  /** The value that the share `p` of all samples does not exceed, in ms; null without samples. */
  percentileMs(p: number): number | null {
    if (this.count === 0) return null;
    const rank = Math.max(1, Math.ceil(p * this.count));
    let seen = 0;
    for (let bucket = 0; bucket < HISTOGRAM_BUCKETS; bucket++) {
      seen += this.counts[bucket];
      if (seen >= rank) return Math.min(this.maxMs, bucketUpperUs(bucket) / 1000);
    }
    return this.maxMs;
  }
}
