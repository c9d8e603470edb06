// A server that is backed up while it runs, and one that starts from the copy.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { backUpFolder } from '../../src/durability/recovery/backup.js';
import { until } from '../folder.js';
import { startServer, type TestServer } from '../server.js';

const folder = mkdtempSync(join(tmpdir(), 'tessera-backup-'));
after(() => rmSync(folder, { recursive: true, force: true }));

interface Health {
  zones: { tick: number; entities: number }[];
  recovery: { source: string; worldId: string; journalTick: number | null; skipped: string[] };
}

async function health({ url }: TestServer): Promise<Health> {
  return (await (await fetch(`${url}/healthz`)).json()) as Health;
}

function args(data: string, ...more: string[]): string[] {
  return ['--data', join(folder, data), '--bots', '200', '--hot-snapshot-ms', '1000', ...more];
}

async function untilHot(server: TestServer, count: number): Promise<void> {
  await until(`${count} hot snapshots`, async () => {
    const text = await (await fetch(`${server.url}/metrics`)).text();
    return Number(/^tessera_io_hot_snapshots_total (\d+)/m.exec(text)?.[1]) >= count;
  });
}

test('a copy that was made while a server ran goes on from that moment, beside the original', async () => {
  const original = await startServer(args('live'));
  await untilHot(original, 2);
  const before = await health(original);
  await backUpFolder(join(folder, 'live'), join(folder, 'copy'));
  const after = await health(original);
  const restored = await startServer(args('copy'));
  const found = await health(restored);
  assert.deepEqual(found.recovery.skipped, []);
  assert.equal(found.recovery.source, 'hot');
  assert.equal(found.recovery.worldId, before.recovery.worldId);
  const tick = found.recovery.journalTick ?? 0;
  // The journal is copied within the backup, and was flushed 6 ticks before at the latest.
  assert.ok(tick >= before.zones[0].tick - 6 && tick <= after.zones[0].tick, `${tick} of ${before.zones[0].tick}`);
  assert.equal(await restored.stop(), 0);
  assert.equal(await original.stop(), 0);
});
