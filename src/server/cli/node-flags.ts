// How node is best started for this server. package.json's start script says the same.

export const NODE_FLAGS: readonly string[] = [
  // MiB of one half of the young generation of main's heap. What main allocates per packet dies at once; the larger the
  // room, the rarer the collections that everybody waits for, and the fewer things are still alive when one comes.
  '--max-semi-space-size=64',
  // V8's helpers, of all threads together. They collect for the I/O thread on the core that a tick thread needs, up to 3 ms
  // at a time; with 4 of them that was what one tick in a hundred waited for at 100,000 events per second.
  '--v8-pool-size=1',
];
