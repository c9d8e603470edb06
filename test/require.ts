import type { TestContext } from 'node:test';

/**
 * For tests that need a real part which a machine may not have, such as a browser. False: the test is skipped and should
 * return. test/run.mjs lists what was skipped, and takes it for a failure where CI is set.
 */
export function requireOrSkip(t: TestContext, condition: boolean, reason: string): boolean {
  if (!condition) t.skip(reason);
  return condition;
}
