// One suite for every implementation of the cold store.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { MongoClient } from 'mongodb';
import { createRandom } from '../../src/base/chance.js';
import { sha256 } from '../../src/base/checksum.js';
import { openEmbeddedColdStore } from '../../src/stores/embedded/embedded-cold-store.js';
import { EmbeddedStore } from '../../src/stores/embedded/embedded-store.js';
import { SNAPSHOT_PIECE_BYTES } from '../../src/stores/limits.js';
import { openMongoColdStore } from '../../src/stores/mongodb/mongo-cold-store.js';
import type { ColdSnapshotInput, ColdStore, PersistError } from '../../src/stores/store-ports.js';
import { openFolder } from '../folder.js';
import { requireOrSkip } from '../require.js';
import { findService, skipReason } from '../services/running.js';
import { ColdDisk, MemoryColdStore } from '../simulator/stores/memory-stores.js';
import { CALM_LINE } from '../simulator/weather.js';
import { listHistory } from './cold-history.js';

interface Prepared {
  open(): ColdStore;
  /** Changes one bit of the stored bytes, past the store. */
  damage(id: string, sequence: number): Promise<void>;
}

const IMPLEMENTATIONS = [
  {
    name: 'embedded',
    prepare(t: TestContext): Prepared | undefined {
      const folder = openFolder(t);
      return {
        open: () => openEmbeddedColdStore({ folder }),
        async damage(id, sequence) {
          const store = new EmbeddedStore(folder);
          const key = Buffer.concat([Buffer.from(`${id}\0`), Buffer.from([0, 0, 0, sequence])]);
          const bytes = Buffer.from(store.table('snapshot-bytes').get(key)!);
          bytes[bytes.length >> 1] ^= 4;
          await store.write(() => store.table('snapshot-bytes').put(key, bytes));
          await store.close();
        },
      };
    },
  },
  {
    name: 'simulated',
    prepare(): Prepared | undefined {
      const disk = new ColdDisk();
      return {
        open: () => new MemoryColdStore(disk, CALM_LINE),
        damage: async (id, sequence) => disk.damage(id, sequence),
      };
    },
  },
  {
    name: 'mongodb',
    prepare(t: TestContext): Prepared | undefined {
      const url = findService('mongodb');
      if (!requireOrSkip(t, url !== undefined, skipReason('mongodb'))) return undefined;
      return {
        open: () => openMongoColdStore({ url: url! }),
        async damage(id, sequence) {
          const client = await MongoClient.connect(url!);
          const header = await client.db().collection('snapshots').findOne({ id, sequence });
          const pieces = client.db().collection<{ _id: string; data: { value(): Uint8Array } }>('snapshot_pieces');
          const piece = await pieces.findOne({ _id: `${header!.writeId}:0` });
          const data = Buffer.from(piece!.data.value());
          data[data.length >> 1] ^= 4;
          await pieces.updateOne({ _id: `${header!.writeId}:0` }, { $set: { data } } as object);
          await client.close();
        },
      };
    },
  },
];

function snapshot(text: string, tick: number): ColdSnapshotInput {
  return { bytes: Buffer.from(text), tick, takenAtMs: 1_700_000_000_000 + tick, meta: { layout: 'abc', version: 2 } };
}

function toText(value: Uint8Array | undefined): string | undefined {
  return value && Buffer.from(value).toString();
}

for (const { name, prepare } of IMPLEMENTATIONS) {
  type Body = (open: () => ColdStore, id: string, prepared: Prepared) => Promise<void>;
  const contract = (title: string, body: Body): void => {
    test(`${name} cold store: ${title}`, { timeout: 60000 }, async (t) => {
      const prepared = prepare(t);
      if (!prepared) return;
      const opened: ColdStore[] = [];
      const open = () => {
        const store = prepared.open();
        opened.push(store);
        return store;
      };
      try {
        await body(open, `zone:${randomUUID()}`, prepared);
      } finally {
        for (const store of opened) await store.close();
      }
    });
  };

  contract('the newest snapshot comes back whole, after a reopening too', async (open, id) => {
    const store = open();
    await store.save(id, snapshot('one', 10));
    const header = await store.save(id, snapshot('two', 20));
    assert.deepEqual(header, {
      id,
      sequence: 2,
      tick: 20,
      takenAtMs: 1_700_000_000_020,
      byteCount: 3,
      checksum: sha256(Buffer.from('two')),
      meta: { layout: 'abc', version: 2 },
    });
    await store.close();
    const { snapshot: found, skipped } = await open().latest(id);
    assert.deepEqual(skipped, []);
    const { bytes, ...rest } = found!;
    assert.equal(toText(bytes), 'two');
    assert.deepEqual(rest, header);
  });

  contract('an id without snapshots has none', async (open, id) => {
    const store = open();
    assert.deepEqual(await store.latest(id), { snapshot: undefined, skipped: [] });
    assert.deepEqual(await listHistory(store, id), []);
    assert.equal(await store.prune(id, 1), 0);
  });

  contract('the history is newest first, and pruned from its old end', async (open, id) => {
    const store = open();
    for (let n = 1; n <= 5; n++) await store.save(id, snapshot(`s${n}`, n));
    await store.save(`${id}x`, snapshot('neighbour', 1));
    assert.deepEqual(
      (await listHistory(store, id)).map(({ sequence }) => sequence),
      [5, 4, 3, 2, 1],
    );
    assert.equal(await store.prune(id, 2), 3);
    assert.deepEqual(
      (await listHistory(store, id)).map(({ tick }) => tick),
      [5, 4],
    );
    const { snapshot: older } = await store.latest(id, ({ tick }) => tick < 5);
    assert.equal(toText(older?.bytes), 's4');
    assert.deepEqual(await store.latest(id, () => false), { snapshot: undefined, skipped: [] });
    assert.equal((await store.save(id, snapshot('s6', 6))).sequence, 6);
    assert.equal((await listHistory(store, `${id}x`)).length, 1);
  });

  contract('a snapshot with one flipped bit is skipped, and said so', async (open, id, { damage }) => {
    const store = open();
    for (let n = 1; n <= 3; n++) await store.save(id, snapshot(`snapshot ${n}`, n));
    await store.close();
    await damage(id, 3);
    await damage(id, 2);
    const reopened = open();
    const { snapshot: found, skipped } = await reopened.latest(id);
    assert.equal(toText(found?.bytes), 'snapshot 1');
    assert.deepEqual(
      skipped.map(({ sequence }) => sequence),
      [3, 2],
    );
    assert.match(skipped[0].reason, /checksum/);
  });

  contract('a snapshot larger than one piece comes back byte for byte', async (open, id) => {
    const random = createRandom(9);
    const bytes = new Uint8Array(SNAPSHOT_PIECE_BYTES * 2 + 12345);
    for (let i = 0; i < bytes.length; i += 101) bytes[i] = Math.floor(random() * 256);
    const store = open();
    await store.save(id, { ...snapshot('', 7), bytes });
    const { snapshot: found } = await store.latest(id);
    assert.ok(Buffer.from(bytes.buffer).equals(found!.bytes));
    await store.prune(id, 0);
  });

  contract('writers of one id get sequences of their own', async (open, id) => {
    const store = open();
    const other = open();
    const headers = await Promise.all([
      store.save(id, snapshot('a', 1)),
      other.save(id, snapshot('b', 2)),
      store.save(id, snapshot('c', 3)),
    ]);
    assert.deepEqual(headers.map(({ sequence }) => sequence).sort(), [1, 2, 3]);
  });

  contract('an empty snapshot and a bad id are refused', async (open, id) => {
    const store = open();
    const refused = (error: PersistError) => error.kind === 'rejected';
    await assert.rejects(store.save(id, snapshot('', 1)), refused);
    await assert.rejects(store.save('', snapshot('s', 1)), refused);
    await assert.rejects(store.save('a\0b', snapshot('s', 1)), refused);
  });

  contract('rows are inserted, replaced, read and deleted in batches', async (open, id) => {
    const store = open();
    const table = `t${id.slice(5, 13)}`;
    const rows = Array.from({ length: 1000 }, (_, n) => ({
      key: `k${String(n).padStart(4, '0')}`,
      value: Buffer.from(`${n}`),
    }));
    await store.putRows(table, rows);
    // Once more: replacing is another way through a server than inserting.
    await store.putRows(table, rows);
    await store.putRows(table, [
      { key: 'k0003', value: Buffer.from('first') },
      { key: 'k0003', value: Buffer.from('last') },
    ]);
    const [three, none, nine] = await store.getRows(table, ['k0003', 'none', 'k0009']);
    assert.deepEqual([toText(three), none, toText(nine)], ['last', undefined, '9']);
    await store.deleteRows(table, ['k0009', 'none']);
    assert.deepEqual(await store.getRows(table, ['k0009']), [undefined]);
    await store.putRows(table, []);
    assert.deepEqual(await store.getRows(`${table}x`, ['k0003']), [undefined]);
  });

  contract('rows are scanned by prefix and page, in order of the key', async (open, id) => {
    const store = open();
    const table = `t${id.slice(5, 13)}`;
    const keys = ['cell:1', 'cell:10', 'cell:2', 'cell:ä', 'celm:1', 'bell:1'];
    await store.putRows(
      table,
      keys.map((key) => ({ key, value: Buffer.from(key) })),
    );
    await store.putRows(`${table}x`, [{ key: 'cell:3', value: Buffer.from('x') }]);
    const first = await store.scanRows(table, 'cell:', '', 3);
    assert.deepEqual(
      first.map(({ key }) => key),
      ['cell:1', 'cell:10', 'cell:2'],
    );
    assert.equal(toText(first[1].value), 'cell:10');
    const second = await store.scanRows(table, 'cell:', 'cell:2', 3);
    assert.deepEqual(
      second.map(({ key }) => key),
      ['cell:ä'],
    );
    assert.equal((await store.scanRows(table, '', '', 100)).length, 6);
    assert.deepEqual(await store.scanKeys(table, 'cell:', '', 3), ['cell:1', 'cell:10', 'cell:2']);
    assert.deepEqual(await store.scanKeys(table, 'cell:', 'cell:2', 3), ['cell:ä']);
    const [itself, next] = [
      await store.scanRows(table, 'cell:1', '', 1),
      await store.scanRows(table, 'cell:1', 'cell:1', 9),
    ];
    assert.deepEqual(
      [...itself, ...next].map(({ key }) => key),
      ['cell:1', 'cell:10'],
      'a key that is the prefix itself comes once',
    );
  });
}

test('mongodb cold store: pieces of a write that came to no header go at the second prune that finds them', async (t) => {
  const url = findService('mongodb');
  if (!requireOrSkip(t, url !== undefined, skipReason('mongodb'))) return;
  const client = await MongoClient.connect(url!);
  const id = `zone:${randomUUID()}`;
  const [store, later] = [0, 1].map(() => openMongoColdStore({ url: url! }));
  t.after(() => Promise.all([store.close(), later.close(), client.close()]));
  const count = (): Promise<number> => client.db().collection('snapshot_pieces').countDocuments({ snapshot: id });
  // Larger than a document may be: the pieces are written, the header is not.
  const unstorable = { ...snapshot('lost', 1), meta: { note: 'x'.repeat(17 * 1024 * 1024) } };
  await assert.rejects(store.save(id, unstorable));
  await store.save(id, snapshot('kept', 2));
  assert.equal(await count(), 2);
  await store.prune(id, 9);
  assert.equal(await count(), 2, 'it may be under way');
  await store.prune(id, 9);
  assert.equal(await count(), 1);
  assert.equal(toText((await store.latest(id)).snapshot?.bytes), 'kept');

  await assert.rejects(store.save(id, unstorable));
  for (let n = 0; n < 2; n++) await later.prune(id, 9); // of the next process
  assert.equal(await count(), 1);
  await assert.rejects(store.save(id, unstorable));
  for (let n = 0; n < 2; n++) await store.prune(id, 9);
  assert.equal(await count(), 1, 'a later failure is looked for anew');
  await store.prune(id, 0);
  assert.equal(await count(), 0);
});
