import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defineGame } from '../../src/game/define-game.js';
import { describeCommands } from '../../src/game/describe-commands.js';
import { formPayload, PayloadReader, placeFields } from '../../src/game/payload.js';
import { CommandLayouts, decodeCommand, encodeCommand, writeCommand } from '../../src/protocol/fb/command-layout.js';
import { CLIENT_HEADER_BYTES } from '../../src/protocol/limits.js';

const PAYLOAD = {
  slot: { type: 'u8', max: 20 },
  offset: { type: 'i16' },
  gap: { type: 'u16', reserved: true },
  sure: { type: 'bool' },
  where: { type: 'u8', oneOf: ['here', 'there'] },
  far: { type: 'u32' },
  near: { type: 'i32' },
  angle: { type: 'f32' },
  low: { type: 'i8' },
  wide: { type: 'u16' },
} as const;
const VALUES = {
  ...{ slot: 20, offset: -2, sure: true, where: 'there', far: 2 ** 32 - 1, near: -7, angle: 0.25, low: -128 },
  wide: 65535,
} as const;
const [FORM] = describeCommands({ Use: { payload: PAYLOAD } });
const LAYOUT = new CommandLayouts([FORM]).findByName('Use')!;

test('a handler is given what the client sent, by name and type', () => {
  const bytes = encodeCommand(LAYOUT, VALUES, 1);
  const reader = new PayloadReader(formPayload(PAYLOAD));
  const view = new DataView(bytes.buffer);
  assert.deepEqual({ ...reader.read(view, CLIENT_HEADER_BYTES) }, VALUES);
  assert.deepEqual(decodeCommand(LAYOUT, view, 0), VALUES);
});

test('the same object is given every time', () => {
  const reader = new PayloadReader(formPayload(PAYLOAD));
  const read = (values: typeof VALUES) =>
    reader.read(new DataView(encodeCommand(LAYOUT, values, 1).buffer), CLIENT_HEADER_BYTES);
  const first = read(VALUES);
  const second = read({ ...VALUES, sure: false as never, where: 'here' as never });
  assert.equal(first, second);
  assert.equal(second.sure, false);
  assert.equal(second.where, 'here');
});

test('plain clients may send names and booleans, or their numbers, and nothing else', () => {
  const view = new DataView(new ArrayBuffer(64));
  const codeOf = (change: Record<string, unknown>) => writeCommand(LAYOUT, { ...VALUES, ...change }, 1, view, 0);
  assert.equal(codeOf({}), 0);
  assert.equal(codeOf({ sure: 1, where: 0 }), 0);
  assert.notEqual(codeOf({ sure: 2 }), 0);
  assert.notEqual(codeOf({ where: 'nowhere' }), 0);
  assert.notEqual(codeOf({ where: 2 }), 0);
  assert.notEqual(codeOf({ slot: true }), 0);
  assert.notEqual(codeOf({ slot: '1' }), 0);
});

test('values lie at multiples of their own size', () => {
  assert.deepEqual(placeFields(formPayload(PAYLOAD)), { offsets: [0, 2, 4, 6, 7, 8, 12, 16, 20, 22], end: 24 });
});

test('commands are numbered from 256 in their order, and a handler that returns nothing accepts', () => {
  const calls: unknown[] = [];
  const game = defineGame({
    name: 'two',
    version: 1,
    kinds: ['one'],
    commands: {
      First: { payload: {}, apply: () => {} },
      Second: {
        payload: { yes: { type: 'bool' } },
        apply(_zone, row, { yes }) {
          calls.push([row, yes]);
          return 17;
        },
      },
    },
    spawnPlayer: () => -1,
  });
  const [first, second] = game.commands;
  assert.deepEqual([first.kind, second.kind], [256, 257]);
  const bytes = new DataView(Uint8Array.of(0, 1).buffer);
  assert.equal(first.apply(undefined as never, 3, bytes, 1), 0);
  assert.equal(second.apply(undefined as never, 3, bytes, 1), 17);
  assert.deepEqual(calls, [[3, true]]);
});

test('the form keeps what an author gave, and says nothing of what he did not', () => {
  assert.deepEqual(
    formPayload({
      plain: { type: 'i16' },
      low: { type: 'i16', min: -5 },
      high: { type: 'f32', max: 5 },
      both: { type: 'u8', min: 0, max: 0 },
      room: { type: 'u8', reserved: true },
      sure: { type: 'bool' },
      where: { type: 'u8', oneOf: ['here', 'there', 'nowhere'] },
    }),
    [
      { name: 'plain', type: 'i16' },
      { name: 'low', type: 'i16', min: -5 },
      { name: 'high', type: 'f32', max: 5 },
      { name: 'both', type: 'u8', min: 0, max: 0 },
      { name: 'room', type: 'u8', reserved: true },
      { name: 'sure', type: 'u8', min: 0, max: 1, isBool: true },
      { name: 'where', type: 'u8', min: 0, max: 2, oneOf: ['here', 'there', 'nowhere'] },
    ],
  );
});

test('the object has every property, of its type, before the first command: its shape never changes', () => {
  const { target } = new PayloadReader(formPayload(PAYLOAD)) as unknown as { target: Record<string, unknown> };
  assert.deepEqual(Object.keys(target), Object.keys(VALUES));
  for (const [name, value] of Object.entries(VALUES)) assert.equal(typeof target[name], typeof value, name);
  assert.deepEqual([target.sure, target.where, target.slot], [false, 'here', 0]);
  assert.ok(!Number.isInteger(target.angle), 'made for fractions');
});
