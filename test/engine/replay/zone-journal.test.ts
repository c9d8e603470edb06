import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULTS, type Settings } from '../../../src/config/settings.js';
import { mirroredColumns } from '../../../src/engine/entities/columns.js';
import { planWorld } from '../../../src/engine/plan/world-plan.js';
import { ZoneJournal } from '../../../src/engine/replay/zone-journal.js';
import type { EngineZone } from '../../../src/engine/zone/zone.js';
import { createZoneParts } from '../../../src/engine/zone/zone-parts.js';
import { defineGame } from '../../../src/game/define-game.js';
import type { GameDefinition } from '../../../src/game/definition.js';
import * as J from '../../../src/memory/records/journal-records.js';
import { ByteRing } from '../../../src/memory/rings/byte-ring.js';
import { RecordRing } from '../../../src/memory/rings/record-ring.js';
import { COUNTER } from '../../../src/memory/tables/zone-counters.js';
import { SCALAR_JOURNALED, SCALAR_MIRROR_LIMIT } from '../../../src/memory/world/world-layout.js';

const SETTINGS: Settings = {
  ...DEFAULTS,
  worldWidth: 200,
  worldHeight: 100,
  zoneColumns: 2,
  zoneRows: 1,
  entitiesPerZone: 64,
  clientsMax: 4,
};
/** With five columns of the engine's these are nine: their bits take two bytes. */
const FIELDS = { hp: { type: 'u16' }, gold: { type: 'f64' }, a: { type: 'u8' }, b: { type: 'u8' } } as const;
const game = defineGame({
  name: 'journal',
  version: 1,
  kinds: ['walker'],
  fields: FIELDS,
  commands: {},
  systems: [],
  spawnPlayer: (zone, x, y) => zone.spawn(0, x, y),
}) as unknown as GameDefinition;

interface Written {
  serial: number;
  tick: number;
  body: Buffer;
}

function stage(ringBytes = 1024 * 1024) {
  const plan = planWorld(SETTINGS, game, 1, 0);
  const { zone } = createZoneParts(plan, 0, game, new RecordRing(plan.events[0]));
  const buffer = ByteRing.create(ringBytes);
  const reader = new ByteRing(buffer);
  const begin = (): ZoneJournal => new ZoneJournal(zone, new ByteRing(buffer));
  /** What the I/O thread finds. */
  const read = (): Written[] => {
    const found: Written[] = [];
    while (reader.next()) {
      assert.equal(reader.kind, J.JOURNAL_RECORD);
      const bytes = Buffer.from(reader.bytes.slice(reader.offset, reader.offset + reader.payloadBytes));
      found.push({
        serial: bytes.readInt32LE(J.JOURNAL_SERIAL),
        tick: bytes.readInt32LE(J.JOURNAL_TICK),
        body: bytes.subarray(J.JOURNAL_BODY),
      });
      reader.release();
    }
    return found;
  };
  return { zone, begin, read, reader };
}

/** The body of a record with these entries alone. */
function bodyOf(write: (journal: ZoneJournal) => void): Buffer {
  const { begin, read } = stage();
  const journal = begin();
  journal.begin(1);
  write(journal);
  journal.end();
  return read()[0].body;
}

function u32(...values: number[]): number[] {
  return values.flatMap((value) => [value & 255, (value >> 8) & 255, (value >> 16) & 255, value >>> 24]);
}

function f32(value: number): number[] {
  return [...new Uint8Array(Float32Array.of(value).buffer)];
}

function f64(value: number): number[] {
  return [...new Uint8Array(Float64Array.of(value).buffer)];
}

const BYTES = Uint8Array.from({ length: 16 }, (_, i) => i + 1);
const VIEW = new DataView(BYTES.buffer);

const ENTRIES: [string, (journal: ZoneJournal) => void, number[]][] = [
  ['a command', (j) => j.command(7, 300, VIEW, 2, 3), [J.ENTRY_COMMAND, ...u32(7), 300 & 255, 300 >> 8, 3, 3, 4, 5]],
  ['a join', (j) => j.join(3, 9, 1.5, -2), [J.ENTRY_JOIN, ...u32(3, 9), ...f32(1.5), ...f32(-2)]],
  ['a grant', (j) => j.grant(7, 2, 0.1), [J.ENTRY_GRANT, ...u32(7, 2), ...f64(0.1)]],
  ['a stored player', (j) => j.stored(VIEW, 4, 3), [J.ENTRY_STORED, 3, 0, 5, 6, 7]],
  ['a player who goes', (j) => j.gone(70000, 2), [J.ENTRY_GONE, ...u32(70000), 2]],
  [
    'a player who has come',
    (j) => j.came(7, 1, { playerId: 'ab', name: 'Zoë', claims: '{}' }),
    [J.ENTRY_CAME, ...u32(7), 1, 2, 0, 97, 98, 4, 0, 90, 111, 0xc3, 0xab, 2, 0, 123, 125],
  ],
  ['an arrival the game hears of', (j) => j.here(70000), [J.ENTRY_HERE, ...u32(70000)]],
  ['a zone that goes on', (j) => j.goesOn(), [J.ENTRY_GOES_ON]],
  ['an arrival', (j) => j.arrive(BYTES, 1, 2), [J.ENTRY_ARRIVE, 2, 3]],
  ['an id that is back', (j) => j.idBack(5), [J.ENTRY_ID_BACK, ...u32(5)]],
  ['what was taken', (j) => j.taken(3, -1), [J.ENTRY_TAKEN, 3, ...u32(-1)]],
  ['the systems', (j) => j.systems(), [J.ENTRY_SYSTEMS]],
  ['a departure', (j) => j.depart(7, 3, 11), [J.ENTRY_DEPART, ...u32(7), 3, ...u32(11)]],
  ['a cell', (j) => j.cell(J.ENTRY_CELL_LIVE, 4), [J.ENTRY_CELL_LIVE, ...u32(4)]],
  ['a row of a cell', (j) => j.cellRow(4, BYTES, 8, 2), [J.ENTRY_CELL_ROW, ...u32(4), 9, 10]],
  ['a stored cell', (j) => j.cellStored(4, 2 ** 40), [J.ENTRY_CELL_STORED, ...u32(4), ...f64(2 ** 40)]],
  ['a sweep', (j) => j.cellSweep(), [J.ENTRY_CELL_SWEEP]],
];

for (const [what, write, expected] of ENTRIES) {
  test(`${what} is written as journal-records.ts draws it, and the next entry follows at once`, () => {
    assert.deepEqual([...bodyOf(write)], expected);
    const twice = bodyOf((journal) => {
      write(journal);
      write(journal);
    });
    assert.deepEqual([...twice], [...expected, ...expected]);
  });
}

test('records are numbered without a gap, and each begins anew', () => {
  const { zone, begin, read } = stage();
  const journal = begin();
  for (const tick of [5, 6, 9]) {
    journal.begin(tick);
    journal.here(tick);
    journal.end();
  }
  assert.deepEqual(
    read().map(({ serial, tick, body }) => [serial, tick, body.length]),
    [
      [1, 5, 5],
      [2, 6, 5],
      [3, 9, 5],
    ],
  );
  assert.equal(zone.scalars[SCALAR_JOURNALED], 3);
});

test('a record grows as far as its tick needs, and nothing of it is lost', () => {
  const { begin, read } = stage();
  const journal = begin();
  const row = Uint8Array.from({ length: 40000 }, (_, i) => i % 251);
  journal.begin(1);
  journal.stored(new DataView(row.buffer), 0, 60000 % row.length);
  for (let i = 0; i < 9; i++) journal.arrive(row, 0, row.length);
  journal.systems();
  journal.end();
  const [{ body }] = read();
  assert.equal(body.length, 3 + 20000 + 9 * 40001 + 1);
  assert.equal(body.at(-1), J.ENTRY_SYSTEMS);
  for (let i = 0; i < 9; i++) {
    const at = 20003 + i * 40001;
    assert.equal(body[at], J.ENTRY_ARRIVE);
    assert.ok(body.subarray(at + 1, at + 40001).equals(row));
  }
});

test('a record that finds no room is a gap in the numbers, and counted', () => {
  const { zone, begin, read } = stage(1024);
  const journal = begin();
  const tick = (at: number, bytes: number): void => {
    journal.begin(at);
    journal.arrive(new Uint8Array(bytes), 0, bytes);
    journal.end();
  };
  tick(1, 400);
  tick(2, 400);
  tick(3, 400); // the ring is full
  tick(4, 600); // more than the ring can ever take in one piece
  assert.equal(zone.counters[COUNTER.journalLost], 2);
  assert.deepEqual(
    read().map(({ serial, tick }) => [serial, tick]),
    [
      [1, 1],
      [2, 2],
    ],
  );
  tick(5, 8);
  assert.deepEqual(
    read().map(({ serial, tick }) => [serial, tick]),
    [[5, 5]],
  );
});

test('where the first record of a thread finds no room, its number is skipped too: a dead thread may have written it', () => {
  const { zone, begin, read } = stage(1024);
  const dead = begin();
  dead.begin(1);
  dead.systems();
  dead.end();
  zone.scalars[SCALAR_JOURNALED] = 0; // it did not live to commit
  const journal = begin();
  journal.begin(1);
  journal.arrive(new Uint8Array(600), 0, 600);
  journal.end();
  journal.begin(2);
  journal.end();
  journal.begin(3);
  journal.arrive(new Uint8Array(600), 0, 600);
  journal.end(); // has written by now: no number is skipped
  journal.begin(4);
  journal.end();
  assert.deepEqual(
    read().map(({ serial, tick }) => [serial, tick]),
    [
      [1, 1],
      [3, 2],
      [5, 4],
    ],
  );
});

// --- mirrors ---

interface Mirrors {
  zone: EngineZone;
  /** Entries of one tick: row, and the names of the columns that it carries; undefined: the mirror is gone. */
  tick(): [number, string[] | undefined][];
}

function mirrorStage(): Mirrors & { renew(): void } {
  const { zone, begin, read } = stage();
  const columns = mirroredColumns(zone.buffer.layout, zone.game.fields);
  let journal = begin();
  let at = 0;
  const tick = (): [number, string[] | undefined][] => {
    journal.begin(++at);
    journal.mirrors();
    journal.end();
    const [{ body }] = read();
    const found: [number, string[] | undefined][] = [];
    for (let offset = 0; offset < body.length; ) {
      const entry = body[offset];
      const row = body.readUInt32LE(offset + 1);
      offset += 5;
      if (entry === J.ENTRY_MIRROR_GONE) {
        found.push([row, undefined]);
        continue;
      }
      assert.equal(entry, J.ENTRY_MIRROR);
      const bits = body.subarray(offset, offset + Math.ceil(columns.length / 8));
      offset += bits.length;
      const names: string[] = [];
      for (const [i, column] of columns.entries()) {
        if ((bits[i >> 3] & (1 << (i & 7))) === 0) continue;
        names.push(column.name);
        assert.ok(body.subarray(offset, offset + column.bytes).equals(cellOf(zone, column, row)), column.name);
        offset += column.bytes;
      }
      found.push([row, names]);
    }
    return found;
  };
  const renew = (): void => {
    journal = begin();
  };
  return { zone, tick, renew };
}

function cellOf(zone: EngineZone, { name }: { name: string }, row: number): Buffer {
  const columns = zone.buffer.blocks[0].columns as Record<string, Uint8Array>;
  const column = columns[name];
  return Buffer.from(column.slice(row, row + 1).buffer);
}

function addMirror(zone: EngineZone, mirror: number): number {
  const row = zone.ownCapacity + mirror;
  zone.alive[row] = 1;
  zone.positionX[row] = 101;
  zone.scalars[SCALAR_MIRROR_LIMIT] = Math.max(zone.scalars[SCALAR_MIRROR_LIMIT], row + 1);
  return row;
}

test('a new mirror is told with all its columns, and later with those that have changed', () => {
  const { zone, tick } = mirrorStage();
  const names = mirroredColumns(zone.buffer.layout, zone.game.fields).map(({ name }) => name);
  assert.equal(names.length, 9);
  const [first, last] = [addMirror(zone, 0), addMirror(zone, 2)];
  assert.deepEqual(tick(), [
    [first, names],
    [last, names],
  ]);
  assert.deepEqual(tick(), [], 'nothing has changed');
  for (const name of names) {
    (zone.buffer.blocks[0].columns as Record<string, Float64Array>)[name][last]++;
    assert.deepEqual(tick(), [[last, [name]]]);
  }
  assert.deepEqual(tick(), []);
});

test('a change of half a number of 8 bytes is one, and so is one from 0 to -0', () => {
  const { zone, tick } = mirrorStage();
  const row = addMirror(zone, 1);
  tick();
  const words = new Uint32Array(2);
  const value = new Float64Array(words.buffer);
  for (const half of [0, 1]) {
    words[half] ^= 1;
    zone.columns.gold[row] = value[0];
    assert.deepEqual(tick(), [[row, ['gold']]]);
  }
  zone.columns.gold[row] = 0;
  zone.positionY[row] = 0;
  tick();
  zone.columns.gold[row] = -0;
  zone.positionY[row] = -0;
  assert.deepEqual(tick()[0][1]?.sort(), ['gold', 'positionY']);
});

test('a mirror that goes is told once, also when it was the last one, and is new when it is back', () => {
  const { zone, tick } = mirrorStage();
  const [first, last] = [addMirror(zone, 0), addMirror(zone, 3)];
  tick();
  zone.alive[last] = 0;
  zone.scalars[SCALAR_MIRROR_LIMIT] = first + 1;
  assert.deepEqual(tick(), [[last, undefined]]);
  assert.deepEqual(tick(), []);
  addMirror(zone, 3);
  const [[row, names]] = tick();
  assert.equal(row, last);
  assert.equal(names?.length, 9);
});

test('a successor tells what differs from the mirrors that it finds', () => {
  const { zone, tick, renew } = mirrorStage();
  const [first, last] = [addMirror(zone, 0), addMirror(zone, 3)];
  tick();
  renew();
  assert.deepEqual(tick(), []);
  renew();
  zone.columns.hp[first] = 12;
  zone.alive[last] = 0;
  zone.scalars[SCALAR_MIRROR_LIMIT] = first + 1;
  assert.deepEqual(tick(), [
    [first, ['hp']],
    [last, undefined],
  ]);
});
