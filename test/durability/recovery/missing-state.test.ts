// What was stored and is not there any more is named, by each start.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { JournalSession } from '../../../src/durability/journal/journal-reader.js';
import { LAST_STORED_FILE, type LastStored, LastStoredFile } from '../../../src/durability/recovery/last-stored.js';
import { describeMissingSegments, describeMissingSnapshots } from '../../../src/durability/recovery/missing-state.js';
import { coldId, hotKey } from '../../../src/durability/snapshots/snapshotter.js';
import { GAME, open, recover, stage, storeWorld, WORLD_ID } from './world-stage.js';

const OTHER_ID = '0c3d2a50-8f0f-4c0e-9d43-3f6f3b1d9a22';
const FOLDER = { worldId: WORLD_ID, earlier: [], writers: [] };

function note(data: string, stored: Partial<LastStored>): void {
  writeFileSync(join(data, LAST_STORED_FILE), JSON.stringify({ worldId: WORLD_ID, ...stored }));
}

function session(epoch: number, ...numbers: number[]): JournalSession {
  const segments = numbers.map((number) => `${String(number).padStart(6, '0')}.journal`);
  return { epoch, folder: '', info: undefined, segments };
}

test('hot snapshots that were deleted are named with tick and time, one zone or all', async (t) => {
  const settings = stage(t);
  const takenAtMs = Date.now() - 5000;
  const taken = `tick 9, taken at ${new Date(takenAtMs).toISOString()}`;
  await storeWorld(settings, 'cold', 5, 1000);
  await storeWorld(settings, 'hot', 7, takenAtMs);
  note(settings.data, { hot: { epoch: 0, takenAtMs, ticks: [9, 9] } });
  assert.deepEqual((await recover(settings, GAME, { folder: FOLDER })).report.skipped, []);
  for (const gone of [[1], [0, 1]]) {
    const stores = open(settings);
    await stores.hot.delete(gone.map(hotKey));
    await stores.close();
    const { report } = await recover(settings, GAME, { folder: FOLDER });
    assert.deepEqual(
      report.skipped,
      gone.map((zone) => `the hot snapshot of zone ${zone} of ${taken}, is missing`),
    );
  }
});

test('a hot snapshot in whose place an older one lies is named with both', async (t) => {
  const settings = stage(t);
  const takenAtMs = Date.now();
  await storeWorld(settings, 'hot', 7, takenAtMs - 1);
  note(settings.data, { hot: { epoch: 0, takenAtMs, ticks: [12, 9] } });
  const { report } = await recover(settings, GAME, { folder: FOLDER });
  assert.equal(report.skipped.length, 2);
  assert.match(
    report.skipped[0],
    /^the hot snapshot of zone 0 of tick 12, .*, is missing; the newest one there is of tick 9$/,
  );
});

test('cold snapshots that were deleted are named, also where older ones are left', async (t) => {
  const settings = stage(t);
  await storeWorld(settings, 'hot', 7, 2000);
  note(settings.data, { cold: { epoch: 0, takenAtMs: 2000, ticks: [9, 9] } });
  const all = await recover(settings, GAME, { folder: FOLDER });
  assert.deepEqual(
    all.report.skipped,
    [0, 1].map((zone) => `the cold snapshot of zone ${zone} of tick 9, taken at 1970-01-01T00:00:02.000Z, is missing`),
  );
  await storeWorld(settings, 'cold', 5, 1000, { worldId: WORLD_ID, tick: 4 });
  const newest = await recover(settings, GAME, { folder: FOLDER });
  assert.match(newest.report.skipped[1], /zone 1 of tick 9, .* is missing; the newest one there is of tick 4$/);
  await storeWorld(settings, 'cold', 5, 2000);
  assert.deepEqual((await recover(settings, GAME, { folder: FOLDER })).report.skipped, []);
});

test('a damaged cold snapshot is named as damaged, not as missing', async (t) => {
  const settings = stage(t);
  await storeWorld(settings, 'hot', 7, 3000);
  await storeWorld(settings, 'cold', 5, 2000);
  const stores = open(settings);
  const bytes = Buffer.from('damaged');
  for (const zone of [0, 1]) {
    await stores.cold.save(coldId(zone), {
      bytes,
      tick: 9,
      takenAtMs: 3000,
      checksum: 'x',
      meta: { worldId: WORLD_ID },
    });
  }
  await stores.close();
  note(settings.data, { cold: { epoch: 0, takenAtMs: 3000, ticks: [9, 9] } });
  const { skipped } = (await recover(settings, GAME, { folder: FOLDER })).report;
  assert.equal(skipped.length, 2);
  for (const line of skipped) assert.match(line, /^the cold snapshot 2 of zone \d: .*its checksum does not match$/);
});

test('where everything that was stored is gone no world begins in its place', async (t) => {
  const settings = stage(t);
  note(settings.data, { hot: { epoch: 0, takenAtMs: Date.now(), ticks: [9, 9] } });
  await assert.rejects(
    recover(settings, GAME, { folder: FOLDER }),
    /can be used: the hot snapshot of zone 0 of tick 9, /,
  );
  // Hot snapshots expire; that is no reason to give up the world without a word.
  note(settings.data, { hot: { epoch: 0, takenAtMs: 1000, ticks: [9, 9] } });
  await assert.rejects(recover(settings, GAME, { folder: FOLDER }), /can be used: all that was stored has expired; /);
  note(settings.data, { segment: { epoch: 5, number: 2 } });
  await assert.rejects(
    recover(settings, GAME, { folder: FOLDER }),
    /can be used: the journal of session 5 is missing: its segment 2 was the last one written; /,
  );
  // Of a world that was given up nothing is missed.
  const other = { ...FOLDER, worldId: OTHER_ID };
  assert.deepEqual((await recover(settings, GAME, { folder: other })).report.skipped, []);
});

test('a note that cannot be read is said, and no more', async (t) => {
  const settings = stage(t);
  await storeWorld(settings, 'hot', 7, 1000);
  for (const text of [
    '{"worldId":',
    '{}',
    'null',
    `{"worldId":"${WORLD_ID}","hot":{"epoch":1}}`,
    ' '.repeat(1 << 21),
  ]) {
    writeFileSync(join(settings.data, LAST_STORED_FILE), text);
    const { source, skipped } = (await recover(settings, GAME, { folder: FOLDER })).report;
    assert.equal(source, 'hot');
    if (text.includes('hot')) assert.deepEqual(skipped, []);
    else assert.match(skipped.join('\n'), /^what was stored last cannot be read: /);
  }
});

test('segments are missing by the numbers of a session, and by the last one that was noted', () => {
  const missing = (sessions: JournalSession[], epoch?: number, number = 0): string[] =>
    describeMissingSegments(sessions, epoch === undefined ? {} : { segment: { epoch, number } });
  assert.deepEqual(missing([]), []);
  assert.deepEqual(missing([session(7, 4, 5, 6)], 7, 6), [], 'the first ones are pruned');
  assert.deepEqual(
    missing([session(7, 4, 6, 9)]),
    [5, 7, 8].map((n) => `journal 7/00000${n}.journal is missing`),
  );
  assert.deepEqual(missing([session(7, 4, 5), session(6, 1, 3)]), [], 'an older session is not gone on from');
  assert.deepEqual(missing([session(7, 4, 5)], 7, 6), ['journal 7: segment 6 is missing, the last one written']);
  assert.deepEqual(missing([session(7, 4)], 7, 6), ['journal 7: segments 5 to 6 are missing, the last one written']);
  assert.deepEqual(missing([session(6, 4)], 7, 2), [
    'the journal of session 7 is missing: its segment 2 was the last one written',
  ]);
  assert.deepEqual(missing([session(8, 1), session(7, 1, 2)], 7, 2), [], 'killed before the first note of a session');
});

test('a hot snapshot is missed for as long as it lives', () => {
  const stored = { epoch: 1, takenAtMs: 1000, ticks: [5] };
  const lines = (wallMs: number): number =>
    describeMissingSnapshots('hot', [{ isPresent: false }], stored, wallMs).length;
  assert.deepEqual([lines(180999), lines(181000)], [1, 0]);
  assert.equal(describeMissingSnapshots('cold', [{ isPresent: false }], stored, 1e9).length, 1);
  assert.equal(describeMissingSnapshots('cold', [undefined], stored, 1e9).length, 0, 'a store that was not asked');
  assert.equal(describeMissingSnapshots('cold', [{ isPresent: true }, { isPresent: false }], stored, 1e9).length, 0);
});

test('the note of what is stored keeps what was noted last of each, and begins anew with another world', async (t) => {
  const { data } = stage(t);
  const lines: string[] = [];
  const say = (line: string): void => void lines.push(line);
  const zones = { epoch: 3, takenAtMs: 5, ticks: [1] };
  const file = new LastStoredFile(data, WORLD_ID, say);
  for (const takenAtMs of [1, 2, 5]) file.noteSnapshot('hot', { ...zones, takenAtMs });
  file.noteSegment({ epoch: 3, number: 1 });
  await file.settled();
  const { readLastStored } = await import('../../../src/durability/recovery/last-stored.js');
  const first = { worldId: WORLD_ID, hot: zones, segment: { epoch: 3, number: 1 } };
  assert.deepEqual(readLastStored(data), first);
  const next = new LastStoredFile(data, WORLD_ID, say);
  next.noteSnapshot('cold', zones);
  await next.settled();
  assert.deepEqual(readLastStored(data), { ...first, cold: zones });
  const other = new LastStoredFile(data, OTHER_ID, say);
  other.noteSegment({ epoch: 9, number: 1 });
  await other.settled();
  assert.deepEqual(readLastStored(data), { worldId: OTHER_ID, segment: { epoch: 9, number: 1 } });
  assert.deepEqual(lines, []);
  const nowhere = new LastStoredFile(join(data, 'gone'), WORLD_ID, say);
  for (const number of [1, 2]) {
    nowhere.noteSegment({ epoch: 9, number });
    await nowhere.settled();
  }
  assert.equal(lines.length, 1, 'once for all that follow');
  assert.match(lines[0], /last-stored\.json cannot be written: ENOENT/);
});
