// Which of many records go into a frame that cannot hold all of them.

const BUCKETS = 64;
const bytesOfBucket = new Float64Array(BUCKETS);

/**
 * @hot Picks the highest priorities whose bytes fit. Buckets instead of a sort: a difference below a sixty-fourth of the
 * highest priority does not matter. In the bucket that fits in part the lower index goes first. Priority 0 is never picked,
 * Infinity always.
 */
export function pickByPriority(
  priorities: Float64Array,
  bytes: Uint16Array,
  isPicked: Uint8Array,
  count: number,
  bytesFree: number,
): void {
  let highest = 0;
  for (let i = 0; i < count; i++) {
    if (priorities[i] > highest && priorities[i] !== Number.POSITIVE_INFINITY) {
      highest = priorities[i];
    }
  }
  const scale = highest === 0 ? 0 : (BUCKETS - 1) / highest;
  bytesOfBucket.fill(0);
  for (let i = 0; i < count; i++) {
    bytesOfBucket[bucketOf(priorities[i], scale)] += priorities[i] === 0 ? 0 : bytes[i];
  }
  let bucket = BUCKETS - 1;
  let left = bytesFree;
  while (bucket >= 0 && bytesOfBucket[bucket] <= left) {
    left -= bytesOfBucket[bucket];
    bucket--;
  }
  for (let i = 0; i < count; i++) {
    const own = bucketOf(priorities[i], scale);
    const fits = own > bucket || (own === bucket && bytes[i] <= left);
    const isTaken = priorities[i] === Number.POSITIVE_INFINITY || (priorities[i] > 0 && fits);
    isPicked[i] = isTaken ? 1 : 0;
    if (isTaken && own === bucket) {
      left -= bytes[i];
    }
  }
}

/** @hot */
function bucketOf(priority: number, scale: number): number {
  return priority === Number.POSITIVE_INFINITY ? BUCKETS - 1 : Math.floor(priority * scale);
}
