import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { coldId, hotKey } from '../../src/durability/snapshots/snapshotter.js';
import { decodeZone } from '../../src/durability/snapshots/zone-snapshot.js';
import { openStores } from '../../src/stores/open-stores.js';
import { type ServerHealth, startServer } from '../server.js';

const folder = mkdtempSync(join(tmpdir(), 'tessera-restart-'));
after(() => rmSync(folder, { recursive: true, force: true }));

function args(data: string, ...more: string[]): string[] {
  return ['--data', join(folder, data), '--bots', '80', '--hot-snapshot-ms', '1000', ...more];
}

function entities({ zones }: ServerHealth): number {
  return zones.reduce((sum, zone) => sum + zone.entities, 0);
}

function openFolder(data: string) {
  return openStores({ folder: join(folder, data, 'stores'), kafka: '', redis: '', mongodb: '' });
}

test('a server that was killed goes on with its world where its journal ends', async () => {
  const first = await startServer(args('killed'));
  await first.untilCounter('tessera_io_hot_snapshots_total', 2);
  const before = await first.health();
  await sleep(300); // the journal goes on beyond the last snapshot
  const last = await first.health();
  await first.kill();
  const second = await startServer(args('killed'));
  const now = await second.health();
  await second.stop();
  assert.equal(before.recovery.source, 'initial');
  assert.equal(now.recovery.source, 'hot');
  const { snapshotTick, journalTick, events, skipped } = now.recovery;
  assert.ok(snapshotTick < (journalTick ?? 0), `from snapshot ${snapshotTick} to ${journalTick}`);
  // What /healthz told was committed: of that, at most the flush interval of 6 ticks is lost.
  assert.ok((journalTick ?? 0) >= last.zones[0].tick - 6, `${journalTick} of ${last.zones[0].tick}`);
  assert.equal(events, null, 'the journal knows more than the events do');
  assert.deepEqual(skipped, []);
  assert.ok(Math.abs(entities(now) - entities(before)) <= 2, 'but for who was on the way over a border, all are there');
});

test('a server that was stopped goes on where it ended, also when hot snapshots are gone', async () => {
  const first = await startServer(args('stopped'));
  await sleep(500);
  const before = await first.health();
  assert.equal(await first.stop(), 0);
  const stores = openFolder('stopped');
  await stores.hot.delete([0, 1, 2, 3].map(hotKey));
  await stores.close();
  const second = await startServer(args('stopped'));
  const now = await second.health();
  await second.stop();
  assert.equal(now.recovery.source, 'cold');
  assert.ok(now.recovery.snapshotTick >= before.zones[0].tick, 'nothing of the last moments is missing');
});

test('a damaged snapshot is skipped with a reason, and an older whole one is used', async () => {
  const first = await startServer(args('damaged'));
  await first.untilCounter('tessera_io_hot_snapshots_total', 1);
  assert.equal(await first.stop(), 0);
  const stores = openFolder('damaged');
  const [bytes] = await stores.hot.get([hotKey(1)]);
  assert.ok(bytes);
  const damaged = Uint8Array.from(bytes);
  damaged[damaged.length - 5] ^= 4;
  assert.throws(() => decodeZone(damaged), /checksum/);
  await stores.hot.set([{ key: hotKey(1), value: damaged, ttlMs: 60000 }]);
  assert.ok((await stores.cold.latest(coldId(1))).snapshot);
  await stores.close();
  const second = await startServer(args('damaged'));
  const now = await second.health();
  await second.stop();
  assert.match(now.recovery.skipped.join('\n'), /hot snapshot of zone 1: its checksum does not match/);
  assert.equal(now.recovery.source, 'cold');
});

test('mistyped settings of the world end the start in one line, and the world goes on with the right ones', async () => {
  const first = await startServer(args('other'));
  assert.equal(await first.stop(), 0);
  for (const how of ['auto', 'resume']) {
    await assert.rejects(
      startServer(args('other', '--seed', '9', '--bots', '8', '--start', how)),
      ({ message }: Error) => {
        assert.match(message, /exited with 1 before/);
        const [line, ...more] = message.split('\n').filter((text) => text.startsWith('tessera: '));
        assert.deepEqual(more, []);
        assert.match(
          line,
          /^tessera: the world \S+ in .* was made with other settings: --seed is 1 there and 9 here, --bots is 80 there and 8 here; /,
        );
        assert.match(line, /--start fresh/);
        return true;
      },
    );
  }
  const again = await startServer(args('other'));
  assert.equal((await again.health()).recovery.source, 'hot');
  await again.stop();
  const anew = await startServer(args('other', '--seed', '9', '--start', 'fresh'));
  const now = await anew.health();
  await anew.stop();
  assert.equal(now.recovery.source, 'initial');
});

test('a store that is away is waited for where the journal is old, and not where it is the end of the world', async () => {
  const first = await startServer(args('silent'));
  await first.untilCounter('tessera_io_hot_snapshots_total', 1);
  await first.kill();
  const away = ['--redis', 'redis://127.0.0.1:1'];
  const second = await startServer(args('silent', ...away));
  assert.doesNotMatch(second.log(), /asked again/);
  assert.equal((await second.health()).recovery.source, 'journal');
  await second.kill();
  const journal = join(folder, 'silent', 'journal');
  const hourAgo = new Date(Date.now() - 3600_000);
  for (const path of readdirSync(journal, { recursive: true, encoding: 'utf8' })) {
    utimesSync(join(journal, path), hourAgo, hourAgo);
  }
  const third = await startServer(args('silent', ...away));
  assert.match(third.log(), /the hot snapshot of zone \d: .*asked again for \d s/);
  assert.equal((await third.health()).recovery.source, 'journal');
  await third.stop();
});
