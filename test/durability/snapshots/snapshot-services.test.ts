// What a server leaves in Redis and MongoDB, read with the tools that people have: redis-cli and the plain driver.

import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import { brotliDecompressSync } from 'node:zlib';
import { type Binary, MongoClient } from 'mongodb';
import type { SnapshotHeader } from '../../../src/durability/snapshots/zone-snapshot.js';
import { requireOrSkip } from '../../require.js';
import { startServer, type TestServer } from '../../server.js';
import { findService, OwnService, skipReason } from '../../services/running.js';

const run = promisify(execFile);
const ZONES = 4;
const TTL_MS = 180_000;
/** Scalars, globals, marks; then the first column. */
const BODY_START = 64 * 4 + 64 * 8 + 64 * 4;
const BYTES_MAX = 64 * 1024 * 1024;

interface SnapshotDocument {
  _id: string;
  id: string;
  sequence: number;
  tick: number;
  byteCount: number;
  pieces: number;
  writeId: string;
  checksum: string;
  meta: Record<string, string | number>;
}

/** Nothing but what the head of zone-snapshot.ts says. */
function readAsAStranger(bytes: Buffer): { header: SnapshotHeader; body: Buffer } {
  const bodyStart = 36 + bytes.readUInt32LE(0);
  assert.deepEqual(createHash('sha256').update(bytes.subarray(36)).digest(), bytes.subarray(4, 36));
  const header = JSON.parse(bytes.toString('utf8', 36, bodyStart)) as SnapshotHeader;
  const body = brotliDecompressSync(bytes.subarray(bodyStart));
  assert.equal(body.length, header.bodyBytes);
  return { header, body };
}

async function serveUntil(t: TestContext, args: readonly string[], metric: string): Promise<TestServer> {
  const server = await startServer(['--bots', '100', '--hot-snapshot-ms', '1000', ...args]);
  t.after(() => server.stop());
  await server.untilCounter(metric, 1);
  return server;
}

test('redis-cli shows a snapshot of each zone, with its time to live', { timeout: 120_000 }, async (t) => {
  const hasTools = ['redis-server', 'redis-cli'].every((name) => spawnSync(name, ['--version']).status === 0);
  if (!requireOrSkip(t, hasTools, 'needs redis-server and redis-cli')) return;
  const redis = await OwnService.start('redis');
  t.after(() => redis.stop());
  const ask = async (...command: string[]): Promise<Buffer> => {
    const args = ['-p', String(redis.port), '--raw', ...command];
    const { stdout } = await run('redis-cli', args, { encoding: 'buffer', maxBuffer: BYTES_MAX });
    return stdout.subarray(0, stdout.length - 1); // it ends what it prints with a line feed of its own
  };
  await serveUntil(t, ['--redis', `redis://127.0.0.1:${redis.port}`], 'tessera_io_hot_snapshots_total');
  const keys = (await ask('KEYS', 'snapshot:zone:*')).toString().split('\n').sort();
  assert.deepEqual(
    keys,
    Array.from({ length: ZONES }, (_, zone) => `snapshot:zone:${zone}`),
  );
  let entities = 0;
  for (const [zone, key] of keys.entries()) {
    const leftMs = Number((await ask('PTTL', key)).toString());
    assert.ok(leftMs > 0 && leftMs <= TTL_MS, `${key} lives for ${leftMs} ms`);
    const { header, body } = readAsAStranger(await ask('GET', key));
    assert.equal(header.zone, zone);
    assert.equal(header.game, 'arena');
    assert.ok(header.tick > 0);
    assert.equal(header.columns[0].name, 'alive');
    const alive = body.subarray(BODY_START, BODY_START + header.rows);
    entities += alive.filter((cell) => cell !== 0).length;
  }
  assert.ok(entities >= 90, `${entities} of 100 bots, but for who walks over a border`);
});

test('the mongodb driver finds the history of each zone, with a checksum of its bytes', {
  timeout: 120_000,
}, async (t) => {
  const service = findService('mongodb');
  if (!requireOrSkip(t, service !== undefined, skipReason('mongodb'))) return;
  const url = new URL(service!);
  url.pathname = `/tessera_snapshots_${randomUUID().slice(0, 8)}`;
  const client = await MongoClient.connect(url.href);
  const database = client.db();
  t.after(async () => {
    await database.dropDatabase();
    await client.close();
  });
  const args = ['--mongodb', url.href, '--cold-snapshot-ms', '5000'];
  const server = await serveUntil(t, args, 'tessera_io_cold_snapshots_total');
  assert.equal(await server.stop(), 0);
  for (let zone = 0; zone < ZONES; zone++) {
    const history = await database
      .collection<SnapshotDocument>('snapshots')
      .find({ id: `zone:${zone}` })
      .sort({ sequence: 1 })
      .toArray();
    assert.ok(history.length >= 2, 'one from the timer, one from the end');
    for (const [index, { sequence, tick, pieces, writeId, byteCount, checksum, meta }] of history.entries()) {
      assert.equal(sequence, index + 1);
      const parts: Buffer[] = [];
      for (let piece = 0; piece < pieces; piece++) {
        const part = await database
          .collection<{ _id: string; data: Binary }>('snapshot_pieces')
          .findOne({ _id: `${writeId}:${piece}` });
        assert.ok(part);
        parts.push(Buffer.from(part.data.buffer));
      }
      const bytes = Buffer.concat(parts);
      assert.equal(bytes.length, byteCount);
      assert.equal(createHash('sha256').update(bytes).digest('hex'), checksum);
      assert.equal(meta.compression, 'brotli');
      assert.equal(meta.format, 3);
      const { header } = readAsAStranger(bytes);
      assert.deepEqual([header.zone, header.tick], [zone, tick]);
    }
    assert.ok(history[history.length - 1].tick > history[0].tick);
  }
});
