import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRandom } from '../../../src/base/chance.js';
import { FrameBuilder } from '../../../src/engine/replication/frame-builder.js';
import {
  MID_AGE_TICKS_MAX,
  MID_STEP_QUANTA_MAX,
  SHORT_AGE_TICKS_MAX,
  SHORT_STEP_QUANTA_MAX,
} from '../../../src/engine/replication/limits.js';
import { SENT_DOUBTED, SENT_NEVER } from '../../../src/memory/tables/client-table.js';
import { EntityDecoder } from '../../../src/protocol/fb/entity-decoder.js';
import { type FieldForm, openFrame, readLeaves, type ServerFrame } from '../../../src/protocol/fb/server-frame.js';
import { FIELDS, makeRows, QUANTUM, ROWS } from './rows.js';

const FORMS = (Object.entries(FIELDS) as [string, { wire?: Partial<FieldForm> }][]).flatMap(([name, { wire }]) =>
  wire === undefined ? [] : [{ name, type: 'u8' as const, scale: 1, offset: 0, ...wire }],
);
const START = 12;
const NONE = new Uint32Array(0);

function makeBuilder() {
  const { zone, changes } = makeRows();
  const bytes = new Uint8Array(4096).fill(0xee);
  const builder = new FrameBuilder(changes, zone.kind);
  builder.attach(bytes, new DataView(bytes.buffer));
  /** The frame as it was written, with nothing written beside it. */
  const finish = (): ServerFrame => {
    const size = builder.end();
    assert.ok(
      bytes.subarray(0, START).every((byte) => byte === 0xee),
      'written before the frame',
    );
    assert.ok(
      bytes.subarray(START + size).every((byte) => byte === 0xee),
      'written behind the frame',
    );
    const frame = openFrame(bytes.slice(START, START + size));
    assert.ok(frame !== null);
    bytes.fill(0xee);
    return frame;
  };
  return { zone, changes, bytes, builder, finish };
}

test('a frame opens with what it was begun with, with and without leaves and flags', () => {
  const { builder, finish } = makeBuilder();
  for (const [leaves, leaveCount, flags] of [
    [NONE, 0, 0],
    [NONE, 0, 1],
    [Uint32Array.of(7, 8, 9), 3, 0],
    [Uint32Array.of(7, 8, 9), 1, 0],
    [Uint32Array.of(7, 8, 9), 2, 1],
  ] as const) {
    builder.begin(START, 4000000000, 4100000000, leaves, leaveCount, flags);
    const frame = finish();
    assert.deepEqual([frame.tick(), frame.ack(), frame.flags()], [4000000000, 4100000000, flags]);
    assert.deepEqual(readLeaves(frame), [...leaves.slice(0, leaveCount)]);
    assert.equal(frame.entitiesLength(), 0);
  }
});

test('an empty frame is 36 bytes', () => {
  const { builder } = makeBuilder();
  builder.begin(START, 1, 1, NONE, 0, 0);
  assert.equal(builder.end(), 36);
});

/** The bytes of one record about a row that has last been told of at `sent`. */
function recordOf(
  sent: number,
  tick: number,
  change: (rows: ReturnType<typeof makeRows>) => void,
  wireId = 5,
): number[] {
  const { zone, changes, builder, finish } = makeBuilder();
  zone.positionX[1] = zone.positionY[1] = 100;
  zone.columns.turn[1] = -10; // raw 0
  zone.tick = 1;
  changes.touch(1);
  change({ zone, changes });
  zone.tick = tick;
  changes.touch(1);
  builder.begin(START, tick, 0, NONE, 0, 0);
  builder.writeEntity(1, wireId, sent, tick);
  return [...finish().entitiesArray()!];
}

function walk(quanta: number, tick: number) {
  return ({ zone, changes }: ReturnType<typeof makeRows>): void => {
    zone.tick = tick;
    zone.positionX[1] += quanta * QUANTUM;
    changes.touch(1);
  };
}

const ENTER_AT = (quantumX: number) => [5, 3, 0, quantumX & 255, quantumX >> 8, 0, 0, 0, 25, 0, 0];

test('a position goes in the shortest form that a client of this age can follow', () => {
  const short = walk(SHORT_STEP_QUANTA_MAX, 3);
  const mid = walk(SHORT_STEP_QUANTA_MAX * 2 + 1, 3);
  const far = walk(MID_STEP_QUANTA_MAX * 2 + 1, 3);
  const x = 6400 + SHORT_STEP_QUANTA_MAX;
  const midX = 6400 + SHORT_STEP_QUANTA_MAX * 2 + 1;
  const farX = 6400 + MID_STEP_QUANTA_MAX * 2 + 1;
  assert.deepEqual(recordOf(2, 2 + SHORT_AGE_TICKS_MAX, short), [5, 1, x & 255, 0]);
  assert.deepEqual(recordOf(2, 3 + SHORT_AGE_TICKS_MAX, short), [5, 2, x & 255, x >> 8, 0, 25]);
  assert.deepEqual(recordOf(2, 2 + MID_AGE_TICKS_MAX, short), [5, 2, x & 255, x >> 8, 0, 25]);
  assert.deepEqual(recordOf(2, 3 + MID_AGE_TICKS_MAX, short), ENTER_AT(x));
  assert.deepEqual(recordOf(2, 2 + SHORT_AGE_TICKS_MAX, mid), [5, 2, midX & 255, midX >> 8, 0, 25]);
  assert.deepEqual(recordOf(2, 3 + SHORT_AGE_TICKS_MAX, mid), ENTER_AT(midX));
  assert.deepEqual(recordOf(2, 3, far), ENTER_AT(farX));
  assert.deepEqual(recordOf(SENT_NEVER, 3, short), ENTER_AT(x));
  assert.deepEqual(recordOf(SENT_DOUBTED, 3, short), ENTER_AT(x));
});

test('a step that the client has been told of already does not count', () => {
  const x = 6400 + SHORT_STEP_QUANTA_MAX * 2 + 1;
  const mid = walk(SHORT_STEP_QUANTA_MAX * 2 + 1, 3);
  const hurt = (rows: ReturnType<typeof makeRows>): void => {
    mid(rows);
    rows.zone.columns.hp[1] = 9;
  };
  assert.deepEqual(recordOf(3, 4, hurt), [5, 4, 9], 'it stands where the client has it: the field alone');
  assert.deepEqual(recordOf(2, 4, hurt), [5, 6, x & 255, x >> 8, 0, 25, 9]);
  const then = (rows: ReturnType<typeof makeRows>): void => {
    mid(rows);
    rows.zone.positionX[1] += QUANTUM;
  };
  assert.deepEqual(recordOf(3, 4, then), [5, 1, (x + 1) & 255, 0], 'the long step was told in tick 3');
  const teleport = (rows: ReturnType<typeof makeRows>): void => {
    walk(MID_STEP_QUANTA_MAX * 2 + 1, 3)(rows);
    rows.zone.positionX[1] += QUANTUM;
  };
  assert.deepEqual(recordOf(3, 4, teleport).slice(0, 2), [5, 1], 'and so was the teleport');
  assert.deepEqual(recordOf(2, 4, teleport).slice(0, 2), [5, 3]);
});

test('fields go at the size of their type, those that changed, or on entering those that are not 0', () => {
  const set = ({ zone }: ReturnType<typeof makeRows>): void => {
    zone.columns.hp[1] = 200;
    zone.columns.heat[1] = 0.5;
    zone.columns.turn[1] = -11;
    zone.columns.score[1] = 0x81020304;
  };
  const values = [200, 0, 0, 0, 0x3f, 0xfe, 0xff, 4, 3, 2, 0x81];
  assert.deepEqual(recordOf(1, 2, set), [5, 0b111100, ...values]);
  const entered = recordOf(SENT_NEVER, 2, set);
  assert.deepEqual(entered.slice(0, 3), [5, 0b111111, 0]);
  assert.deepEqual(entered.slice(11), values);
  assert.equal(recordOf(SENT_NEVER, 2, () => {})[1], 3, 'a turn of -10 is raw 0, and needs not be told');
  assert.deepEqual(recordOf(SENT_NEVER, 2, ({ zone }) => zone.columns.turn.fill(0)).slice(11), [20, 0]);
});

test('a field that the client has been told of already is not told again, nor is a step', () => {
  const then = (change: (rows: ReturnType<typeof makeRows>) => void) => (rows: ReturnType<typeof makeRows>) => {
    walk(SHORT_STEP_QUANTA_MAX * 2 + 1, 3)(rows);
    rows.zone.columns.hp[1] = 9;
    rows.changes.reset(0);
    rows.zone.tick = 4;
    rows.changes.touch(1);
    change(rows);
  };
  const both = recordOf(
    4,
    5,
    then(({ zone }) => zone.columns.score.fill(7)),
  );
  assert.deepEqual(both, [5, 8 << 2, 7, 0, 0, 0], 'hp was told in tick 4');
  const moved = recordOf(3, 4, (rows) => {
    walk(SHORT_STEP_QUANTA_MAX * 2 + 1, 3)(rows);
    rows.zone.positionX[1] += QUANTUM;
    rows.zone.columns.hp[1] = 9;
  });
  assert.deepEqual(moved.slice(0, 2), [5, 0b101], 'the long step was told in tick 3');
});

test('what was told in tick 0 was told', () => {
  const { zone, changes, builder, finish } = makeBuilder();
  changes.touch(1);
  zone.tick = 1;
  zone.columns.hp[1] = 9;
  changes.touch(1);
  builder.begin(START, 1, 0, NONE, 0, 0);
  builder.writeEntity(1, 5, 0, 1);
  assert.deepEqual([...finish().entitiesArray()!], [5, 4, 9]);
});

test('a mask goes in one byte as long as it can', () => {
  for (const [count, maskBytes] of [
    [5, [127]],
    [6, [255, 1]],
  ] as const) {
    const names = Array.from({ length: count }, (_, i) => `f${i}`);
    const fields = Object.fromEntries(names.map((name) => [name, { type: 'f64', wire: { type: 'u8' } } as const]));
    const { zone, changes } = makeRows(fields);
    const bytes = new Uint8Array(256);
    const builder = new FrameBuilder(changes, zone.kind);
    builder.attach(bytes, new DataView(bytes.buffer));
    for (const name of names) zone.buffer.blocks[0].columns[name][1] = 1;
    changes.touch(1);
    builder.begin(0, 0, 0, NONE, 0, 0);
    builder.writeEntity(1, 5, SENT_NEVER, 0);
    const size = builder.end();
    assert.deepEqual([...bytes.subarray(36, size)], [5, ...maskBytes, ...Array(9).fill(0), ...Array(count).fill(1)]);
  }
});

test('ids go as their distance from the one before, in as many bytes as they need', () => {
  const { zone, changes, builder, finish } = makeBuilder();
  zone.columns.turn.fill(-10);
  const ids = [0, 1, 128, 256, 16640, 0x7fffff];
  zone.tick = 2;
  for (let row = 0; row < ids.length; row++) changes.touch(row);
  builder.begin(START, 2, 0, NONE, 0, 0);
  builder.writeEntity(9, 77, SENT_NEVER, 2);
  builder.restart();
  for (const [row, id] of ids.entries()) builder.writeEntity(row, id, SENT_NEVER, 2);
  const lengths = [1, 1, 1, 2, 3, 4];
  const frame = finish();
  assert.equal(
    frame.entitiesLength(),
    lengths.reduce((sum, bytes) => sum + bytes + 10, 0),
  );
  const decoder = new EntityDecoder(FORMS, QUANTUM, ['one']);
  assert.deepEqual(decoder.apply(frame).entered, ids);
});

test('no record is longer than the most that is reckoned with', () => {
  const longest = recordOf(
    SENT_NEVER,
    2,
    ({ zone }) => {
      for (const column of Object.values(zone.columns)) column[1] = 1;
    },
    0xffffff,
  );
  assert.ok(longest.length <= makeBuilder().builder.recordBytesMax, `${longest.length}`);
  assert.equal(makeBuilder().builder.recordBytesMax, 19 + FORMS.length * 4);
});

for (const seed of [1, 2]) {
  test(`a client that is told at odd times has what there is, after each telling (seed ${seed})`, () => {
    const random = createRandom(seed);
    const { zone, changes, builder, finish } = makeBuilder();
    const decoder = new EntityDecoder(FORMS, QUANTUM, ['a', 'b', 'c']);
    const sent = new Int32Array(ROWS).fill(SENT_NEVER);
    for (let row = 0; row < ROWS; row++) {
      zone.kind[row] = row % 3;
      zone.positionX[row] = random() * 200;
      zone.positionY[row] = random() * 300;
    }
    for (zone.tick = 1; zone.tick < 6000; zone.tick += random() < 0.01 ? 500 : 1) {
      const { tick } = zone;
      for (let row = 0; row < ROWS; row++) {
        const reach = [0, 0, 0, 5, 7, 100, 1800, 9000][Math.floor(random() * 8)] * QUANTUM;
        zone.positionX[row] = Math.min(200, Math.max(0, zone.positionX[row] + (random() - 0.5) * 2 * reach));
        zone.positionY[row] = Math.min(300, Math.max(0, zone.positionY[row] + (random() - 0.5) * 2 * reach));
        if (random() < 0.05) zone.columns.hp[row] = Math.floor(random() * 256);
        if (random() < 0.05) zone.columns.turn[row] = Math.floor(random() * 100);
      }
      if (random() < 0.8) for (let row = 0; row < ROWS; row++) changes.touch(row);
      builder.begin(START, tick, 0, NONE, 0, 0);
      const told: number[] = [];
      for (let row = 0; row < ROWS; row++) {
        if (random() > 0.1) continue;
        changes.touch(row);
        if (changes.changedTick[row] <= sent[row]) continue;
        builder.writeEntity(row, row * 100, sent[row], tick);
        sent[row] = tick;
        told.push(row);
      }
      assert.equal(decoder.apply(finish()).error, null);
      for (const row of told) {
        const seen = decoder.entities.get(row * 100)!;
        const context = `seed ${seed} tick ${tick} row ${row}`;
        assert.deepEqual([seen.rawX, seen.rawY], [changes.quantumX[row], changes.quantumY[row]], context);
        assert.deepEqual(seen.fields, [zone.columns.hp[row], 0, zone.columns.turn[row], 0], context);
        assert.equal(seen.kind, zone.kind[row]);
      }
    }
  });
}
