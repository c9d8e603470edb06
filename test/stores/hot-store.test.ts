// One suite for every implementation of the hot store.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { Redis } from 'ioredis';
import { createRandom } from '../../src/base/chance.js';
import { openEmbeddedHotStore } from '../../src/stores/embedded/embedded-hot-store.js';
import { openRedisHotStore } from '../../src/stores/redis/redis-hot-store.js';
import type { HotStore, PersistError } from '../../src/stores/store-ports.js';
import { openFolder, until } from '../folder.js';
import { requireOrSkip } from '../require.js';
import { findService, skipReason } from '../services/running.js';
import { HotDisk, MemoryHotStore } from '../simulator/stores/memory-stores.js';
import { CALM_LINE } from '../simulator/weather.js';

const IMPLEMENTATIONS = [
  {
    // Nothing is swept while a test runs: what is over must be invisible all the same.
    name: 'embedded, unswept',
    prepare(t: TestContext): (() => HotStore) | undefined {
      const folder = openFolder(t);
      return () => openEmbeddedHotStore({ folder, sweepEveryMs: 600000 });
    },
  },
  {
    name: 'embedded',
    prepare(t: TestContext): (() => HotStore) | undefined {
      const folder = openFolder(t);
      return () => openEmbeddedHotStore({ folder, sweepEveryMs: 20 });
    },
  },
  {
    name: 'simulated',
    prepare(): (() => HotStore) | undefined {
      const disk = new HotDisk();
      return () => new MemoryHotStore(disk, CALM_LINE);
    },
  },
  {
    name: 'redis',
    prepare(t: TestContext): (() => HotStore) | undefined {
      const url = findService('redis');
      if (!requireOrSkip(t, url !== undefined, skipReason('redis'))) return undefined;
      return () => openRedisHotStore({ url: url! });
    },
  },
];

const MINUTE_MS = 60000;

function toText(value: Uint8Array | undefined): string | undefined {
  return value && Buffer.from(value).toString();
}

for (const { name, prepare } of IMPLEMENTATIONS) {
  const contract = (title: string, body: (open: () => HotStore, prefix: string) => Promise<void>): void => {
    test(`${name} hot store: ${title}`, { timeout: 60000 }, async (t) => {
      const openStore = prepare(t);
      if (!openStore) return;
      const opened: HotStore[] = [];
      try {
        await body(() => {
          const store = openStore();
          opened.push(store);
          return store;
        }, `test:${randomUUID()}:`);
      } finally {
        for (const store of opened) await store.close();
      }
    });
  };

  contract('what was set is read again, by others too and after a reopening', async (open, prefix) => {
    const store = open();
    const value = Uint8Array.from({ length: 256 }, (_, index) => index);
    await store.set([
      { key: `${prefix}a`, value, ttlMs: MINUTE_MS },
      { key: `${prefix}b`, value: Buffer.from('b'), ttlMs: MINUTE_MS },
    ]);
    const [a, none, b] = await store.get([`${prefix}a`, `${prefix}none`, `${prefix}b`]);
    assert.deepEqual(new Uint8Array(a!), value);
    assert.equal(none, undefined);
    assert.equal(toText(b), 'b');
    await store.close();
    const [again] = await open().get([`${prefix}a`]);
    assert.deepEqual(new Uint8Array(again!), value);
  });

  contract('a later value replaces an earlier one, in one call too', async (open, prefix) => {
    const store = open();
    const key = `${prefix}k`;
    await store.set([
      { key, value: Buffer.from('one'), ttlMs: MINUTE_MS },
      { key, value: Buffer.from('two'), ttlMs: MINUTE_MS },
    ]);
    assert.equal(toText((await store.get([key]))[0]), 'two');
    await store.set([{ key, value: Buffer.from('three'), ttlMs: MINUTE_MS }]);
    assert.equal(toText((await store.get([key]))[0]), 'three');
  });

  contract('a value is gone when its time is over, and not before', async (open, prefix) => {
    const store = open();
    await store.set([
      { key: `${prefix}short`, value: Buffer.from('s'), ttlMs: 60 },
      { key: `${prefix}long`, value: Buffer.from('l'), ttlMs: MINUTE_MS },
    ]);
    await until('the end of the short one', async () => (await store.get([`${prefix}short`]))[0] === undefined);
    assert.equal(toText((await store.get([`${prefix}long`]))[0]), 'l');
  });

  contract('a value set anew lives by its new time', async (open, prefix) => {
    const store = open();
    const key = `${prefix}k`;
    await store.set([{ key, value: Buffer.from('one'), ttlMs: 80 }]);
    await store.set([{ key, value: Buffer.from('two'), ttlMs: MINUTE_MS }]);
    await store.set([{ key: `${prefix}mark`, value: Buffer.from('m'), ttlMs: 200 }]);
    await until('the mark to go', async () => (await store.get([`${prefix}mark`]))[0] === undefined);
    assert.equal(toText((await store.get([key]))[0]), 'two');
  });

  contract('a key may have any characters, and is deleted without its neighbours', async (open, prefix) => {
    const store = open();
    const ends = ['b', 'a', 'a*', 'ä', 'a[1]', 'z'];
    const keys = ends.map((end) => `${prefix}${end}`);
    await store.set(ends.map((end) => ({ key: prefix + end, value: Buffer.from(`${end}:${end}`), ttlMs: MINUTE_MS })));
    await store.delete([`${prefix}a*`, `${prefix}nothing`]);
    const left = (await store.get(keys)).map(toText);
    assert.deepEqual(left, ['b:b', 'a:a', undefined, 'ä:ä', 'a[1]:a[1]', 'z:z']);
  });

  contract('a snapshot of many megabytes comes back byte for byte', async (open, prefix) => {
    const random = createRandom(5);
    const value = new Uint8Array(12 * 1024 * 1024);
    for (let i = 0; i < value.length; i += 64) value[i] = Math.floor(random() * 256);
    const store = open();
    await store.set([{ key: `${prefix}large`, value, ttlMs: MINUTE_MS }]);
    const [read] = await store.get([`${prefix}large`]);
    assert.ok(Buffer.from(value.buffer).equals(read!));
    await store.delete([`${prefix}large`]);
  });

  contract('thousands of entries go in one call', async (open, prefix) => {
    const store = open();
    const entries = Array.from({ length: 5000 }, (_, n) => {
      return { key: `${prefix}${n}`, value: Buffer.from(`v${n}`), ttlMs: MINUTE_MS };
    });
    await store.set(entries);
    const values = await store.get(entries.map(({ key }) => key));
    assert.ok(values.every((value, n) => toText(value) === `v${n}`));
    await store.delete(entries.map(({ key }) => key));
    assert.ok((await store.get(entries.map(({ key }) => key))).every((value) => value === undefined));
  });

  contract('an entry without a key or without time is refused, and with it the call', async (open, prefix) => {
    const store = open();
    const good = { key: `${prefix}good`, value: Buffer.from('g'), ttlMs: MINUTE_MS };
    const refused = (error: PersistError) => error.kind === 'rejected';
    await assert.rejects(store.set([good, { ...good, key: '' }]), refused);
    await assert.rejects(store.set([good, { ...good, ttlMs: 0 }]), refused);
    assert.equal((await store.get([`${prefix}good`]))[0], undefined);
  });

  contract('a closed store answers nothing', async (open, prefix) => {
    const store = open();
    await store.close();
    const closed = (error: PersistError) => error.kind === 'closed';
    await assert.rejects(store.get([`${prefix}a`]), closed);
    await assert.rejects(store.set([{ key: `${prefix}a`, value: Buffer.from('a'), ttlMs: 1 }]), closed);
  });
}

test('where nobody listens the complaint is of the address, without the password', async (t) => {
  const store = openRedisHotStore({ url: 'redis://:secret@127.0.0.1:1/3', connectTimeoutMs: 100 });
  t.after(() => store.close());
  await assert.rejects(store.get(['key']), (error: PersistError) => {
    assert.equal(error.kind, 'unavailable');
    assert.equal(error.message, 'get: no connection to 127.0.0.1:1: connect ECONNREFUSED 127.0.0.1:1');
    return true;
  });
});

test('where Redis is and cannot be used the complaint says why, without the password', {
  timeout: 60000,
}, async (t) => {
  const url = findService('redis');
  if (!requireOrSkip(t, url !== undefined, skipReason('redis'))) return;
  const stranger = new URL(url!);
  Object.assign(stranger, { username: 'nobody', password: 'opensesame' });
  // Redis would go on with database 0, which may be another world's.
  const beyond = new URL('/9999', url);
  const complaints: [string, RegExp][] = [
    [stranger.href, /^redis: get: no connection to .+: WRONGPASS/],
    [beyond.href, /^redis: get: .+\/9999: ERR DB index is out of range$/],
  ];
  for (const [address, expected] of complaints) {
    const notices: string[] = [];
    const store = openRedisHotStore({ url: address, connectTimeoutMs: 500, onNotice: (line) => notices.push(line) });
    t.after(() => store.close());
    await assert.rejects(store.get(['key']), (error: PersistError) => error.kind === 'unavailable');
    assert.match(notices.join(), expected);
    assert.ok(!JSON.stringify([notices, store.health()]).includes('opensesame'), 'not the password');
  }
});

test('redis hot store: a key of another type is read as a damaged value, and written over by the next set', async (t) => {
  const url = findService('redis');
  if (!requireOrSkip(t, url !== undefined, skipReason('redis'))) return;
  const [key, good] = [`mistyped:${randomUUID()}`, `good:${randomUUID()}`];
  const client = new Redis(url!);
  const store = openRedisHotStore({ url: url! });
  t.after(async () => {
    await store.delete([key, good]);
    await store.close();
    await client.quit();
  });
  await client.hset(key, 'field', 'value');
  await store.set([{ key: good, value: Buffer.from('1'), ttlMs: MINUTE_MS }]);
  await assert.rejects(
    store.get([good, key]),
    ({ kind, message }: PersistError) => kind === 'corrupt' && message.includes(`key ${key} is of another Redis type`),
  );
  assert.equal(toText((await store.get([good]))[0]), '1');
  await store.set([{ key, value: Buffer.from('2'), ttlMs: MINUTE_MS }]);
  assert.equal(toText((await store.get([key]))[0]), '2');
});
