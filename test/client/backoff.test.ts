import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRandom } from '../../src/base/chance.js';
import { backoffMs, RECONNECT_DEFAULTS } from '../../src/client/backoff.js';

test('each attempt waits twice as long as the last, up to a bound, and half of it is chance', () => {
  const options = { ...RECONNECT_DEFAULTS, delayMsMin: 100, delayMsMax: 1000, random: createRandom(3) };
  for (let attempt = 0; attempt < 20; attempt++) {
    const longest = Math.min(1000, 100 * 2 ** attempt);
    for (let i = 0; i < 50; i++) {
      const delayMs = backoffMs(attempt, options);
      assert.ok(delayMs >= longest / 2 && delayMs < longest, `attempt ${attempt}: ${delayMs}`);
    }
  }
});
