// Every wire type from a column of the server to a client: the extremes, what lies beyond them, scale and offset.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FieldDefinitions, GameDefinition } from '../../../src/game/definition.js';
import { HeadlessWorld } from '../../../src/testing/headless-world.js';

const FIELDS = {
  u8: { type: 'f64', wire: { type: 'u8' } },
  i8: { type: 'f64', wire: { type: 'i8' } },
  u16: { type: 'f64', wire: { type: 'u16' } },
  i16: { type: 'f64', wire: { type: 'i16' } },
  u32: { type: 'f64', wire: { type: 'u32' } },
  i32: { type: 'f64', wire: { type: 'i32' } },
  f32: { type: 'f64', wire: { type: 'f32' } },
  scaled: { type: 'f64', wire: { type: 'i16', scale: 0.5, offset: 100 } },
} as const satisfies FieldDefinitions;

const F32_MAX = 2 ** 128 - 2 ** 104;
const NAMES = Object.keys(FIELDS) as (keyof typeof FIELDS)[];
const ROUNDS: { given: number[]; seen: number[] }[] = [
  { given: [0, 0, 0, 0, 0, 0, 0, 100], seen: [0, 0, 0, 0, 0, 0, 0, 100] },
  {
    given: [200, -100, 60000, -30000, 4e9, -2e9, 0.1, 99],
    seen: [200, -100, 60000, -30000, 4e9, -2e9, Math.fround(0.1), 99],
  },
  {
    given: [255, 127, 65535, 32767, 4294967295, 2147483647, 1e30, 116.4],
    seen: [255, 127, 65535, 32767, 4294967295, 2147483647, Math.fround(1e30), 116.5],
  },
  {
    given: [0, -128, 0, -32768, 0, -2147483648, -1e30, -200.5],
    seen: [0, -128, 0, -32768, 0, -2147483648, Math.fround(-1e30), -200.5],
  },
  // Beyond what the type can hold: its nearest value. What is not a number is 0.
  {
    given: [256, 128, 65536, 32768, 4294967296, 2147483648, 1e39, 1e9],
    seen: [255, 127, 65535, 32767, 4294967295, 2147483647, F32_MAX, 16483.5],
  },
  {
    given: [-1, -129, -1, -32769, -1, -2147483649, -Infinity, -1e9],
    seen: [0, -128, 0, -32768, 0, -2147483648, -F32_MAX, -16284],
  },
  { given: NAMES.map(() => Number.NaN), seen: [0, 0, 0, 0, 0, 0, 0, 100] },
];

function gameOf(setFields: (columns: Record<string, Float64Array>, row: number) => void): GameDefinition {
  return {
    name: 'types',
    version: 1,
    kinds: ['thing'],
    fields: FIELDS,
    commands: [],
    events: [],
    systems: [],
    spawnPlayer(zone, x, y) {
      const row = zone.spawn(0, x, y);
      setFields(zone.columns as never, row);
      return row;
    },
  };
}

function set(columns: Record<string, Float64Array>, row: number, values: readonly number[]): void {
  for (const [i, name] of NAMES.entries()) columns[name][row] = values[i];
}

for (const [index, { given, seen }] of ROUNDS.entries()) {
  test(`values of every wire type reach a client that sees their entity for the first time, ${index}`, () => {
    const game = gameOf((columns, row) => set(columns, row, given));
    const world = new HeadlessWorld(game, { zoneColumns: 1, zoneRows: 1, bots: 0, seed: 1 });
    const client = world.join(0);
    world.run(5);
    assert.deepEqual(client.decoder.entities.get(client.entityId)?.fields, seen);
  });
}

test('values of every wire type reach a client when they change', () => {
  const changing: GameDefinition = gameOf(() => {});
  let values: readonly number[] = ROUNDS[0].given;
  const systems = [{ name: 'set', run: (zone: never) => setAll(zone, values) }];
  const world = new HeadlessWorld({ ...changing, systems } as never, { zoneColumns: 1, zoneRows: 1, bots: 0, seed: 1 });
  const client = world.join(0);
  for (const { given, seen } of ROUNDS) {
    values = given;
    world.run(5);
    assert.deepEqual(client.decoder.entities.get(client.entityId)?.fields, seen, String(given));
  }
  assert.equal(client.fullCount, 1, 'all but the first values came as changes');
});

function setAll(
  { rowLimit, columns }: { rowLimit: number; columns: Record<string, Float64Array> },
  values: readonly number[],
): void {
  for (let row = 0; row < rowLimit; row++) set(columns, row, values);
}
