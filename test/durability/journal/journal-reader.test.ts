import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { segmentName } from '../../../src/durability/journal/journal-file.js';
import { findMissingSegments, listSessions } from '../../../src/durability/journal/journal-reader.js';
import { openFolder } from '../../folder.js';

test('the segments that are missing between the first and the last are named, and no others', () => {
  const names = (numbers: number[]): string[] => numbers.map(segmentName);
  assert.deepEqual(findMissingSegments(names([4, 5, 6])), []);
  assert.deepEqual(findMissingSegments(names([4, 6])), names([5]));
  assert.deepEqual(findMissingSegments(names([9, 4, 7])), names([5, 6, 8]));
  assert.deepEqual(findMissingSegments(names([4])), []);
});

test('sessions are listed newest first, with their segments in order; one without any is none, nor is a folder of another name', (t) => {
  const folder = openFolder(t);
  const segments = [10, 9, 2].map(segmentName);
  for (const name of ['9', '10', '11', 'notes']) mkdirSync(join(folder, name));
  for (const session of ['9', '10', 'notes']) {
    for (const name of segments) writeFileSync(join(folder, session, name), '');
    writeFileSync(join(folder, session, `${segments[0]}.new`), '');
  }
  assert.deepEqual(
    listSessions(folder).map(({ epoch, info, segments: found }) => ({ epoch, info, found })),
    [10, 9].map((epoch) => ({ epoch, info: undefined, found: segments.toReversed() })),
  );
});

test('where there is no folder there are no sessions; one that cannot be read is an error', (t) => {
  const folder = openFolder(t);
  assert.deepEqual(listSessions(join(folder, 'none')), []);
  writeFileSync(join(folder, 'file'), '');
  assert.throws(() => listSessions(join(folder, 'file')), { code: 'ENOTDIR' });
});
