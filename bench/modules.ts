import type { BenchModule } from './bench.js';

/** Every bench, in the order in which they run. Loaded one by one, so that none shares compiled code with an idle one. */
export const BENCH_MODULES: Record<string, () => Promise<BenchModule>> = {
  ring: async () => (await import('./ring.js')).bench,
  quadtree: async () => (await import('./quadtree.js')).bench,
  encode: async () => (await import('./encode.js')).bench,
  decode: async () => (await import('./decode.js')).bench,
  'command-path': async () => (await import('./command-path.js')).bench,
  'persist-log': async () => (await import('./persist-log.js')).bench,
  journal: async () => (await import('./journal.js')).bench,
  persistence: async () => (await import('./persistence.js')).bench,
  snapshots: async () => (await import('./snapshots.js')).bench,
  cells: async () => (await import('./cells.js')).bench,
  tick: async () => (await import('./tick.js')).bench,
};
