import assert from 'node:assert/strict';
import { copyFileSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { findFileDamage } from '../../../src/stores/embedded/embedded-file.js';
import { EmbeddedStore } from '../../../src/stores/embedded/embedded-store.js';
import { requireSoundStores } from '../../../src/stores/open-stores.js';
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

test('a file that was cut anywhere is named, or all that is in use is still there', { timeout: 120000 }, async (t) => {
  const folder = openFolder(t);
  const path = join(folder, 'data.mdb');
  const store = new EmbeddedStore(folder);
  // Rows in leaves of their own, large ones, a tree of some depth, and free pages between them.
  for (const name of ['one', 'two']) {
    const table = store.table(name);
    for (let round = 0; round < 4; round++) {
      await store.write(() => {
        for (let n = 0; n < 1200; n++)
          table.put(Buffer.from(`${name}${n}`), Buffer.alloc(n % 50 === 0 ? 20000 : 200, n));
      });
    }
  }
  await store.close();
  const whole = readFileSync(path);
  assert.equal(findFileDamage(path), undefined);
  let named = 0;
  for (let percent = 5; percent < 100; percent += 5) {
    const size = Math.floor((whole.length * percent) / 100);
    writeFileSync(path, whole.subarray(0, size));
    const damage = findFileDamage(path);
    if (damage !== undefined) {
      assert.match(damage, new RegExp(`^it has ${size} bytes of \\d+$`));
      named++;
    }
  }
  assert.ok(named >= 15, `${named} of 19 are named`);
});

test('a server does not start over a store file that was cut: one line names it, its size and what it should be', async (t) => {
  for (const store of ['log', 'hot', 'cold', 'spool']) {
    const data = openFolder(t);
    const folder = join(data, store);
    const opened = new EmbeddedStore(folder);
    const table = opened.table('values');
    await opened.write(() => table.put(KEY, Buffer.alloc(3_000_000)));
    await opened.close();
    const path = join(folder, 'data.mdb');
    const size = Math.floor(statSync(path).size * 0.97);
    truncateSync(path, size);
    const own = { folder: data, kafka: '', redis: '', mongodb: '' };
    assert.throws(
      () => requireSoundStores(own),
      (error: Error) => error.message.startsWith(`${path} is damaged: it has ${size} bytes of `),
      store,
    );
    const networked = { folder: data, kafka: 'k', redis: 'r', mongodb: 'm' };
    if (store === 'spool') assert.throws(() => requireSoundStores(networked));
    else requireSoundStores(networked);
  }
});

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
