import assert from 'node:assert/strict';
import { copyFileSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { findFileDamage } from '../../../src/stores/embedded/embedded-file.js';
import { EmbeddedStore } from '../../../src/stores/embedded/embedded-store.js';
import { openFolder } from '../../folder.js';

const KEY = Buffer.from('key');
const VALUE = Buffer.alloc(100000, 7);
const PAGE = 4096;

/** A store of a hundred kilobytes; `damage` is done to its file while it is closed. */
async function stage(t: TestContext, damage: (path: string, bytes: Buffer) => void): Promise<string> {
  const folder = openFolder(t);
  const store = new EmbeddedStore(folder);
  const table = store.table('values');
  await store.write(() => table.put(KEY, VALUE));
  await store.close();
  const path = join(folder, 'data.mdb');
  copyFileSync(path, join(folder, 'copy'));
  damage(path, readFileSync(path));
  return folder;
}

function overwrite(start: number, bytes: number): (path: string, whole: Buffer) => void {
  return (path, whole) => writeFileSync(path, whole.fill(0x5a, start, start + bytes));
}

for (const [what, damage, reason] of [
  ['a file that was cut short', (path: string) => truncateSync(path, 5 * PAGE), /it has 20480 bytes of \d{6}/],
  ['a file without its second page', (path: string) => truncateSync(path, 100), /does not begin as such a file does/],
  ['a file of something else', overwrite(0, 2 * PAGE), /does not begin as such a file does/],
  ['a file with a second page of something else', overwrite(PAGE, PAGE), /second page is not what it must be/],
  ['a file whose head points beyond its end', overwrite(136, 4), /its head points beyond its end/],
] as const) {
  test(`${what} is named, and opens again when a copy is put in its place`, async (t) => {
    const folder = await stage(t, damage);
    const path = join(folder, 'data.mdb');
    const open = async (): Promise<Uint8Array | undefined> => {
      const store = new EmbeddedStore(folder);
      try {
        return Buffer.from(store.table('values').get(KEY) ?? []);
      } finally {
        await store.close();
      }
    };
    await assert.rejects(open, (error: Error) => {
      assert.ok(error.message.startsWith(`${path} is damaged: `), error.message);
      assert.match(error.message, reason);
      return true;
    });
    copyFileSync(join(folder, 'copy'), path);
    assert.deepEqual(await open(), VALUE);
  });
}

test('a sound file, an empty one and one that is not there are not complained of', async (t) => {
  const folder = await stage(t, () => {});
  const path = join(folder, 'data.mdb');
  assert.equal(findFileDamage(path), undefined);
  assert.equal(findFileDamage(join(folder, 'none')), undefined);
  writeFileSync(path, '');
  assert.equal(findFileDamage(path), undefined);
});

test('a file that is being written is sound at every moment', async (t) => {
  const folder = openFolder(t);
  const path = join(folder, 'data.mdb');
  const store = new EmbeddedStore(folder);
  const table = store.table('values');
  for (let round = 0; round < 40; round++) {
    const written = store.write(() => {
      // Written twice: what the first took is given back in the same write.
      table.put(KEY, Buffer.alloc((round % 7) * 50000 + 1));
      table.put(KEY, Buffer.alloc((round % 5) * 90000 + 1));
      if (round % 3 === 0) table.remove(KEY);
    });
    assert.equal(findFileDamage(path), undefined);
    await written;
    assert.equal(findFileDamage(path), undefined);
  }
  await store.close();
});
