// Seeded chance of a simulated run. Each part draws from a stream of its own, so that one that draws more does not change
// what the others meet.

import { createRandom } from '../../src/base/chance.js';

export class Chance {
  readonly random: () => number;

  constructor(private readonly seed: number) {
    this.random = createRandom(seed);
    // Neighbouring seeds begin alike: the first numbers are thrown away.
    for (let i = 0; i < 8; i++) this.random();
  }

  /** A stream of its own by name: the same for the same seed, whatever was drawn before. */
  stream(name: string): Chance {
    let hash = this.seed | 0;
    for (let i = 0; i < name.length; i++) hash = (Math.imul(hash ^ name.charCodeAt(i), 0x01000193) + 0x9e3779b9) | 0;
    return new Chance(hash);
  }

  happens(probability: number): boolean {
    return this.random() < probability;
  }

  /** A whole number in [0, limit). */
  below(limit: number): number {
    return Math.floor(this.random() * limit);
  }

  between(low: number, high: number): number {
    return low + this.random() * (high - low);
  }

  /** Between both, with as many small ones of each size as large ones. */
  logBetween(low: number, high: number): number {
    return low * (high / low) ** this.random();
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)];
  }
}
