import type { BenchModule } from './bench.js';

/** Every bench, in the order in which they run. Loaded one by one, so that none shares compiled code with an idle one. */
export const BENCH_MODULES: Record<string, () => Promise<BenchModule>> = {
  ring: async () => (await import('./memory/ring.js')).bench,
  quadtree: async () => (await import('./engine/quadtree.js')).bench,
  encode: async () => (await import('./protocol/encode.js')).bench,
  decode: async () => (await import('./protocol/decode.js')).bench,
  'command-path': async () => (await import('./engine/command-path.js')).bench,
  inventories: async () => (await import('./engine/inventories.js')).bench,
  posts: async () => (await import('./engine/posts.js')).bench,
  'persist-log': async () => (await import('./durability/persist-log.js')).bench,
  journal: async () => (await import('./durability/journal.js')).bench,
  persistence: async () => (await import('./durability/persistence.js')).bench,
  snapshots: async () => (await import('./durability/snapshots.js')).bench,
  cells: async () => (await import('./durability/cells.js')).bench,
  tick: async () => (await import('./engine/tick.js')).bench,
};
