/** Monotonic milliseconds. Simulation code never calls this: it is told the tick. */
export function nowMs(): number {
  return performance.now();
}

/** Milliseconds since 1970 by the wall clock, which people may set back or forward. For times that are stored or told. */
export function wallMs(): number {
  return Date.now();
}
