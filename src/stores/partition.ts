// Which partition a key belongs to: murmur2 with Kafka's seed, so that a producer in another language (Java's default,
// kcat with partitioner=murmur2) puts a key where we put it.

import { PARTITION_KEYS_CACHED_MAX } from './limits.js';

const SEED = 0x9747b28c;
const MULTIPLIER = 0x5bd1e995;
const ROTATION = 24;

export class PartitionCache {
  readonly #byCount = new Map<number, Map<string, number>>();

  find(key: string, partitionCount: number): number {
    let known = this.#byCount.get(partitionCount);
    if (!known || known.size >= PARTITION_KEYS_CACHED_MAX) {
      known = new Map();
      this.#byCount.set(partitionCount, known);
    }
    let partition = known.get(key);
    if (partition === undefined) {
      partition = partitionOf(Buffer.from(key), partitionCount);
      known.set(key, partition);
    }
    return partition;
  }
}

export function partitionOf(key: Uint8Array, partitionCount: number): number {
  return (murmur2(key) & 0x7fffffff) % partitionCount;
}

export function murmur2(bytes: Uint8Array): number {
  const wholeBytes = bytes.length & ~3;
  let hash = SEED ^ bytes.length;
  for (let i = 0; i < wholeBytes; i += 4) {
    const word = bytes[i] | (bytes[i + 1] << 8) | (bytes[i + 2] << 16) | (bytes[i + 3] << 24);
    hash = Math.imul(hash, MULTIPLIER) ^ mix(word);
  }
  const rest = bytes.length - wholeBytes;
  if (rest === 3) hash ^= bytes[wholeBytes + 2] << 16;
  if (rest >= 2) hash ^= bytes[wholeBytes + 1] << 8;
  if (rest >= 1) hash = Math.imul(hash ^ bytes[wholeBytes], MULTIPLIER);
  hash = Math.imul(hash ^ (hash >>> 13), MULTIPLIER);
  return hash ^ (hash >>> 15);
}

function mix(word: number): number {
  const multiplied = Math.imul(word, MULTIPLIER);
  return Math.imul(multiplied ^ (multiplied >>> ROTATION), MULTIPLIER);
}
