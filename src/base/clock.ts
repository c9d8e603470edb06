/** Monotonic milliseconds. Simulation code never calls this: it is told the tick. */
export function nowMs(): number {
  return performance.now();
}

/** Milliseconds since the Unix epoch by the wall clock, which people and time servers set. */
export function wallMs(): number {
  return Date.now();
}

/** Milliseconds since the Unix epoch by the monotonic clock: all threads of a process agree on it, and nobody sets it. */
export function processMs(): number {
  return performance.timeOrigin + performance.now();
}
