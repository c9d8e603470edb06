// How node is best started for this server. package.json's start script says the same.

/**
 * MiB of one half of the young generation of main's heap. What main allocates per packet dies at once; the larger the room,
 * the rarer the collections that everybody waits for, and the fewer things are still alive when one comes.
 */
export const NODE_FLAGS: readonly string[] = ['--max-semi-space-size=64'];
