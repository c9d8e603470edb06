// The clocks. No other file reads one, and nothing that a zone computes does: it is told the tick.

/** Monotonic milliseconds, for durations and deadlines. Counts from the start of this process or page. */
export function nowMs(): number {
  return performance.now();
}

/** Milliseconds since 1970, for what is stored or shown. May jump when the machine's clock is set. */
export function wallMs(): number {
  return Date.now();
}

const ORIGIN_MS = performance.timeOrigin; // reading it costs as much as the time itself

/** Milliseconds since the Unix epoch by the monotonic clock: all threads of a process agree on it, and nobody sets it. */
export function processMs(): number {
  return ORIGIN_MS + performance.now();
}
