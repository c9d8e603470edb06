import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BanBook, type StoredBan } from '../../../src/durability/commands/ban-book.js';
import { openEmbeddedColdStore } from '../../../src/stores/embedded/embedded-cold-store.js';
import { openMongoColdStore } from '../../../src/stores/mongodb/mongo-cold-store.js';
import type { ColdStore } from '../../../src/stores/store-ports.js';
import { openFolder, until } from '../../folder.js';
import { requireOrSkip } from '../../require.js';
import { findService, skipReason } from '../../services/running.js';

const NOW_MS = 1_000_000;

function name(who: string, untilMs = NOW_MS + 1000): StoredBan {
  return { kind: 'name', who, untilMs };
}

async function checkBook(open: () => ColdStore): Promise<void> {
  const first = open();
  const book = new BanBook(first, assert.fail);
  const bans = [name('Eve'), { kind: 'address', who: '10.0.0.1', untilMs: NOW_MS + 5000 } as const, name('a\0b')];
  for (const ban of bans) assert.ok(await book.keep(ban));
  assert.ok(await book.keep(name('Eve', NOW_MS + 9000)));
  await book.stop();
  // One that knows nothing of the former one.
  const other = new BanBook(first, assert.fail);
  assert.ok(await other.keep(name('Eve', NOW_MS + 2000)));
  await other.stop();
  await first.putRows('bans', [{ key: 'name:damaged', value: Uint8Array.of(0xc1) }]);
  await first.close();

  const second = open();
  const whoAt = async (nowMs: number) =>
    (await new BanBook(second, assert.fail).load(() => nowMs))!.map(({ kind, who, untilMs }) => [kind, who, untilMs]);
  assert.deepEqual((await whoAt(NOW_MS)).sort(), [
    ['address', '10.0.0.1', NOW_MS + 5000],
    ['name', 'Eve', NOW_MS + 9000],
    ['name', 'a\0b', NOW_MS + 1000],
  ]);
  assert.deepEqual(await whoAt(NOW_MS + 5000), [['name', 'Eve', NOW_MS + 9000]]);
  assert.equal((await second.scanRows('bans', '', '', 100)).length, 1, 'what is over is forgotten in the store too');
  assert.deepEqual(await whoAt(NOW_MS + 9000), []);
  await second.close();
}

test('bans are there for the next process until they are over', async (t) => {
  const folder = openFolder(t);
  await checkBook(() => openEmbeddedColdStore({ folder }));
});

test('the same in MongoDB', async (t) => {
  const url = findService('mongodb');
  if (!requireOrSkip(t, url !== undefined, skipReason('mongodb'))) return;
  const own = new URL(url as string);
  own.pathname = `/bans${process.pid}`;
  await checkBook(() => openMongoColdStore({ url: own.href }));
});

test('a store that is away is waited for, and told of once', async (t) => {
  const store = openEmbeddedColdStore({ folder: openFolder(t) });
  t.after(() => store.close());
  let isAway = true;
  const shy =
    <A extends unknown[], R>(call: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      if (isAway) throw new Error('the store is away');
      return call(...args);
    };
  const lines: string[] = [];
  const faulty = {
    getRows: shy(store.getRows.bind(store)),
    putRows: shy(store.putRows.bind(store)),
    deleteRows: shy(store.deleteRows.bind(store)),
    scanRows: shy(store.scanRows.bind(store)),
  };
  const book = new BanBook(faulty, (line) => lines.push(line), 50, 100);
  const loading = book.load(() => NOW_MS);
  const kept = [book.keep(name('Eve')), book.keep(name('Cain'))];
  await until('it is told of', () => lines.length > 0);
  assert.deepEqual(await Promise.all(kept), [false, false], 'nobody is told that they are stored');
  isAway = false;
  await until('both are stored', async () => (await store.scanRows('bans', '', '', 10)).length === 2);
  assert.ok((await loading) !== undefined);
  assert.equal(lines.length, 1);
  await book.stop();

  isAway = true;
  const second = new BanBook(faulty, (line) => lines.push(line), 50);
  const never = second.load();
  void second.keep(name('Abel'));
  await second.stop();
  assert.equal(await never, undefined);
  assert.match(lines.at(-1)!, /1 bans were not stored/);
});
