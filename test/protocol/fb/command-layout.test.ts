import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Builder } from 'flatbuffers';
import { Move } from '../../../schemas/generated/tessera/arena/move.js';
import { Shoot } from '../../../schemas/generated/tessera/arena/shoot.js';
import { createRandom } from '../../../src/base/chance.js';
import { RejectCode } from '../../../src/game/reject-codes.js';
import {
  type CommandLayout,
  CommandLayouts,
  checkCommand,
  decodeCommand,
  encodeCommand,
  layOutCommand,
  writeCommand,
} from '../../../src/protocol/fb/command-layout.js';
import { mutate } from '../mutation.js';
import { TOY_LAYOUTS } from '../toy-wire.js';

const MOVE = TOY_LAYOUTS.findByName('move')!;
const MIX = TOY_LAYOUTS.findByName('mix')!;
const MIX_PAYLOAD = { a: 7, b: -2, c: 3, d: -300, e: 0.1, f: 4000000000, g: 65535 };

function check(layout: CommandLayout, bytes: Uint8Array): RejectCode {
  return checkCommand(layout, new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), 0, bytes.length);
}

function changed(bytes: Uint8Array, offset: number, value: number): Uint8Array {
  const copy = bytes.slice();
  copy[offset] = value;
  return copy;
}

test('a command is laid out as the generated code lays out the same struct', () => {
  const shoot = layOutCommand({
    name: 'shoot',
    kind: 257,
    payload: [
      { name: 'angle', type: 'u16' },
      { name: 'reserved', type: 'u16', reserved: true },
    ],
  });
  assert.equal(MOVE.bytes, Move.sizeOf());
  assert.equal(shoot.bytes, Shoot.sizeOf());
  assert.deepEqual(
    encodeCommand(MOVE, { x: -5, y: 100 }, 77),
    built((b) => Move.createMove(b, 256, 0, 77, -5, 100, 0)),
  );
  assert.deepEqual(
    encodeCommand(shoot, { angle: 65000 }, 8),
    built((b) => Shoot.createShoot(b, 257, 0, 8, 65000, 0)),
  );
});

function built(create: (builder: Builder) => number): Uint8Array {
  const builder = new Builder(64);
  create(builder);
  // A bare struct has no root: its bytes are the newest ones, at the end of the builder's buffer.
  const bytes = builder.dataBuffer().bytes();
  return bytes.slice(bytes.length - builder.offset());
}

test('fields stand at multiples of their size, and the tail fills up the struct', () => {
  // a u8 | 3 gap | b i32 | c u8 | 1 gap | d i16 | e f32 | f u32 | g u16 | 2 tail
  assert.deepEqual(
    MIX.fields.map((field) => field.offset),
    [8, 12, 16, 18, 20, 24, 28],
  );
  assert.equal(MIX.bytes, 32);
  assert.equal(MIX.payloadBytes, 24);
  assert.equal(TOY_LAYOUTS.findByName('cheer')!.bytes, 8);
});

test('a struct of bytes is still padded to the four of its header', () => {
  assert.equal(layOutCommand({ name: 'one', kind: 256, payload: [{ name: 'a', type: 'u8' }] }).bytes, 12);
});

test('what is encoded passes the check and decodes to what it was', () => {
  const bytes = encodeCommand(MIX, MIX_PAYLOAD, 5);
  assert.equal(check(MIX, bytes), RejectCode.None);
  assert.deepEqual(decodeCommand(MIX, new DataView(bytes.buffer), 0), { ...MIX_PAYLOAD, e: Math.fround(0.1) });
});

test('a command that is one byte too short or too long is malformed', () => {
  const bytes = encodeCommand(MIX, MIX_PAYLOAD, 5);
  assert.equal(check(MIX, bytes.slice(0, -1)), RejectCode.Malformed);
  assert.equal(check(MIX, Uint8Array.from([...bytes, 0])), RejectCode.Malformed);
});

test('reserved fields, gaps and the tail must be zero', () => {
  assert.equal(check(MOVE, changed(encodeCommand(MOVE, { x: 1, y: 1 }, 1), 11, 1)), RejectCode.Malformed);
  const bytes = encodeCommand(MIX, MIX_PAYLOAD, 5);
  for (const offset of [9, 10, 11, 17, 30, 31]) {
    assert.equal(check(MIX, changed(bytes, offset, 1)), RejectCode.Malformed, `byte ${offset}`);
  }
});

test('a value outside of its range is out of range, at both ends', () => {
  assert.equal(check(MOVE, changed(encodeCommand(MOVE, { x: -127, y: 127 }, 1), 8, 0x80)), RejectCode.OutOfRange);
  assert.equal(check(MIX, changed(encodeCommand(MIX, MIX_PAYLOAD, 5), 16, 4)), RejectCode.OutOfRange);
});

test('a float that is not finite is out of range even where the field has no range', () => {
  const layout = layOutCommand({ name: 'aim', kind: 256, payload: [{ name: 'angle', type: 'f32' }] });
  const bytes = encodeCommand(layout, { angle: -3.4028234663852886e38 }, 1);
  assert.equal(check(layout, bytes), RejectCode.None);
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
    new DataView(bytes.buffer).setFloat32(8, value, true);
    assert.equal(check(layout, bytes), RejectCode.OutOfRange, String(value));
  }
});

test('the bounds of a float are what the wire can hold of them', () => {
  const payload = [{ name: 'a', type: 'f32' as const, min: 0.3, max: 0.7 }];
  const layout = layOutCommand({ name: 'near', kind: 256, payload });
  for (const a of [0.3, 0.7]) assert.equal(check(layout, encodeCommand(layout, { a }, 1)), RejectCode.None);
});

test('a payload from anywhere is written or refused with a code', () => {
  const view = new DataView(new ArrayBuffer(64));
  const write = (payload: Record<string, unknown>) => writeCommand(MOVE, payload, 1, view, 0);
  assert.equal(write({ x: 1, y: 2 }), RejectCode.None);
  assert.equal(write({ x: 1 }), RejectCode.Malformed);
  assert.equal(write({ x: 1, y: 2, z: 3 }), RejectCode.Malformed);
  assert.equal(write({ x: 1, y: 2, reserved: 0 }), RejectCode.Malformed);
  assert.equal(write({ x: 1, y: '2' }), RejectCode.Malformed);
  assert.equal(write({ x: 1, y: 1.5 }), RejectCode.OutOfRange);
  assert.equal(write({ x: 1, y: 128 }), RejectCode.OutOfRange);
  assert.equal(write({ x: 1, y: Number.NaN }), RejectCode.OutOfRange);
  assert.equal(write(Object.assign(Object.create({ x: 1 }), { y: 2, z: 3 })), RejectCode.Malformed);
});

test('booleans and names go as numbers and come back as they were; the numbers are taken too', () => {
  const layout = layOutCommand({
    name: 'set',
    kind: 256,
    payload: [
      { name: 'sure', type: 'u8', min: 0, max: 1, isBool: true },
      { name: 'where', type: 'u8', min: 0, max: 1, oneOf: ['here', 'there'] },
      { name: 'count', type: 'u8' },
    ],
  });
  const view = new DataView(new ArrayBuffer(64));
  const write = (sure: unknown, where: unknown, count: unknown = 9) =>
    writeCommand(layout, { sure, where, count }, 1, view, 0);
  for (const [sure, where] of [
    [false, 'here'],
    [true, 'there'],
  ]) {
    assert.equal(write(sure, where), RejectCode.None);
    assert.deepEqual([view.getUint8(8), view.getUint8(9)], sure ? [1, 1] : [0, 0]);
    assert.deepEqual(decodeCommand(layout, view, 0), { sure, where, count: 9 });
    assert.equal(write(Number(sure), Number(sure)), RejectCode.None);
    assert.deepEqual(decodeCommand(layout, view, 0), { sure, where, count: 9 });
  }
  assert.equal(write(2, 'here'), RejectCode.OutOfRange);
  assert.equal(write('true', 'here'), RejectCode.Malformed);
  assert.equal(write(true, 'nowhere'), RejectCode.OutOfRange);
  assert.equal(write(true, true), RejectCode.Malformed);
  assert.equal(write(true, 2), RejectCode.OutOfRange);
  assert.equal(write(true, 'here', true), RejectCode.Malformed);
  assert.equal(write(true, 'here', 'here'), RejectCode.Malformed);
});

test('kinds are found whatever number is asked for', () => {
  assert.equal(TOY_LAYOUTS.find(256)?.name, 'move');
  assert.equal(TOY_LAYOUTS.find(300)?.name, 'mix');
  assert.equal(TOY_LAYOUTS.find(301)?.name, 'cheer');
  for (const kind of [0, 1, 255, 257, 302, 65535, -1]) assert.equal(TOY_LAYOUTS.find(kind), null, `kind ${kind}`);
  assert.equal(TOY_LAYOUTS.findByName('toString'), null);
});

test('a game that contradicts itself is not laid out', () => {
  const payload = [{ name: 'a', type: 'u8' }] as const;
  assert.throws(
    () =>
      new CommandLayouts([
        { name: 'a', kind: 256, payload },
        { name: 'b', kind: 256, payload },
      ]),
    /kind/,
  );
  assert.throws(
    () =>
      new CommandLayouts([
        { name: 'a', kind: 256, payload },
        { name: 'a', kind: 257, payload },
      ]),
    /name/,
  );
  assert.throws(() => layOutCommand({ name: 'low', kind: 255, payload }), /kind/);
  assert.throws(() => layOutCommand({ name: 'ping', kind: 256, payload }), /name/);
  assert.throws(() => layOutCommand({ name: 'a', kind: 256, payload: [...payload, ...payload] }), /once/);
  assert.throws(() => layOutCommand({ name: 'a', kind: 256, payload: [{ name: 'seq', type: 'u8' }] }), /name/);
  assert.throws(() => layOutCommand({ name: 'a', kind: 256, payload: [{ name: 'b', type: 'u8', max: 256 }] }), /range/);
  const wide = Array.from({ length: 13 }, (_, index) => ({ name: `f${index}`, type: 'u32' as const }));
  assert.throws(() => layOutCommand({ name: 'wide', kind: 256, payload: wide }), /payload bytes/);
});

test('damaged commands never throw, and those that pass can be encoded again to the same bytes', () => {
  const seed = 11;
  const random = createRandom(seed);
  const original = encodeCommand(MIX, MIX_PAYLOAD, 5);
  for (let round = 0; round < 20_000; round++) {
    const bytes = mutate(random, original);
    if (check(MIX, bytes) !== RejectCode.None) continue;
    const payload = decodeCommand(MIX, new DataView(bytes.buffer), 0);
    const again = encodeCommand(MIX, payload, 5);
    assert.deepEqual(again.subarray(8), bytes.subarray(8), `seed ${seed}, round ${round}`);
  }
});
