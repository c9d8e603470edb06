// Starts that go back to older cold snapshots.

import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Settings } from '../../../src/config/settings.js';
import { segmentName } from '../../../src/durability/journal/journal-file.js';
import { groupByTime } from '../../../src/durability/recovery/cold-choice.js';
import { coldId } from '../../../src/durability/snapshots/snapshotter.js';
import type { ColdHeader } from '../../../src/stores/store-ports.js';
import { GAME, open, openSilent, type Recovered, recover, stage, storeWorld, WORLD_ID } from './world-stage.js';

const FIRST_MS = Date.parse('2026-01-01T00:00:00Z');

/** Cold snapshots of ticks 100, 200, 300 with that score, in session 5. */
async function stageHistory(settings: Settings): Promise<void> {
  for (const tick of [100, 200, 300]) {
    await storeWorld(settings, 'cold', tick, FIRST_MS + tick, { worldId: WORLD_ID, epoch: 5, tick });
  }
}

function back(settings: Settings, tick: number): Promise<Recovered> {
  return recover({ ...settings, start: `cold:${tick}` }, GAME);
}

async function damageCold(settings: Settings, zone: number, ...ticks: number[]): Promise<void> {
  // The history is written anew, as a store takes no other bytes for a snapshot that it has.
  const stores = open(settings);
  const kept: { header: ColdHeader; bytes: Uint8Array }[] = [];
  const headers: ColdHeader[] = [];
  await stores.cold.latest(coldId(zone), (header) => headers.push(header) < 0);
  for (const header of headers.reverse()) {
    const { snapshot } = await stores.cold.latest(coldId(zone), ({ sequence }) => sequence === header.sequence);
    assert.ok(snapshot);
    kept.push({ header, bytes: snapshot.bytes });
  }
  await stores.cold.prune(coldId(zone), 0);
  for (const { header, bytes } of kept) {
    const checksum = ticks.includes(header.tick) ? 'damaged' : header.checksum;
    await stores.cold.save(coldId(zone), { ...header, bytes, checksum });
  }
  await stores.close();
}

async function coldTicks(settings: Settings, zone = 0): Promise<number[]> {
  const stores = open(settings);
  const ticks: number[] = [];
  await stores.cold.latest(coldId(zone), ({ tick }) => ticks.push(tick) < 0);
  await stores.close();
  return ticks;
}

test('a start goes back to the snapshots of a tick, or to the newest before it', async (t) => {
  const settings = stage(t);
  await stageHistory(settings);
  for (const [tick, expected] of [
    [100, 100],
    [299, 200],
    [200, 200],
    [4_000_000_000, 300],
  ]) {
    const { report, tick: from, epochMin, cells } = await back(settings, tick);
    assert.deepEqual([report.source, report.worldId, report.snapshotTick], ['cold', WORLD_ID, expected]);
    assert.deepEqual(cells('score'), [expected, expected]);
    assert.deepEqual(report.skipped, []);
    assert.deepEqual([from, epochMin], [expected, 6]);
  }
  await assert.rejects(
    back(settings, 99),
    /^Error: start is cold:99, but no cold snapshot in \S+ is at or before that tick: there are those of ticks 100, 200, 300; /,
  );
});

test('the later state is said and kept: hot snapshots go to the cold history, journals to a folder of their own', async (t) => {
  const settings = stage(t);
  await stageHistory(settings);
  await storeWorld(settings, 'hot', 450, FIRST_MS + 450, { worldId: WORLD_ID, epoch: 6, tick: 450 });
  for (const epoch of [4, 5, 6]) {
    const folder = join(settings.data, 'journal', String(epoch));
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, segmentName(1)), '');
  }
  const { report, lines, keepJournals, epochMin } = await back(settings, 200);
  assert.equal(report.snapshotTick, 200);
  assert.ok(epochMin > 6);
  const [line] = lines.filter((text) => text.includes('goes back'));
  assert.equal(
    line,
    'recovery: the world goes back to tick 200, cold snapshots of 2026-01-01T00:00:00.200Z; passed over and kept: ' +
      'hot snapshots of tick 450, now in the cold history; cold snapshots up to tick 300; ' +
      'the journal of session 6, now in journal/kept; the journal of session 5, now in journal/kept',
  );
  for (const zone of [0, 1]) assert.deepEqual(await coldTicks(settings, zone), [450, 300, 200, 100]);
  assert.ok(existsSync(join(settings.data, 'journal', '6')), 'until the new session is about to begin');
  await keepJournals?.();
  assert.deepEqual(readdirSync(join(settings.data, 'journal')).sort(), ['4', 'kept']);
  assert.deepEqual(readdirSync(join(settings.data, 'journal', 'kept')).sort(), ['5', '6']);
  assert.deepEqual(readdirSync(join(settings.data, 'journal', 'kept', '6')), [segmentName(1)]);
  // And back to what was passed over; a second start keeps nothing twice.
  const again = await back(settings, 450);
  assert.deepEqual(again.cells('score'), [450, 450]);
  assert.deepEqual(await coldTicks(settings), [450, 300, 200, 100]);
});

test('a start from the newest snapshots passes over nothing, and takes no hot snapshot for a later one', async (t) => {
  const settings = stage(t);
  await stageHistory(settings);
  await storeWorld(settings, 'hot', 300, FIRST_MS + 900, { worldId: WORLD_ID, epoch: 5, tick: 300 });
  const { lines } = await back(settings, 300);
  assert.match(lines.find((line) => line.includes('goes back')) ?? '', /; nothing later is known$/);
  assert.deepEqual(await coldTicks(settings), [300, 200, 100]);
});

test('zones go back together: where one is damaged all take the snapshots before', async (t) => {
  const settings = stage(t);
  await stageHistory(settings);
  await damageCold(settings, 1, 300);
  const { report, cells } = await back(settings, 300);
  assert.deepEqual(cells('score'), [200, 200]);
  assert.equal(report.skipped.length, 1);
  assert.match(report.skipped[0], /^the cold snapshot 3 of zone 1: .*its checksum does not match$/);
});

test('where no snapshot of all zones is whole each zone takes its newest whole one', async (t) => {
  const settings = stage(t);
  await stageHistory(settings);
  await damageCold(settings, 1, 100, 300);
  await damageCold(settings, 0, 200);
  const { report, cells } = await back(settings, 300);
  assert.deepEqual(cells('score'), [300, 200]);
  assert.match(
    report.skipped.at(-1) ?? '',
    /no cold snapshot of all zones at or before tick 300 is whole: .* ticks 300, 200$/,
  );
});

test('where all cold snapshots of a zone are damaged the start is refused', async (t) => {
  const settings = stage(t);
  await stageHistory(settings);
  await damageCold(settings, 1, 100, 200, 300);
  await assert.rejects(
    back(settings, 300),
    /of zone 1 there is nothing to begin from: the cold snapshot 3 of zone 1: .*choose another tick/,
  );
});

test('a silent hot store is no reason to go back without keeping what it has', async (t) => {
  const settings = stage(t);
  await stageHistory(settings);
  await storeWorld(settings, 'hot', 450, FIRST_MS + 450, { worldId: WORLD_ID, epoch: 6, tick: 450 });
  await assert.rejects(
    recover({ ...settings, start: 'cold:100' }, GAME, { open: openSilent(Infinity), waitMs: 200 }),
    /what the stores have later cannot be kept: the hot snapshot of zone \d: get: no connection/,
  );
});

test('a later state that cannot be kept is not given up', async (t) => {
  const settings = stage(t);
  await stageHistory(settings);
  await storeWorld(settings, 'hot', 450, FIRST_MS + 450, { worldId: WORLD_ID, epoch: 6, tick: 450 });
  const { openStores } = await import('../../../src/stores/open-stores.js');
  await assert.rejects(
    recover({ ...settings, start: 'cold:100' }, GAME, {
      open: (given) => {
        const stores = openStores(given);
        const { cold } = stores;
        const save = (): Promise<never> => Promise.reject(new Error('the disk is full'));
        return {
          ...stores,
          cold: { ...cold, latest: (...args) => cold.latest(...args), save },
          close: () => stores.close(),
        };
      },
    }),
    /the later state cannot be kept in the cold store: the disk is full; .*--start auto/,
  );
});

test('snapshots of one time are one snapshot of the world, at the lowest of their ticks', () => {
  const header = (takenAtMs: number, tick: number): ColdHeader => ({
    ...{ id: '', sequence: 1, byteCount: 1, checksum: '', meta: {} },
    ...{ takenAtMs, tick },
  });
  const sets = groupByTime([[header(20, 9), header(10, 5)], [header(20, 8)]]);
  assert.deepEqual(
    sets.map(({ takenAtMs, tick, headers }) => [takenAtMs, tick, headers.map((found) => found?.tick)]),
    [
      [20, 8, [9, 8]],
      [10, 5, [5, undefined]],
    ],
  );
});
