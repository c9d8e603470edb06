import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { keepWorld, openWorldFolder, settle, WORLD_FILE } from '../../../src/durability/recovery/world-folder.js';
import { openFolder } from '../../folder.js';
import { GAME, gameWith, openSilent, recover, stage, storeWorld, WORLD_ID } from './world-stage.js';

test('a column whose type has grown keeps its values, and what changed is one line', async (t) => {
  const settings = stage(t);
  await storeWorld(settings, 'hot', 65535, 1000);
  const { report, lines, cells } = await recover(settings, gameWith({ score: { type: 'f64' }, level: { type: 'u8' } }));
  assert.equal(report.source, 'hot');
  assert.equal(report.snapshotTick, 9);
  assert.deepEqual(report.skipped, []);
  assert.deepEqual(cells('score'), [65535, 65535]);
  assert.deepEqual(cells('level'), [0, 0]);
  assert.deepEqual(
    lines.filter((line) => line.includes('columns')),
    ['recovery: columns changed: score was u16 and is f64; level is new and zero; stamina is no longer there'],
  );
});

test('a game that has not changed says nothing of columns', async (t) => {
  const settings = stage(t);
  await storeWorld(settings, 'hot', 7, 1000);
  const { lines, cells } = await recover(settings, GAME);
  assert.deepEqual(cells('score'), [7, 7]);
  assert.ok(!lines.some((line) => line.includes('columns')), lines.join('\n'));
});

test('a snapshot with a value that no longer fits is passed over for an older one that does', async (t) => {
  const settings = stage(t);
  await storeWorld(settings, 'cold', 200, 1000);
  await storeWorld(settings, 'hot', 300, 2000);
  const { report, cells } = await recover(settings, gameWith({ score: { type: 'u8' } }));
  assert.equal(report.source, 'cold');
  assert.deepEqual(cells('score'), [200, 200]);
  assert.equal(report.skipped.length, 2);
  assert.match(
    report.skipped[0],
    /^the hot snapshot of zone \d: column score was u16 and is u8 now, which 300 of row 4 does not fit$/,
  );
});

test('a store that answers a little later is waited for, and the world goes on', async (t) => {
  const settings = stage(t);
  await storeWorld(settings, 'hot', 77, 1000);
  const { report, lines, cells } = await recover(settings, GAME, { open: openSilent(5) });
  assert.equal(report.source, 'hot');
  assert.deepEqual(report.skipped, []);
  assert.deepEqual(cells('score'), [77, 77]);
  assert.equal(lines.filter((line) => line.includes('asked again')).length, 1);
});

test('where a store is silent and the other one has the world, that one is taken', async (t) => {
  const settings = stage(t);
  await storeWorld(settings, 'cold', 78, 1000);
  const { report, cells } = await recover(settings, GAME, { open: openSilent(Infinity), waitMs: 300 });
  assert.equal(report.source, 'cold');
  assert.deepEqual(cells('score'), [78, 78]);
  assert.equal(report.skipped.length, 2);
});

const OTHER_ID = '0c3d2a50-8f0f-4c0e-9d43-3f6f3b1d9a22';

test("a store that another server has written to meanwhile does not make a folder that server's world", async (t) => {
  const settings = stage(t);
  const folder = { worldId: WORLD_ID, earlier: [], writers: [] };
  await storeWorld(settings, 'cold', 7, 1000, { worldId: WORLD_ID, epoch: 10 });
  for (let n = 0; n < 2; n++) await storeWorld(settings, 'cold', 8, 2000, { worldId: OTHER_ID, epoch: 11 });
  await storeWorld(settings, 'hot', 9, 3000, { worldId: OTHER_ID, epoch: 11 });
  const { report, cells } = await recover(settings, GAME, { folder });
  assert.deepEqual([report.source, report.worldId], ['cold', WORLD_ID]);
  assert.deepEqual(cells('score'), [7, 7]);
  assert.deepEqual(report.skipped.sort(), [
    `the cold store keeps world ${OTHER_ID}, but ${settings.data} is world ${WORLD_ID}: what is of the other one is passed over`,
    `the hot store keeps world ${OTHER_ID}, but ${settings.data} is world ${WORLD_ID}: what is of the other one is passed over`,
  ]);
  // A folder that is nobody's yet takes up the newest: the machine of that world may be gone.
  assert.equal((await recover(settings, GAME, { folder: { ...folder, worldId: '' } })).report.worldId, OTHER_ID);
});

const MY_SERVER = '1d3c2a50-8f0f-4c0e-9d43-3f6f3b1d9a22';
const COPYS_SERVER = '2e3c2a50-8f0f-4c0e-9d43-3f6f3b1d9a22';

test('what a server on a copy of the folder wrote later is passed over, and said so', async (t) => {
  const settings = stage(t);
  const folder = { worldId: WORLD_ID, earlier: [], writers: [MY_SERVER] };
  const ofCopy = { worldId: WORLD_ID, writer: COPYS_SERVER, epoch: 12 };
  await storeWorld(settings, 'cold', 7, 1000, { worldId: WORLD_ID, writer: MY_SERVER, epoch: 10 });
  await storeWorld(settings, 'cold', 8, 2000, { ...ofCopy, tick: 20 });
  await storeWorld(settings, 'cold', 8, 2000, { ...ofCopy, tick: 30 });
  await storeWorld(settings, 'hot', 9, 3000, { ...ofCopy, tick: 40 });
  const { report, cells, epochMin } = await recover(settings, GAME, { folder });
  assert.equal(report.source, 'cold');
  assert.deepEqual(cells('score'), [7, 7]);
  assert.equal(epochMin, 13, 'no two sessions of one world have the same number');
  const { data } = settings;
  const passedOver = `that a server on a copy of ${data} wrote (session 12): it is passed over for what ${data} wrote itself`;
  assert.deepEqual(report.skipped.sort(), [
    `the cold store has a snapshot of tick 30 ${passedOver}`,
    `the hot store has a snapshot of tick 40 ${passedOver}`,
  ]);
});

test('where nothing of its own is left, a folder goes on from what its copy wrote, and says so', async (t) => {
  const settings = stage(t);
  const folder = { worldId: WORLD_ID, earlier: [], writers: [MY_SERVER] };
  await storeWorld(settings, 'hot', 9, 3000, { worldId: WORLD_ID, writer: COPYS_SERVER, epoch: 12, tick: 40 });
  const { report, cells } = await recover(settings, GAME, { folder });
  assert.equal(report.source, 'hot');
  assert.deepEqual(cells('score'), [9, 9]);
  const { data } = settings;
  assert.deepEqual(report.skipped, [
    `the hot store has a snapshot of tick 40 that a server on a copy of ${data} wrote (session 12): it is taken up, as ${data} does not have every zone itself`,
  ]);
});

test('a snapshot of before worlds had ids is still taken up', async (t) => {
  const settings = stage(t);
  await storeWorld(settings, 'hot', 7, 1000, {});
  await storeWorld(settings, 'cold', 6, 500, {});
  const folder = { worldId: WORLD_ID, earlier: [], writers: [] };
  const { report, cells } = await recover(settings, GAME, { folder });
  assert.equal(report.source, 'hot');
  assert.deepEqual(cells('score'), [7, 7]);
  assert.deepEqual(report.skipped, []);
});

test('a folder remembers the worlds that it was, and the servers that ran on it', (t) => {
  const data = openFolder(t);
  const lines: string[] = [];
  const log = { debug() {}, info() {}, warn: (_: object, line: string) => void lines.push(line), error() {} };
  const first = openWorldFolder(data, log);
  assert.deepEqual([first.worldId, first.earlier], ['', []]);
  for (const worldId of [WORLD_ID, OTHER_ID]) keepWorld(data, settle(openWorldFolder(data, log), worldId, worldId));
  const writers = [WORLD_ID, OTHER_ID];
  assert.deepEqual(openWorldFolder(data, log), { worldId: OTHER_ID, earlier: [WORLD_ID], writers });
  assert.deepEqual(lines, []);
  writeFileSync(join(data, WORLD_FILE), '{"worldId":');
  assert.equal(openWorldFolder(data, log).worldId, '');
  assert.match(lines[0], /world\.json cannot be read: .*; it is written anew$/);
});
