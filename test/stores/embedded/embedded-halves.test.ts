// When a thread is ended in the middle of a write, the rows that it has written so far are there, and no others. Here the
// calls behind the first few of a write do nothing.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { openEmbeddedColdStore } from '../../../src/stores/embedded/embedded-cold-store.js';
import { openEmbeddedHotStore } from '../../../src/stores/embedded/embedded-hot-store.js';
import { EmbeddedStore, Table } from '../../../src/stores/embedded/embedded-store.js';
import { openFolder, until } from '../../folder.js';

/** The calls that changes go by. */
const CALLS = ['put', 'remove'] as const;

/** Changes behind the first `count` come to nothing; resolves with whether there were any. */
async function cutOff(t: TestContext, count: number, write: () => Promise<unknown>): Promise<boolean> {
  let made = 0;
  const mocks = CALLS.map((name) => {
    const call = Table.prototype[name] as (...args: Uint8Array[]) => void;
    return t.mock.method(Table.prototype, name, function (this: Table, ...args: Uint8Array[]) {
      if (++made <= count) call.apply(this, args);
    });
  });
  await write();
  for (const mock of mocks) mock.mock.restore();
  return made > count;
}

async function countRows(folder: string, table: string): Promise<number> {
  const store = new EmbeddedStore(folder);
  const count = [...store.table(table).keys({})].length;
  await store.close();
  return count;
}

test('a value whose removal was cut off is not left behind for ever', { timeout: 60000 }, async (t) => {
  for (let count = 0, isCut = true; isCut; count++) {
    const folder = openFolder(t);
    const store = openEmbeddedHotStore({ folder, sweepEveryMs: 2 ** 30 });
    await store.set([{ key: 'player', value: Buffer.from('x'), ttlMs: 1 }]);
    isCut = await cutOff(t, count, () => store.delete(['player']));
    await store.close();
    await until(`it is swept, cut off after ${count}`, async () => {
      const sweeping = openEmbeddedHotStore({ folder, sweepEveryMs: 2 });
      await sleep(20);
      await sweeping.close(); // one at a time looks into the folder
      return (await countRows(folder, 'queue')) === 0;
    });
    assert.equal(await countRows(folder, 'values'), 0, `cut off after ${count}`);
    assert.equal(await countRows(folder, 'expiries'), 0, `cut off after ${count}`);
  }
});

test('the bytes of a snapshot whose removal was cut off are not left behind for ever', {
  timeout: 60000,
}, async (t) => {
  for (let count = 0, isCut = true; isCut; count++) {
    const folder = openFolder(t);
    const store = openEmbeddedColdStore({ folder });
    for (let tick = 1; tick <= 3; tick++) {
      await store.save('zone:0', { bytes: Buffer.from(`${tick}`), tick, takenAtMs: tick, meta: {} });
    }
    isCut = await cutOff(t, count, () => store.prune('zone:0', 1));
    assert.equal((await store.latest('zone:0')).snapshot?.tick, 3);
    await store.prune('zone:0', 1);
    await store.close();
    assert.equal(await countRows(folder, 'snapshots'), 1, `cut off after ${count}`);
    assert.equal(await countRows(folder, 'snapshot-bytes'), 1, `cut off after ${count}`);
  }
});

test('what was set half is the value from before or the new one, and goes when its time is over', async (t) => {
  for (let count = 0, isCut = true; isCut; count++) {
    const folder = openFolder(t);
    const store = openEmbeddedHotStore({ folder, sweepEveryMs: 2 ** 30 });
    await store.set([{ key: 'player', value: Buffer.from('old'), ttlMs: 600000 }]);
    const write = () => store.set([{ key: 'player', value: Buffer.from('new'), ttlMs: 500000 }]);
    isCut = await cutOff(t, count, write);
    const [found] = await store.get(['player']);
    assert.match(Buffer.from(found ?? []).toString(), /^(old|new)$/, `cut off after ${count}`);
    await store.close();
  }
});
