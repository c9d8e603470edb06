// One suite for the leases of every hot and cold store.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { openEmbeddedColdStore } from '../../src/stores/embedded/embedded-cold-store.js';
import { openEmbeddedHotStore } from '../../src/stores/embedded/embedded-hot-store.js';
import { openMongoColdStore } from '../../src/stores/mongodb/mongo-cold-store.js';
import { openRedisHotStore } from '../../src/stores/redis/redis-hot-store.js';
import type { ColdStore, Fence, HeldLease, HotStore, LeasePort } from '../../src/stores/store-ports.js';
import { openFolder, until } from '../folder.js';
import { requireOrSkip } from '../require.js';
import { findService, skipReason } from '../services/running.js';
import { ColdDisk, HotDisk, MemoryColdStore, MemoryHotStore } from '../simulator/stores/memory-stores.js';
import { CALM_LINE } from '../simulator/weather.js';

interface Subject extends LeasePort {
  /** What the lease guards. */
  write(value: string, fence: Fence): Promise<unknown>;
  read(): Promise<string | undefined>;
  close(): Promise<void>;
}

type Opener = () => Subject;

function toText(bytes: Uint8Array | undefined): string | undefined {
  return bytes && Buffer.from(bytes).toString();
}

function ofHot(store: HotStore, key: string): Subject {
  return {
    claimLease: (name, claim) => store.claimLease(name, claim),
    releaseLease: (name, holder) => store.releaseLease(name, holder),
    write: (value, fence) => store.set([{ key, value: Buffer.from(value), ttlMs: 60000 }], fence),
    read: async () => toText((await store.get([key]))[0]),
    close: () => store.close(),
  };
}

function ofCold(store: ColdStore, id: string): Subject {
  return {
    claimLease: (name, claim) => store.claimLease(name, claim),
    releaseLease: (name, holder) => store.releaseLease(name, holder),
    write: async (value, fence) => {
      await store.save(id, { bytes: Buffer.from(value), tick: 1, takenAtMs: 1, meta: {} }, fence);
      await store.prune(id, 1, fence);
    },
    read: async () => toText((await store.latest(id)).snapshot?.bytes),
    close: () => store.close(),
  };
}

const SUBJECTS: { name: string; prepare: (t: TestContext, key: string) => Opener | undefined }[] = [
  {
    name: 'embedded hot store',
    prepare: (t, key) => {
      const folder = openFolder(t);
      return () => ofHot(openEmbeddedHotStore({ folder }), key);
    },
  },
  {
    name: 'embedded cold store',
    prepare: (t, key) => {
      const folder = openFolder(t);
      return () => ofCold(openEmbeddedColdStore({ folder }), key);
    },
  },
  {
    name: 'simulated hot store',
    prepare: (_, key) => {
      const disk = new HotDisk();
      return () => ofHot(new MemoryHotStore(disk, CALM_LINE), key);
    },
  },
  {
    name: 'simulated cold store',
    prepare: (_, key) => {
      const disk = new ColdDisk();
      return () => ofCold(new MemoryColdStore(disk, CALM_LINE), key);
    },
  },
  {
    name: 'redis',
    prepare: (t, key) => {
      const url = findService('redis');
      if (!requireOrSkip(t, url !== undefined, skipReason('redis'))) return undefined;
      return () => ofHot(openRedisHotStore({ url: url! }), key);
    },
  },
  {
    name: 'mongodb',
    prepare: (t, key) => {
      const url = findService('mongodb');
      if (!requireOrSkip(t, url !== undefined, skipReason('mongodb'))) return undefined;
      return () => ofCold(openMongoColdStore({ url: url! }), key);
    },
  },
];

const TTL_MS = 60000;

function claimOf(holder: string, over?: HeldLease) {
  return { holder, about: `about ${holder}`, ttlMs: TTL_MS, ...(over && { over }) };
}

function fenceOf(lease: string, { holder, fence }: HeldLease): Fence {
  return { lease, holder, number: fence };
}

for (const { name, prepare } of SUBJECTS) {
  type Body = (open: Opener, lease: string) => Promise<void>;
  const contract = (title: string, body: Body): void => {
    test(`lease in ${name}: ${title}`, { timeout: 60000 }, async (t) => {
      const key = `test:${randomUUID()}`;
      const openSubject = prepare(t, key);
      if (!openSubject) return;
      const opened: Subject[] = [];
      try {
        await body(() => {
          const subject = openSubject();
          opened.push(subject);
          return subject;
        }, key);
      } finally {
        for (const subject of opened) await subject.close();
      }
    });
  };

  contract('one holder has it, renews it, and gives it back', async (open, lease) => {
    const [first, second] = [open(), open()];
    const taken = await first.claimLease(lease, claimOf('a'));
    assert.deepEqual(taken, { holder: 'a', fence: 1, beat: 1, about: 'about a' });
    assert.deepEqual(await second.claimLease(lease, claimOf('b')), taken, 'a claim changes nothing of it');
    assert.deepEqual(await first.claimLease(lease, { ...claimOf('a'), about: 'more' }), {
      ...taken,
      ...{ beat: 2, about: 'more' },
    });
    await second.releaseLease(lease, 'b');
    assert.equal((await second.claimLease(lease, claimOf('b'))).holder, 'a', 'only its holder gives it back');
    await first.releaseLease(lease, 'a');
    const { holder, fence } = await second.claimLease(lease, claimOf('b'));
    assert.deepEqual({ holder, fence }, { holder: 'b', fence: 2 });
  });

  contract('it is taken over from a holder that has not renewed it since, and from no other', async (open, lease) => {
    const [first, second] = [open(), open()];
    const seen = await first.claimLease(lease, claimOf('a'));
    await first.claimLease(lease, claimOf('a'));
    const refused = await second.claimLease(lease, claimOf('b', seen));
    assert.equal(refused.holder, 'a', 'renewed since it was seen');
    const taken = await second.claimLease(lease, claimOf('b', refused));
    assert.deepEqual([taken.holder, taken.fence], ['b', 2]);
    assert.equal((await first.claimLease(lease, claimOf('a'))).holder, 'b');
  });

  contract('of many who claim it at once one gets it', async (open, lease) => {
    const subjects = Array.from({ length: 6 }, open);
    const dead = await subjects[0].claimLease(lease, claimOf('dead'));
    const found = await Promise.all(subjects.map((subject, n) => subject.claimLease(lease, claimOf(`n${n}`, dead))));
    const winners = found.filter(({ holder }, n) => holder === `n${n}`);
    assert.equal(winners.length, 1);
    const [{ holder, fence }] = winners;
    assert.equal(fence, 2);
    const now = await Promise.all(subjects.map((subject, n) => subject.claimLease(lease, claimOf(`n${n}`))));
    assert.ok(now.every((other) => other.holder === holder && other.fence === fence));
  });

  contract('a write of an earlier holder is refused, however late it comes', async (open, lease) => {
    const [first, second] = [open(), open()];
    const old = await first.claimLease(lease, claimOf('a'));
    await first.write('one', fenceOf(lease, old));
    const now = await second.claimLease(lease, claimOf('b', old));
    await second.write('two', fenceOf(lease, now));
    await assert.rejects(first.write('late', fenceOf(lease, old)), (error: Error & { kind: string }) => {
      assert.equal(error.kind, 'fenced');
      assert.match(error.message, /another server holds the lease .+: its fencing token is 2, this write carries 1$/);
      return true;
    });
    assert.equal(await second.read(), 'two');
    await second.write('three', fenceOf(lease, now));
    assert.equal(await second.read(), 'three');
  });

  contract('the holder of a lease that was never taken, or was lost with the store, may write', async (open, lease) => {
    const subject = open();
    await subject.write('one', { lease, holder: 'a', number: 7 });
    assert.equal(await subject.read(), 'one');
  });
}

test('redis frees a lease that is not renewed, and the next holder has a higher token', async (t) => {
  const url = findService('redis');
  if (!requireOrSkip(t, url !== undefined, skipReason('redis'))) return;
  const store = openRedisHotStore({ url: url! });
  t.after(() => store.close());
  const lease = `test:${randomUUID()}`;
  await store.claimLease(lease, { ...claimOf('a'), ttlMs: 50 });
  let taken = await store.claimLease(lease, claimOf('b'));
  await until('it is free', async () => {
    taken = await store.claimLease(lease, claimOf('b'));
    return taken.holder === 'b';
  });
  assert.deepEqual([taken.fence, taken.beat], [2, 1]);
});
