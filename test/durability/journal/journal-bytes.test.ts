// How much a journal writes, and when it says that it is written.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { segmentName } from '../../../src/durability/journal/journal-file.js';
import { listSessions, readSegment } from '../../../src/durability/journal/journal-reader.js';
import { openFolder } from '../../folder.js';
import { JournalStage } from './journal-stage.js';

test('a journal is written from its beginning on', async (t) => {
  const stage = new JournalStage(openFolder(t));
  assert.equal(stage.writer.isWritten, false);
  await stage.writer.begin(stage.nowMs);
  assert.equal(stage.writer.isWritten, true);
  await stage.writer.close(stage.nowMs);
});

test('while no zone ticks nothing is written', async (t) => {
  const stage = new JournalStage(openFolder(t));
  await stage.writer.begin(stage.nowMs);
  stage.tickAll(3);
  await stage.run();
  const bytes = stage.counters.get('journalBytes');
  assert.ok(bytes > 0);
  for (let n = 0; n < 5; n++) await stage.run();
  assert.equal(stage.counters.get('journalBytes'), bytes);
  await stage.writer.close(stage.nowMs);
});

test('each zone is hashed as often as the settings say, and not with each writing', async (t) => {
  const stage = new JournalStage(openFolder(t), 2, { hashEveryTicks: 10 });
  await stage.writer.begin(stage.nowMs);
  for (let n = 0; n < 25; n++) {
    stage.tickAll(1);
    await stage.run();
  }
  const [session] = listSessions(stage.folder);
  const { hashes } = readSegment(session, segmentName(1));
  assert.deepEqual(
    hashes.map(({ zone, tick }) => [zone, tick]),
    [
      [0, 10],
      [1, 10],
      [0, 20],
      [1, 20],
    ],
  );
  await stage.writer.close(stage.nowMs);
});
