/** Monotonic milliseconds. Simulation code never calls this: it is told the tick. */
export function nowMs(): number {
  return performance.now();
}

/** Milliseconds of the wall clock since 1970, for what other processes and people read. It may jump, in both directions. */
export function wallMs(): number {
  return Date.now();
}
