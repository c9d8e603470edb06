import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { test } from 'node:test';
import { brotliCompressSync, createBrotliCompress, constants as zlib } from 'node:zlib';
import { createRandom } from '../../../src/base/chance.js';
import { entityName } from '../../../src/durability/entity-name.js';
import { SNAPSHOT_HEADER_BYTES_MAX } from '../../../src/durability/snapshots/limits.js';
import {
  copyZone,
  decodeZone,
  packPlain,
  packZone,
  SNAPSHOT_COMPRESSION,
  SNAPSHOT_FORMAT,
  type SnapshotHeader,
  type WorldIdentity,
  type ZoneCopy,
  type ZoneSnapshot,
} from '../../../src/durability/snapshots/zone-snapshot.js';
import { specifyColumns } from '../../../src/engine/entities/columns.js';
import { makeKey } from '../../../src/engine/entities/entity-key.js';
import { LIVE_BLOCK, WorldBuffer } from '../../../src/memory/world/world-buffer.js';
import {
  type ColumnSpec,
  layOutWorld,
  SCALAR_CELL_QUEUE,
  SCALAR_ID_LIMIT,
  SCALAR_MIRROR_FIRST,
  SCALAR_MIRROR_LIMIT,
  SCALAR_ROW_LIMIT,
  SCALAR_TICK,
} from '../../../src/memory/world/world-layout.js';
import { readZoneAsStranger } from './stranger.js';

const SHAPE: WorldIdentity = {
  game: 'toy',
  seed: 1,
  bots: 2,
  zoneColumns: 2,
  zoneCount: 4,
  worldWidth: 100,
  worldHeight: 90,
  rowCapacity: 64,
  worldId: '7b0cf7a8-6b1f-4d0a-9a53-0d6d1c5f6b11',
  cellSize: 0,
};
const COLUMNS: ColumnSpec[] = [
  { name: 'hp', type: 'u8' },
  { name: 'x', type: 'f32' },
  { name: 'score', type: 'f64' },
  { name: 'given', type: 'u16', role: 'id' },
];
const ROWS = 10;
const MIRRORS = [40, 41];
const IDS = 3;
const EPOCH = 5;
/** Scalars, globals, marks, columns. */
const BODY_START = 64 * 4 + 64 * 8 + 64 * 4;
const BODY_BYTES = BODY_START + (ROWS + MIRRORS.length) * (1 + 4 + 8) + IDS * 2;
const MIB = 1024 * 1024;

function createWorld(): WorldBuffer {
  const layout = layOutWorld(COLUMNS, 64);
  const world = new WorldBuffer(WorldBuffer.create(layout, 3), layout);
  const live = world.blocks[LIVE_BLOCK];
  live.scalars[SCALAR_TICK] = 77;
  live.scalars[SCALAR_ROW_LIMIT] = ROWS;
  live.scalars[SCALAR_MIRROR_FIRST] = 40;
  live.scalars[SCALAR_MIRROR_LIMIT] = 42;
  live.scalars[SCALAR_ID_LIMIT] = IDS;
  live.globals[5] = 0.125;
  live.marks[2] = 11;
  live.columns.given.set([7, 8, 9]);
  for (const row of [...Array(ROWS).keys(), ...MIRRORS]) {
    live.columns.hp[row] = row;
    live.columns.x[row] = row / 3;
    live.columns.score[row] = row * 1e9;
  }
  world.commit();
  return world;
}

function encodeSample(): Uint8Array {
  return packZone(copyZone(createWorld(), SHAPE, EPOCH, 1234) as ZoneCopy).bytes;
}

function assertIsSample({ scalars, globals, marks, columns }: ZoneSnapshot): void {
  const { committed } = createWorld();
  assert.deepEqual([...scalars], [...committed.scalars]);
  assert.deepEqual([...globals], [...committed.globals]);
  assert.deepEqual([...marks], [...committed.marks]);
  for (const { name, role } of COLUMNS) {
    const cells = committed.columns[name];
    const used = role === 'id' ? cells.subarray(0, IDS) : [...cells.subarray(0, ROWS), ...cells.subarray(40, 42)];
    assert.deepEqual([...(columns.get(name) ?? [])], [...used]);
  }
}

/** Header and body of what was packed. */
function takeApart(bytes: Uint8Array): { header: SnapshotHeader; stored: Buffer } {
  const buffer = Buffer.from(bytes);
  const bodyStart = 36 + buffer.readUInt32LE(0);
  return { header: JSON.parse(buffer.toString('utf8', 36, bodyStart)), stored: buffer.subarray(bodyStart) };
}

/** A snapshot whose checksum is right, whatever is in it. */
function forge(header: unknown, stored: Uint8Array): Uint8Array {
  const text = typeof header === 'string' ? Buffer.from(header, 'latin1') : Buffer.from(JSON.stringify(header));
  const size = Buffer.alloc(4);
  size.writeUInt32LE(text.length);
  const checked = Buffer.concat([text, stored]);
  return Buffer.concat([size, createHash('sha256').update(checked).digest(), checked]);
}

/** The reason, or what was read. */
function tryDecode(bytes: Uint8Array): string | ZoneSnapshot {
  try {
    return decodeZone(bytes);
  } catch (error) {
    assert.equal((error as Error).name, 'Error', `a reason, not a fault of the code: ${(error as Error).stack}`);
    assert.match((error as Error).message, /^its /);
    return (error as Error).message;
  }
}

test('a zone whose cells get more to wait for while it is copied is to be copied again, and not too large', () => {
  const cells = { count: 4, queueRecords: 8, queueRecordBytes: 16, rowColumns: [] };
  const layout = layOutWorld(COLUMNS, 64, cells);
  const world = new WorldBuffer(WorldBuffer.create(layout, 1), layout);
  const { scalars } = world.blocks[LIVE_BLOCK];
  world.commit();
  const { columns } = world.committed;
  const { hp } = columns;
  Object.defineProperty(columns, 'hp', {
    get: () => {
      scalars[SCALAR_CELL_QUEUE] = Math.min(8, scalars[SCALAR_CELL_QUEUE] + 3);
      world.commit();
      world.commit(); // over what is being copied
      return hp;
    },
  });
  assert.equal(copyZone(world, SHAPE, EPOCH, 1), undefined);
});

test('a zone comes back from its bytes as it was', () => {
  const snapshot = decodeZone(encodeSample());
  const { header } = snapshot;
  assert.deepEqual(header, {
    ...SHAPE,
    format: SNAPSHOT_FORMAT,
    compression: SNAPSHOT_COMPRESSION,
    zone: 3,
    epoch: EPOCH,
    tick: 77,
    takenAtMs: 1234,
    rows: ROWS,
    mirrorFirst: 40,
    mirrors: 2,
    ids: IDS,
    columns: COLUMNS,
    bodyBytes: BODY_BYTES,
  });
  assertIsSample(snapshot);
  assert.equal(snapshot.cells, undefined, 'its world is not cut into cells');
});

test('a stranger reads a snapshot from the drawing alone', () => {
  const cells = { count: 2, queueRecords: 4, queueRecordBytes: 16, rowColumns: [{ name: 'hp', type: 'u8' }] as const };
  const layout = layOutWorld(specifyColumns({ hp: { type: 'u8' }, score: { type: 'f64' } }), 64, cells);
  const world = new WorldBuffer(WorldBuffer.create(layout, 3), layout);
  const live = world.blocks[LIVE_BLOCK];
  live.scalars[SCALAR_TICK] = 77;
  live.scalars[SCALAR_ROW_LIMIT] = 3;
  live.scalars[SCALAR_MIRROR_FIRST] = 40;
  live.scalars[SCALAR_MIRROR_LIMIT] = 41;
  live.scalars[SCALAR_ID_LIMIT] = 2;
  live.scalars[SCALAR_CELL_QUEUE] = 1;
  live.globals[5] = 0.125;
  live.marks[2] = 11;
  live.columns.idGeneration.set([600, 1]);
  const place = (row: number, id: number, generation: number, hp: number): void => {
    live.columns.alive[row] = 1;
    live.columns.key[row] = makeKey(id, generation);
    live.columns.hp[row] = hp;
    live.columns.score[row] = hp * 1e9;
  };
  place(1, 3 * 64, 600, 5);
  place(2, 64 + 7, 1, 6);
  place(40, 2 * 64, 511, 7);
  live.columns.owner[1] = 9;
  assert.ok(live.cells);
  live.cells.version[1] = 1e15;
  live.cells.state[1] = 2;
  live.cells.since[1] = 70;
  live.cells.taken[0] = 3;
  live.cells.queue.fill(8, 0, 16);
  world.commit();
  const copies = [1, 2].map(() => copyZone(world, SHAPE, EPOCH, 1) as ZoneCopy);
  for (const bytes of [Buffer.from(packZone(copies[0]).bytes), packPlain(copies[1])]) {
    const zone = readZoneAsStranger(bytes);
    assert.deepEqual([zone.tick, zone.globals[5], zone.marks[2]], [77, 0.125, 11]);
    assert.deepEqual(zone.idColumns.idGeneration, [600, 1]);
    assert.deepEqual(
      zone.entities.map(({ row, isMirror, name, zoneOfBirth, values: { hp, score, owner } }) => [
        row,
        isMirror,
        name,
        zoneOfBirth,
        hp,
        score,
        owner,
      ]),
      [
        [1, false, '192.88', 3, 5, 5e9, 9],
        [2, false, '71.1', 1, 6, 6e9, 0],
        [40, true, '128.511', 2, 7, 7e9, 0],
      ],
    );
    for (const { name, values } of zone.entities) assert.equal(name, entityName(values.key), 'as events call it');
    assert.deepEqual(zone.cells, [
      { version: 0, state: 0, since: 0, taken: 3 },
      { version: 1e15, state: 2, since: 70, taken: 0 },
    ]);
    assert.deepEqual(zone.queue, [Buffer.alloc(16, 8)]);
  }
});

test('the checksum of what was packed is that of all its bytes', () => {
  const { bytes, checksum } = packZone(copyZone(createWorld(), SHAPE, EPOCH, 1) as ZoneCopy);
  assert.equal(checksum, createHash('sha256').update(bytes).digest('hex'));
});

test('copies and packed bytes are the only views of their buffers, so that they can be moved', () => {
  const copy = copyZone(createWorld(), SHAPE, EPOCH, 1) as ZoneCopy;
  assert.equal(copy.body.byteLength, copy.body.buffer.byteLength);
  const { bytes } = packZone(copy);
  assert.equal(bytes.byteLength, bytes.buffer.byteLength);
});

test('bytes that begin at any address are read', () => {
  const bytes = encodeSample();
  for (let shift = 0; shift < 8; shift++) {
    const shifted = new Uint8Array(bytes.length + 8).subarray(shift, shift + bytes.length);
    shifted.set(bytes);
    assertIsSample(decodeZone(shifted));
  }
});

test('a snapshot that the calling thread has made, uncompressed, is read like any other', () => {
  const bytes = packPlain(copyZone(createWorld(), SHAPE, EPOCH, 1234) as ZoneCopy);
  const snapshot = decodeZone(bytes);
  assert.equal(snapshot.header.compression, 'none');
  assertIsSample(snapshot);
  assert.equal(typeof tryDecode(bytes.subarray(0, -1)), 'string');
});

for (const seed of [1, 2, 3]) {
  test(`a snapshot that is flipped, cut, overwritten or too long is refused with a reason, seed ${seed}`, () => {
    const random = createRandom(seed);
    const pick = (limit: number): number => Math.floor(random() * limit);
    const bytes = encodeSample();
    for (let round = 0; round < 3000; round++) {
      let damaged = Buffer.from(bytes);
      const at = pick(bytes.length);
      if (round % 4 === 0) damaged = damaged.subarray(0, at);
      else if (round % 4 === 1) damaged = Buffer.concat([damaged, Buffer.alloc(1 + pick(40), pick(256))]);
      else if (round % 4 === 2)
        damaged.fill(damaged[at] ^ (1 + pick(255)), at, Math.min(bytes.length, at + 1 + pick(64)));
      else damaged[at] ^= 1 << pick(8);
      assert.equal(typeof tryDecode(damaged), 'string', `seed ${seed}, round ${round}, byte ${at}`);
    }
  });

  test(`a header that lies behind a right checksum is refused or means what it says, seed ${seed}`, () => {
    const random = createRandom(seed);
    const { header, stored } = takeApart(encodeSample());
    const text = JSON.stringify(header);
    let read = 0;
    for (let round = 0; round < 3000; round++) {
      const characters = [...text];
      for (let flips = 1 + Math.floor(random() * 3); flips > 0; flips--) {
        const at = Math.floor(random() * text.length);
        // Digits above all: they are the sizes.
        characters[at] = /\d/.test(characters[at])
          ? String(Math.floor(random() * 1e4))
          : String.fromCharCode(Math.floor(random() * 256));
      }
      const snapshot = tryDecode(forge(characters.join(''), stored));
      if (typeof snapshot === 'string') continue;
      read++;
      assert.equal(snapshot.columns.size, snapshot.header.columns.length);
      const { rows, mirrors, ids, columns } = snapshot.header;
      for (const { name, role } of columns) {
        assert.equal(snapshot.columns.get(name)?.length, role === 'id' ? ids : rows + mirrors);
      }
    }
    assert.ok(read > 0, 'some of them only say another name or tick');
  });
}

test('each lie of a header has its reason', () => {
  const { header, stored } = takeApart(encodeSample());
  const tell = (lie: Partial<Record<keyof SnapshotHeader, unknown>>) => tryDecode(forge({ ...header, ...lie }, stored));
  assert.match(tell({ rows: 4e9 }) as string, /4000000000 rows and 3 ids, of 64/);
  assert.match(tell({ rows: 163841, rowCapacity: 163841 }) as string, /allowed: 163840/);
  assert.match(tell({ rows: -1 }) as string, /-1 rows/);
  assert.match(tell({ rows: 9.5 }) as string, /9.5 rows/);
  assert.match(tell({ ids: 65 }) as string, /65 ids, of 64/);
  assert.match(tell({ mirrors: 25 }) as string, /25 mirrors from row 40 of 64/);
  assert.match(tell({ mirrorFirst: -3 }) as string, /2 mirrors from row -3/);
  assert.match(tell({ rows: 63 }) as string, /2 mirrors from row 40/);
  assert.match(tell({ rows: 11 }) as string, /names columns of/);
  assert.match(tell({ bodyBytes: 5 }) as string, /says 5 bytes, and names columns of \d+/);
  assert.match(tell({ zone: 64 }) as string, /says zone 64/);
  assert.match(tell({ tick: null }) as string, /tick null/);
  assert.match(tell({ columns: undefined }) as string, /names no columns/);
  assert.match(tell({ columns: [{ name: 'a', type: 'u8' }, null] }) as string, /without a type/);
  assert.match(tell({ columns: [{ name: 'a', type: 'toString' }] }) as string, /without a type/);
  assert.match(tell({ columns: [COLUMNS[0], COLUMNS[0]] }) as string, /one of them twice/);
  assert.match(tell({ compression: 'zstd' }) as string, /compression is zstd, this server reads brotli and none/);
  assert.match(tell({ format: 4 }) as string, /format is 4, this server reads 3/);
  assert.match(tell({ columns: [{ name: 'a', type: 'u8', length: 0 }] }) as string, /without a type/);
  assert.match(tell({ columns: [{ name: 'a', type: 'u8', length: 2 }] }) as string, /names columns of/);
  assert.match(tryDecode(forge('null', stored)) as string, /header is no object/);
  const longest = ' '.repeat(SNAPSHOT_HEADER_BYTES_MAX);
  assert.doesNotMatch(tryDecode(forge(longest, stored)) as string, /header has \d+ bytes/);
  assert.match(tryDecode(forge(' '.repeat(300_000), stored)) as string, /header has 300000 bytes/);
  const many = Array.from({ length: 250 }, (_, n) => ({ name: `c${n}`, type: 'f64' }));
  assert.match(tell({ rows: 163838, rowCapacity: 163840, columns: many }) as string, /allowed: 268435456/);
});

test('a body that unpacks to other than its columns is refused before it fills the memory', async () => {
  const { header } = takeApart(encodeSample());
  assert.match(tryDecode(forge(header, brotliCompressSync(Buffer.alloc(5)))) as string, /5 bytes instead of \d+/);
  assert.match(tryDecode(forge(header, Buffer.from('no brotli'))) as string, /cannot be unpacked/);
  const bomb = await makeBomb(512);
  assert.ok(bomb.length < 256 * 1024, `${bomb.length} bytes`);
  const before = process.resourceUsage().maxRSS;
  assert.match(tryDecode(forge(header, bomb)) as string, /cannot be unpacked to \d+ bytes/);
  // A header that promises the most that is allowed buys nothing either: so much is not there.
  const rows = 163840;
  const columns = Array.from({ length: 200 }, (_, n) => ({ name: `c${n}`, type: 'f64' }));
  const bodyBytes = BODY_START + rows * 200 * 8;
  const lie = { ...header, rows, mirrors: 0, rowCapacity: rows, columns, bodyBytes };
  assert.match(tryDecode(forge(lie, brotliCompressSync(Buffer.alloc(5)))) as string, /5 bytes instead of 262145024/);
  const grownMiB = (process.resourceUsage().maxRSS - before) / 1024;
  assert.ok(grownMiB < 64, `the process grew by ${grownMiB} MiB`);
});

/** So many MiB of zeros, compressed without ever having them. */
async function makeBomb(mib: number): Promise<Buffer> {
  const stream = createBrotliCompress({ params: { [zlib.BROTLI_PARAM_QUALITY]: 1 } });
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  const zeros = Buffer.alloc(MIB);
  for (let i = 0; i < mib; i++) {
    if (!stream.write(zeros)) await once(stream, 'drain');
  }
  stream.end();
  await once(stream, 'end');
  return Buffer.concat(chunks);
}
