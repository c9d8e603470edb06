// A server that is backed up while it runs, and one that starts from the copy.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { backUpFolder } from '../../src/durability/recovery/backup.js';
import { startServer } from '../server.js';

const folder = mkdtempSync(join(tmpdir(), 'tessera-backup-'));
after(() => rmSync(folder, { recursive: true, force: true }));

function args(data: string, ...more: string[]): string[] {
  return ['--data', join(folder, data), '--bots', '200', '--hot-snapshot-ms', '1000', ...more];
}

test('a copy that was made while a server ran goes on from that moment, beside the original', async () => {
  const original = await startServer(args('live'));
  await original.untilCounter('tessera_io_hot_snapshots_total', 2);
  const before = await original.health();
  await backUpFolder(join(folder, 'live'), join(folder, 'copy'));
  const after = await original.health();
  const restored = await startServer(args('copy'));
  const found = await restored.health();
  assert.deepEqual(found.recovery.skipped, []);
  assert.equal(found.recovery.source, 'hot');
  assert.equal(found.recovery.worldId, before.recovery.worldId);
  const tick = found.recovery.journalTick ?? 0;
  // The journal is copied within the backup, and was flushed 6 ticks before at the latest.
  assert.ok(tick >= before.zones[0].tick - 6 && tick <= after.zones[0].tick, `${tick} of ${before.zones[0].tick}`);
  assert.equal(await restored.stop(), 0);
  assert.equal(await original.stop(), 0);
});
