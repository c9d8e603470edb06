/** Monotonic milliseconds. Simulation code never calls this: it is told the tick. */
export function nowMs(): number {
  return performance.now();
}

/** Milliseconds since 1970, of a clock that anyone can set. For times that leave this process. */
export function wallMs(): number {
  return Date.now();
}
