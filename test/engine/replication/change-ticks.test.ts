import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ChangeTicks } from '../../../src/engine/replication/change-ticks.js';
import { MID_STEP_QUANTA_MAX, SHORT_STEP_QUANTA_MAX } from '../../../src/engine/replication/limits.js';
import type { FieldDefinitions } from '../../../src/game/definition.js';
import { listReplicatedFields } from '../../../src/game/fields/replicated-fields.js';
import { REPLICATED_FIELDS_MAX } from '../../../src/protocol/limits.js';
import { FIELDS, makeRows, QUANTUM, ROWS } from './rows.js';

const ROW = 3;

/** Every tick that is kept of the row. */
function ticksOf(changes: ChangeTicks, row = ROW) {
  return {
    changed: changes.changedTick[row],
    moved: changes.movedTick[row],
    fields: changes.fieldsTick[row],
    mid: changes.midTick[row],
    teleport: changes.teleportTick[row],
    each: Array.from(
      { length: changes.fieldCount },
      (_, field) => changes.fieldTick[field * changes.rowCapacity + row],
    ),
  };
}

/** A row that was touched in tick 10, and then again in tick 10 + ticks after a step of so many quanta. */
function step(quantaX: number, quantaY: number, ticks = 1) {
  const { zone, changes } = makeRows();
  zone.tick = 10;
  zone.positionX[ROW] = 100;
  zone.positionY[ROW] = 100;
  changes.touch(ROW);
  zone.tick = 10 + ticks;
  zone.positionX[ROW] += quantaX * QUANTUM;
  zone.positionY[ROW] += quantaY * QUANTUM;
  changes.touch(ROW);
  const { changed, moved, fields, mid, teleport } = ticksOf(changes);
  assert.equal(fields, 10, 'no field changed');
  assert.deepEqual([changes.quantumX[ROW] - 6400, changes.quantumY[ROW] - 6400], [quantaX, quantaY]);
  return [changed, moved, mid, teleport].map((tick) => tick - 10);
}

test('fields with a wire form are replicated, in their order', () => {
  assert.deepEqual(listReplicatedFields(FIELDS), [
    { name: 'hp', type: 'u8', scale: 1, offset: 0 },
    { name: 'heat', type: 'f32', scale: 1, offset: 0 },
    { name: 'turn', type: 'i16', scale: 0.5, offset: -10 },
    { name: 'score', type: 'u32', scale: 1, offset: 0 },
  ]);
  const many = (count: number): FieldDefinitions =>
    Object.fromEntries(Array.from({ length: count }, (_, i) => [`f${i}`, { type: 'u8', wire: { type: 'u8' } }]));
  assert.equal(listReplicatedFields(many(REPLICATED_FIELDS_MAX)).length, REPLICATED_FIELDS_MAX);
});

test('an entity that is looked at for the first time has changed in every part, also in tick 0', () => {
  for (const tick of [0, 77]) {
    const { zone, changes } = makeRows();
    zone.tick = tick;
    changes.touch(ROW);
    assert.deepEqual(ticksOf(changes), {
      ...{ changed: tick, moved: tick, fields: tick, mid: tick, teleport: tick },
      each: [tick, tick, tick, tick],
    });
  }
});

test('an entity that nothing happens to keeps its ticks', () => {
  assert.deepEqual(step(0, 0), [0, 0, 0, 0]);
  assert.deepEqual(step(0, 0, 100), [0, 0, 0, 0]);
});

test('a step is short, mid or a teleport by the longer of its two parts, either way', () => {
  for (const [quanta, expected] of [
    [1, [1, 1, 0, 0]],
    [SHORT_STEP_QUANTA_MAX, [1, 1, 0, 0]],
    [SHORT_STEP_QUANTA_MAX + 1, [1, 1, 1, 0]],
    [MID_STEP_QUANTA_MAX, [1, 1, 1, 0]],
    [MID_STEP_QUANTA_MAX + 1, [1, 1, 1, 1]],
  ] as [number, number[]][]) {
    for (const [x, y] of [
      [quanta, 0],
      [-quanta, 0],
      [0, quanta],
      [0, -quanta],
      [quanta, 1],
      [1, -quanta],
    ]) {
      assert.deepEqual(step(x, y), expected, `${x} ${y}`);
    }
  }
});

test('a way that nobody looked at counts as walked evenly', () => {
  const ticks = 5;
  assert.deepEqual(step(SHORT_STEP_QUANTA_MAX * ticks, 0, ticks), [ticks, ticks, 0, 0]);
  assert.deepEqual(step(SHORT_STEP_QUANTA_MAX * ticks + 1, 0, ticks), [ticks, ticks, ticks, 0]);
  assert.deepEqual(step(0, MID_STEP_QUANTA_MAX, ticks), [ticks, ticks, ticks, 0]);
  assert.deepEqual(step(0, 3 * MID_STEP_QUANTA_MAX, 3), [3, 3, 3, 0]);
  assert.deepEqual(step(0, 3 * MID_STEP_QUANTA_MAX + 1, 3), [3, 3, 3, 3]);
});

test('the second look of a tick finds nothing new, whatever was written meanwhile', () => {
  const { zone, changes } = makeRows();
  zone.tick = 4;
  changes.touch(ROW);
  zone.positionX[ROW] = 50;
  zone.columns.hp[ROW] = 9;
  changes.touch(ROW);
  assert.equal(changes.quantumX[ROW], 0);
  zone.tick = 5;
  changes.touch(ROW);
  assert.deepEqual([changes.quantumX[ROW], changes.raw[ROW], changes.movedTick[ROW]], [3200, 9, 5]);
});

test('each field has its own tick, and those of other rows and fields stay', () => {
  const { zone, changes } = makeRows();
  zone.tick = 1;
  for (let row = 0; row < ROWS; row++) changes.touch(row);
  zone.tick = 2;
  zone.columns.turn[ROW] = 5;
  for (let row = 0; row < ROWS; row++) changes.touch(row);
  assert.deepEqual(ticksOf(changes), { changed: 2, moved: 1, fields: 2, mid: 1, teleport: 1, each: [1, 1, 2, 1] });
  assert.equal(changes.raw[2 * ROWS + ROW], 30, '(5 + 10) / 0.5');
  for (const row of [ROW - 1, ROW + 1]) assert.deepEqual(ticksOf(changes, row).each, [1, 1, 1, 1]);
  zone.tick = 3;
  zone.columns.turn[ROW] = 5.2; // rounds to the same
  changes.touch(ROW);
  assert.equal(changes.changedTick[ROW], 2);
});

test('what is not a number does not change in every tick', () => {
  const { zone, changes } = makeRows();
  zone.columns.heat[ROW] = Number.NaN;
  for (zone.tick = 1; zone.tick < 4; zone.tick++) changes.touch(ROW);
  assert.deepEqual([changes.raw[ROWS + ROW], changes.fieldsTick[ROW]], [0, 1]);
});

test('places outside of the world are told as its edge', () => {
  const { zone, changes } = makeRows();
  for (const [x, y, quantumX, quantumY] of [
    [-5, 900, 0, 300 / QUANTUM],
    [900, -5, 200 / QUANTUM, 0],
    [200, 300, 200 / QUANTUM, 300 / QUANTUM],
  ]) {
    zone.tick++;
    zone.positionX[ROW] = x;
    zone.positionY[ROW] = y;
    changes.touch(ROW);
    assert.deepEqual([changes.quantumX[ROW], changes.quantumY[ROW]], [quantumX, quantumY]);
  }
});

test('a row that was reset stands for another entity: all of it is new, even in the same tick', () => {
  const { zone, changes } = makeRows();
  zone.tick = 6;
  changes.touch(ROW);
  changes.touch(ROW + 1);
  zone.tick = 7;
  changes.reset(ROW);
  changes.touch(ROW);
  changes.touch(ROW + 1);
  assert.deepEqual(ticksOf(changes), { changed: 7, moved: 7, fields: 7, mid: 7, teleport: 7, each: [7, 7, 7, 7] });
  assert.equal(changes.changedTick[ROW + 1], 6);
  zone.columns.hp[ROW] = 3;
  changes.reset(ROW);
  changes.touch(ROW);
  assert.equal(changes.raw[ROW], 3);
});
