// What a real server left when it was killed, damaged in many ways: each time the next start goes on with as much of it as
// can be trusted, and says in /healthz what it could not use.

import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  decodeSegment,
  decodeSession,
  encodeFrame,
  encodeSession,
  FRAME_BASE,
  FRAME_HEAD_BYTES,
  segmentName,
} from '../../src/durability/journal/journal-file.js';
import { listSessions } from '../../src/durability/journal/journal-reader.js';
import { hotKey } from '../../src/durability/snapshots/snapshotter.js';
import { decodeZone } from '../../src/durability/snapshots/zone-snapshot.js';
import { openStores } from '../../src/stores/open-stores.js';
import { startServer } from '../server.js';
import { type FoundWorld, readFoundWorld } from './drill/drill-world.js';
import { startFillable } from './full-disk.js';

const folder = mkdtempSync(join(tmpdir(), 'tessera-journal-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const KEYS = [0, 1, 2, 3].map(hotKey);
/** A write of the journal that is cut off takes so many ticks along at most: it is due every 3 ticks, on a free machine. */
const LAST_WRITE_TICKS_MAX = 60;

/** What the killed server's folder comes to when nothing of it is damaged. */
let whole: { tick: number; hotTick: number; entities: FoundWorld['entities'] };

function args(data: string, ...more: string[]): string[] {
  return ['--data', join(folder, data), '--bots', '80', '--hot-snapshot-ms', '1000', '--log-level', 'warn', ...more];
}

function copyOf(name: string): string {
  cpSync(join(folder, 'killed'), join(folder, name), { recursive: true });
  return join(folder, name);
}

function journalOf(data: string): { folder: string; segment: string } {
  const [session] = listSessions(join(data, 'journal'));
  return { folder: session.folder, segment: join(session.folder, session.segments[session.segments.length - 1]) };
}

async function changeHot(data: string, change: (bytes: Uint8Array) => Uint8Array | undefined): Promise<void> {
  const stores = openStores({ folder: join(data, 'stores'), kafka: '', redis: '', mongodb: '' });
  const found = await stores.hot.get(KEYS);
  await stores.hot.delete(KEYS);
  for (const [zone, bytes] of found.entries()) {
    const value = bytes && change(Uint8Array.from(bytes));
    if (value !== undefined) await stores.hot.set([{ key: KEYS[zone], value, ttlMs: 600000 }]);
  }
  await stores.close();
}

function findFrames(bytes: Buffer): { start: number; limit: number; newestTick: number }[] {
  const frames = [];
  for (let start = 0; start < bytes.length; ) {
    const limit = start + FRAME_HEAD_BYTES + bytes.readUInt32LE(start);
    const { records } = decodeSegment(bytes.subarray(start, limit));
    frames.push({ start, limit, newestTick: Math.max(0, ...records.map(({ tick }) => tick)) });
    start = limit;
  }
  return frames;
}

/** Starts, and ends before anything is overwritten; what it found stands in the journal that it began. */
async function recover(name: string, ...more: string[]) {
  const server = await startServer(args(name, ...more));
  const { recovery } = await server.health();
  await server.kill();
  assert.ok(Number.isInteger(recovery.ms));
  return { ...recovery, world: readFoundWorld(join(folder, name)) };
}

before(async () => {
  const server = await startServer(args('killed'));
  await server.until('two hot snapshots', async () => (await server.counter('tessera_io_hot_snapshots_total')) >= 2);
  await sleep(700); // the journal goes on beyond it by several frames, also on a busy machine; the next snapshot is not due yet
  await server.kill();
  copyOf('whole');
  const { source, snapshotTick, journalTick, skipped, world } = await recover('whole');
  assert.equal(source, 'hot');
  assert.deepEqual(skipped, []);
  assert.ok(journalTick !== null && journalTick > snapshotTick);
  whole = { tick: world.tick, hotTick: snapshotTick, entities: world.entities };
});

/** Where a test deletes them. */
const MISSING_HOT = /^the hot snapshot of zone \d of tick \d+, taken at \S+, is missing$/;

test('without hot snapshots it begins from the journal alone, and comes to the same world', async () => {
  await changeHot(copyOf('no-hot'), () => undefined);
  const { source, snapshotTick, journalTick, skipped, world } = await recover('no-hot');
  assert.equal(source, 'journal');
  assert.ok(snapshotTick < whole.hotTick);
  assert.equal(journalTick, whole.tick);
  assert.deepEqual(
    skipped.filter((line) => !MISSING_HOT.test(line)),
    [],
  );
  assert.equal(skipped.length, 4, 'each hot snapshot that was deleted is named');
  assert.deepEqual(world.entities, whole.entities);
});

test('damaged hot snapshots are told, and the journal has all that they had', async () => {
  await changeHot(copyOf('bad-hot'), (bytes) => {
    bytes[bytes.length >> 1] ^= 1;
    return bytes;
  });
  const { source, journalTick, skipped, world } = await recover('bad-hot');
  assert.equal(source, 'journal');
  assert.equal(journalTick, whole.tick);
  assert.equal(skipped.filter((line) => /^the hot snapshot of zone \d: its checksum/.test(line)).length, 4);
  assert.deepEqual(world.entities, whole.entities);
});

test('a last frame that was torn is told, and all before it is used', async () => {
  const { segment } = journalOf(copyOf('torn'));
  const bytes = readFileSync(segment);
  truncateSync(segment, bytes.length - 3);
  const { source, journalTick, skipped } = await recover('torn');
  assert.equal(source, 'hot');
  assert.match(skipped.join('\n'), /^journal \d+\/000001\.journal: a frame is cut short at byte \d+, \d+ bytes/);
  assert.ok(journalTick !== null && journalTick < whole.tick && journalTick >= whole.tick - LAST_WRITE_TICKS_MAX);
});

test('a flipped byte in the middle costs what the snapshot does not have, and nothing where it has', async () => {
  for (const isBehindSnapshot of [false, true]) {
    const name = `flipped-${isBehindSnapshot}`;
    const { segment } = journalOf(copyOf(name));
    const bytes = readFileSync(segment);
    const frame = findFrames(bytes).find(({ newestTick }) =>
      isBehindSnapshot ? newestTick > whole.hotTick + 5 : newestTick > 20,
    );
    assert.ok(frame !== undefined && frame.newestTick < whole.tick);
    bytes[(frame.start + frame.limit) >> 1] ^= 16;
    writeFileSync(segment, bytes);
    const { source, journalTick, skipped, world } = await recover(name);
    assert.equal(source, 'hot');
    assert.match(skipped[0], /the checksum of a frame does not match at byte \d+/);
    if (isBehindSnapshot) {
      assert.ok(journalTick !== null && journalTick >= whole.hotTick && journalTick < frame.newestTick);
    } else {
      assert.equal(journalTick, whole.tick);
      assert.deepEqual(world.entities, whole.entities);
    }
  }
});

test('where the newest segment begins with a damaged state, the one before it is gone on from', async () => {
  const data = copyOf('bad-base');
  const { segment, folder: session } = journalOf(data);
  const bytes = readFileSync(segment);
  // A second segment, as a server that ran for longer would have it: begins with the state of the hot snapshots.
  const bases: Buffer[] = [];
  let oldestTick = whole.hotTick; // zones are copied one after the other, so a tick may lie between them
  await changeHot(data, (hot) => {
    const { zone, tick } = decodeZone(hot).header;
    assert.equal(zone, bases.length);
    oldestTick = Math.min(oldestTick, tick);
    bases.push(encodeFrame(FRAME_BASE, [hot]));
    return undefined;
  });
  const next = findFrames(bytes).find(({ newestTick }) => newestTick > oldestTick)?.start as number;
  writeFileSync(segment, bytes.subarray(0, next));
  const second = Buffer.concat([...bases, bytes.subarray(next)]);
  const isDamaged = Buffer.from(second);
  isDamaged[bases[0].length + 60] ^= 2; // zone 1
  writeFileSync(join(session, segmentName(2)), isDamaged);
  cpSync(data, join(folder, 'worse-base'), { recursive: true });
  writeFileSync(join(session, segmentName(2)), second);
  for (const [name, snapshotTick, expected] of [
    ['bad-base', whole.hotTick, []],
    [
      'worse-base',
      0,
      [/000002\.journal: the checksum of a frame/, /000002\.journal: it does not begin with .* zone 1/],
    ],
  ] as const) {
    const { source, journalTick, skipped: said, world, ...rest } = await recover(name);
    const skipped = said.filter((line) => !MISSING_HOT.test(line));
    assert.equal(source, 'journal', name);
    assert.equal(rest.snapshotTick, snapshotTick, name);
    assert.equal(journalTick, whole.tick, name);
    assert.equal(skipped.length, expected.length, skipped.join('\n'));
    for (const [index, pattern] of expected.entries()) assert.match(skipped[index], pattern);
    assert.deepEqual(world.entities, whole.entities, name);
  }
});

test('a journal that says nothing of itself, or is of another game, is passed over loudly, and play goes on at the snapshot', async () => {
  const written = readFileSync(join(journalOf(copyOf('info')).folder, 'session.json'), 'utf8');
  const readable = decodeSession(written);
  for (const [name, text, pattern] of [
    ['broken', '{"format":', /its session\.json cannot be read/],
    ['flipped', written.replace(/("originMs": 1)\d/, '$10'), /its session\.json cannot be read/],
    ['newer', encodeSession({ ...readable, gameVersion: 99 }), /it was written by arena 99, and the game is arena/],
    ['columns', encodeSession({ ...readable, layoutHash: 5 }), /it was written with other columns/],
    ['format', encodeSession({ ...readable, format: 7 }), /of format 7, this server reads 3/],
    ['former', encodeSession({ ...readable, format: 1 }), /of format 1, this server reads 3/],
  ] as const) {
    writeFileSync(join(journalOf(copyOf(name)).folder, 'session.json'), text);
    const { source, snapshotTick, journalTick, skipped } = await recover(name);
    assert.equal(source, 'hot', name);
    assert.equal(snapshotTick, whole.hotTick, name);
    assert.equal(journalTick, null, name);
    assert.equal(skipped.length, 1, skipped.join('\n'));
    assert.match(skipped[0], pattern);
  }
});

test('without a journal what lasts are snapshots; a journal that is there is used once more all the same', async () => {
  copyOf('once-more');
  const server = await startServer(args('once-more', '--journal-flush-ms', '0'));
  const first = await server.health();
  assert.equal(first.recovery.journalTick, whole.tick);
  await server.until('a hot snapshot', async () => (await server.counter('tessera_io_hot_snapshots_total')) >= 1);
  const { zones } = await server.health();
  await server.kill();
  const sessions = readdirSync(join(folder, 'once-more', 'journal'));
  const again = await startServer(args('once-more', '--journal-flush-ms', '0'));
  const { recovery } = await again.health();
  assert.equal(await again.stop(), 0);
  assert.equal(recovery.source, 'hot');
  assert.equal(recovery.journalTick, null, 'the journal is of a session before the snapshot');
  assert.ok(recovery.snapshotTick > whole.tick && recovery.snapshotTick <= zones[0].tick + 120);
  assert.deepEqual(readdirSync(join(folder, 'once-more', 'journal')), sessions, 'no journal was begun');
});

test('a disk that is full while it runs stops no tick, is said once, and is written to again when there is room', async (t) => {
  const server = await startFillable(t, args('full'));
  if (server === undefined) return;
  try {
    await server.until('the journal', async () => (await server.counter('tessera_io_journal_bytes_total')) > 0);
    server.fillDisk();
    await server.until('writes fail', async () => (await server.counter('tessera_io_journal_failures_total')) >= 3);
    const before = (await server.health()).zones[0].tick;
    await server.until('ticks go on', async () => (await server.health()).zones[0].tick > before + 60);
    const said = server.log().match(/the journal is not written/g) ?? [];
    assert.equal(said.length, 1);
    const { folder: session } = journalOf(join(folder, 'full'));
    assert.ok(readdirSync(session).length <= 4, 'what failed is not left behind');
    server.makeRoom();
    await server.until('it is written again', async () => /the journal is written again/.test(server.log()));
    await sleep(300);
    const { zones } = await server.health();
    await server.kill();
    const { journalTick, skipped } = await recover('full');
    assert.ok(journalTick !== null && journalTick >= zones[0].tick - LAST_WRITE_TICKS_MAX);
    assert.ok(
      skipped.every((line) => /000001\.journal/.test(line)),
      skipped.join('\n'),
    );
  } finally {
    await server.kill();
  }
});
