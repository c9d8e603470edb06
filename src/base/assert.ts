/** For our own misuse only: wire input is rejected with a code, never asserted. */
export function assert(condition: boolean, message: string, value?: unknown): asserts condition {
  if (!condition) {
    throw new Error(
      value === undefined ? `assertion failed: ${message}` : `assertion failed: ${message}: ${String(value)}`,
    );
  }
}
