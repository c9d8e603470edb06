// Servers whose stores lost something, and servers that go back.

import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { coldId, hotKey } from '../../src/durability/snapshots/snapshotter.js';
import { openStores } from '../../src/stores/open-stores.js';
import { startServer } from '../server.js';

const folder = mkdtempSync(join(tmpdir(), 'tessera-restore-'));
after(() => rmSync(folder, { recursive: true, force: true }));

function args(data: string, ...more: string[]): string[] {
  return ['--data', join(folder, data), '--bots', '80', '--hot-snapshot-ms', '1000', ...more];
}

function openFolder(data: string) {
  return openStores({ folder: join(folder, data, 'stores'), kafka: '', redis: '', mongodb: '' });
}

test('what was deleted between two starts is named by the second', async () => {
  const first = await startServer(args('deleted'));
  await first.untilCounter('tessera_io_hot_snapshots_total', 1);
  assert.equal(await first.stop(), 0);
  const stores = openFolder('deleted');
  await stores.hot.delete([hotKey(2)]);
  for (const zone of [0, 1, 2, 3]) await stores.cold.prune(coldId(zone), 0);
  await stores.close();
  const journal = join(folder, 'deleted', 'journal');
  rmSync(journal, { recursive: true });
  await assert.rejects(
    startServer(args('deleted')),
    /of zone 2 there is nothing to begin from: the hot snapshot of zone 2 of tick \d+/,
  );
  const second = await startServer(args('deleted', '--start', 'salvage'));
  const { skipped } = (await second.health()).recovery;
  await second.stop();
  assert.equal(skipped.length, 6, skipped.join('\n'));
  assert.match(skipped[0], /^the journal of session \d+ is missing: its segment 1 was the last one written$/);
  assert.match(skipped[1], /^the hot snapshot of zone 2 of tick \d+, taken at \S+, is missing$/);
  for (const zone of [0, 1, 2, 3]) {
    assert.match(
      skipped[2 + zone],
      new RegExp(`^the cold snapshot of zone ${zone} of tick \\d+, taken at \\S+, is missing$`),
    );
  }
});

test('a server goes back to an older cold snapshot, and from there on goes on as any other', async () => {
  const first = await startServer(args('back', '--cold-snapshot-ms', '5000'));
  await first.untilCounter('tessera_io_cold_snapshots_total', 1);
  const tick = await first.counter('tessera_io_cold_tick');
  await sleep(2000);
  await first.kill();
  const second = await startServer(args('back', '--start', `cold:${tick}`));
  const { recovery, zones } = await second.health();
  assert.deepEqual([recovery.source, recovery.journalTick, recovery.events], ['cold', null, null]);
  assert.ok(Math.abs(recovery.snapshotTick - tick) < 60, `${recovery.snapshotTick} is ${tick}`);
  assert.ok(zones[0].tick < tick + 300);
  assert.match(
    second.log(),
    /the world goes back to tick \d+, .*passed over and kept: hot snapshots of tick \d+.*the journal of session \d+/,
  );
  assert.equal(readdirSync(join(folder, 'back', 'journal', 'kept')).length, 1);
  await sleep(300);
  const played = (await second.health()).zones[0].tick;
  await second.kill();
  const third = await startServer(args('back'));
  const now = (await third.health()).recovery;
  await third.stop();
  assert.ok(
    (now.journalTick ?? 0) >= played - 6 && (now.journalTick ?? 0) < played + 60,
    `${now.journalTick} of ${played}`,
  );
  assert.deepEqual(now.skipped, []);
});
