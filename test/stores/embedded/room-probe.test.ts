// What the embedded database does while its disk takes no writes.

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { requireOrSkip } from '../../require.js';

const CHILD = fileURLToPath(new URL('./room-child.js', import.meta.url));
/** Writers of the child at the moment the disk is full, and those that a second look lets through. */
const FAILED_WRITES_MAX = 16;

test('on a full disk writes are refused without trying LMDB each time, and go on when there is room', (t) => {
  let hasLimits = true;
  try {
    execFileSync('prlimit', ['--version']);
  } catch {
    hasLimits = false;
  }
  if (!requireOrSkip(t, hasLimits, 'prlimit is missing')) return;
  const child = spawnSync(process.execPath, [CHILD], { encoding: 'utf8', timeout: 20000 });
  assert.equal(child.status, 0, `${child.signal}\n${child.stderr}`);
  const { refused, kinds } = JSON.parse(child.stdout) as { refused: number; kinds: Record<string, number> };
  const tried = [...child.stderr.matchAll(/Write error/g)].length;
  assert.ok(refused > 200, `${refused} refused`);
  assert.ok(tried > 0 && tried <= FAILED_WRITES_MAX, `${tried} writes of LMDB failed`);
  assert.ok((kinds.written ?? 0) > 0, 'there is room again');
});
