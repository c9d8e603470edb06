/** Monotonic milliseconds. Simulation code never calls this: it is told the tick. */
export function nowMs(): number {
  return performance.now();
}
