// A segment that is not one yet: what it may hold, what it misses, and what is left when it is given up.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { DISK } from '../../../src/durability/journal/journal-disk.js';
import { type Batch, closeQuietly, SegmentDraft } from '../../../src/durability/journal/journal-draft.js';
import { openFolder } from '../../folder.js';

const HELD_BYTES_MAX = 100;
const FILE_BYTES_MAX = 1000;

async function openDraft(t: TestContext): Promise<{ draft: SegmentDraft; folder: string; path: string }> {
  const folder = openFolder(t);
  const path = join(folder, 'segment');
  const draft = new SegmentDraft(DISK, HELD_BYTES_MAX, FILE_BYTES_MAX);
  await draft.open(path);
  return { draft, folder, path };
}

function batch(text: string): Batch {
  const frames = Buffer.from(text);
  return { frames, tally: { bytes: frames.length, ticks: 1, lastTick: 1, isCounted: false } };
}

test('what comes before its states are written stands behind them, and is told apart in bytes', async (t) => {
  const { draft, path } = await openDraft(t);
  assert.equal(await draft.add(batch('held')), undefined);
  await draft.addState(0, Buffer.from('state;'), 1);
  const file = await draft.publish();
  assert.equal(await draft.add(batch(';more')), undefined);
  await closeQuietly(file);
  assert.equal(readFileSync(path, 'utf8'), 'state;held;more');
  assert.deepEqual([draft.stateBytes, draft.tickBytes, draft.tallies.length], [6, 9, 2]);
});

test('it holds as much as its bound, and is of no use with a byte more', async (t) => {
  const { draft } = await openDraft(t);
  for (let n = 0; n < 2; n++) assert.equal(await draft.add(batch('x'.repeat(HELD_BYTES_MAX / 2))), undefined);
  assert.match(String(await draft.add(batch('x'))), /the disk is slow: 100 bytes/);
  await assert.rejects(draft.addState(0, Buffer.from('state'), 1), /the disk is slow/);
  await draft.discard();
});

test('its states are as long as a file may be, and no longer', async (t) => {
  const { draft } = await openDraft(t);
  for (const zone of [0, 1]) await draft.addState(zone, Buffer.alloc(FILE_BYTES_MAX / 2), 1);
  await assert.rejects(draft.addState(2, Buffer.alloc(1), 1), /over 1000 bytes/);
  await draft.discard();
});

test('it has a gap only where a record behind its state is missing', async (t) => {
  const { draft } = await openDraft(t);
  draft.missBefore(0, 9);
  assert.equal(draft.hasGap, false, 'its state is not copied yet');
  await draft.addState(0, Buffer.alloc(1), 9);
  draft.missBefore(0, 10);
  assert.equal(draft.hasGap, false, 'the state has what is missing');
  draft.missBefore(0, 11);
  assert.equal(draft.hasGap, true);
  await draft.discard();
});

test('nothing is left of one that was given up, and it takes nothing more', async (t) => {
  const { draft, folder } = await openDraft(t);
  await draft.addState(0, Buffer.alloc(10), 1);
  assert.equal(readdirSync(folder).length, 1);
  await draft.discard();
  assert.deepEqual(readdirSync(folder), []);
  assert.match(String(await draft.add(batch('late'))), /given up/);
  await new SegmentDraft(DISK, 1, 1).discard(); // it had no file
});
