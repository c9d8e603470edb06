// Chance. All that a zone computes draws from seeded chance, whose state is a word of an Int32Array, so that it can stand in
// shared memory and be committed with a tick.

/** @hot xorshift32 over state[index]; returns an unsigned 32-bit integer. */
export function nextUint32(state: Int32Array, index: number): number {
  let x = state[index];
  x ^= x << 13;
  x ^= x >>> 17;
  x ^= x << 5;
  state[index] = x;
  return x >>> 0;
}

/** @hot A number in [0, 1). */
export function nextFloat(state: Int32Array, index: number): number {
  return nextUint32(state, index) / 4294967296;
}

/** xorshift stands still at zero, so a seed of zero becomes a fixed odd number. */
export function seedState(state: Int32Array, index: number, seed: number): void {
  // Weyl step and a multiply, so that neighbouring seeds begin far apart.
  const mixed = Math.imul((seed | 0) + 0x6d2b79f5, 0x85ebca6b) ^ (seed >>> 13);
  state[index] = mixed | 0 || 0x9e3779b9 | 0;
}

/** A generator of its own, for tests, benches and generators outside of shared memory. */
export function createRandom(seed: number): () => number {
  const state = new Int32Array(1);
  seedState(state, 0, seed);
  return () => nextFloat(state, 0);
}

/** Unseeded, in [0, 1): for the jitter of retries only, so that many who failed at once do not come back at once. */
export function randomFraction(): number {
  return Math.random();
}
