import type { BenchModule } from './bench.js';

/** Every bench, in the order in which they run. Loaded one by one, so that none shares compiled code with an idle one. */
export const BENCH_MODULES: Record<string, () => Promise<BenchModule>> = {
  quadtree: async () => (await import('./quadtree.js')).bench,
};
