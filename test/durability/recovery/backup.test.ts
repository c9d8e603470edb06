import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { backUpFolder } from '../../../src/durability/recovery/backup.js';
import { openFolder } from '../../folder.js';
import { GAME, open, recover, stage, storeWorld } from './world-stage.js';

function write(folder: string, ...names: string[]): void {
  for (const name of names) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), name);
  }
}

test('a copy has the stores, the journals and what says which world it is; drafts and the lock stay behind', async (t) => {
  const settings = stage(t);
  const { data } = settings;
  await storeWorld(settings, 'hot', 7, 1000);
  await storeWorld(settings, 'cold', 5, 500);
  const kept = [
    'world.json',
    'resume.key',
    'journal/5/session.json',
    'journal/5/000001.journal',
    'journal/kept/4/1.journal',
  ];
  write(data, ...kept, 'tessera.lock', 'tessera.lock.1', 'world.json.new', 'journal/5/000002.journal.new');
  const target = join(openFolder(t), 'below', 'copy');
  const { files, bytes } = await backUpFolder(data, target);
  const found = readdirSync(target, { recursive: true, encoding: 'utf8' });
  for (const name of kept) assert.equal(readFileSync(join(target, name), 'utf8'), name);
  assert.deepEqual(
    found.filter((name) => /lock|\.new$/.test(name) && !name.endsWith('lock.mdb')),
    [],
  );
  assert.equal(files, kept.length + 3, found.join('\n'));
  assert.ok(bytes > 3 * 4096);
  assert.deepEqual(readdirSync(join(target, 'stores')).sort(), ['cold', 'hot', 'log']);
  const { report, cells } = await recover({ ...settings, data: target, start: 'cold:9' }, GAME);
  assert.equal(report.source, 'cold');
  assert.deepEqual(cells('score'), [5, 5]);
  const original = open(settings);
  await original.close();
});

test('a backup is refused where there is nothing, where something is, and inside of itself', async (t) => {
  const [data, target] = [openFolder(t), openFolder(t)];
  const refused = (from: string, to: string, reason: RegExp) => assert.rejects(backUpFolder(from, to), reason);
  await refused(data, target, /^Error: data is .*, and there is nothing in it to back up$/);
  await refused(join(data, 'gone'), target, /nothing in it to back up/);
  write(data, 'world.json');
  write(target, 'mine');
  await refused(data, target, /^Error: to is .*, which is not empty; name a new folder$/);
  await refused(data, join(data, 'copy'), /^Error: to is .*, inside of the data folder .*; name one outside of it$/);
  assert.deepEqual(readdirSync(data), ['world.json']);
  // A folder that only begins with the same name is another one.
  const beside = `${join(target, 'data')}-copy`;
  write(join(target, 'data'), 'world.json');
  assert.equal((await backUpFolder(join(target, 'data'), beside)).files, 1);
});
