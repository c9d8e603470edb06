import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Builder, ByteBuffer, type Encoding } from 'flatbuffers';
import { ServerFrame } from '../../../schemas/generated/tessera/wire/server-frame.js';
import { createRandom } from '../../../src/base/chance.js';
import {
  buildFrame,
  openFrame,
  readLeaves,
  readNotice,
  readPong,
  readRejects,
  readWelcome,
} from '../../../src/protocol/fb/server-frame.js';
import { inline, type TableShape, verifyTable } from '../../../src/protocol/fb/table-verifier.js';
import { concatBytes, mutate, randomBytes } from '../mutation.js';
import { FULL_FRAME } from '../sample-frames.js';

const SHAPE: TableShape = [
  inline(4),
  { form: 'string', bytesMax: 8 },
  { form: 'vector', elementBytes: 2, align: 2, countMax: 4 },
];

function verify(bytes: Uint8Array, shape: TableShape = SHAPE): boolean {
  return verifyTable(shape, new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), 0, bytes.length);
}

/** A table of SHAPE, written by hand: every offset is known. */
function handMade(): DataView {
  const view = new DataView(new ArrayBuffer(44));
  view.setUint32(0, 16, true); // root
  view.setUint16(6, 10, true); // vtable: its bytes
  view.setUint16(8, 16, true); // the table's bytes
  view.setUint16(10, 4, true);
  view.setUint16(12, 8, true);
  view.setUint16(14, 12, true);
  view.setInt32(16, 10, true); // table: distance back to the vtable
  view.setUint32(20, 77, true);
  view.setUint32(24, 8, true); // to the string at 32
  view.setUint32(28, 12, true); // to the vector at 40
  view.setUint32(32, 2, true);
  view.setUint8(36, 0x68);
  view.setUint8(37, 0x69);
  view.setUint32(40, 0, true);
  return view;
}

function handMadeWith(change: (view: DataView) => void): boolean {
  const view = handMade();
  change(view);
  return verifyTable(SHAPE, view, 0, view.byteLength);
}

test('a sound table passes', () => {
  assert.ok(handMadeWith(() => {}));
});

test('each offset that leads astray is noticed', () => {
  const cases: [string, (view: DataView) => void][] = [
    ['root to itself', (view) => view.setUint32(0, 0, true)],
    ['root behind the end', (view) => view.setUint32(0, 44, true)],
    ['root far away', (view) => view.setUint32(0, 0xfffffff0, true)],
    ['root off its alignment', (view) => view.setUint32(0, 18, true)],
    ['vtable before the start', (view) => view.setInt32(16, 18, true)],
    ['vtable behind the end', (view) => view.setInt32(16, -26, true)],
    ['vtable off its alignment', (view) => view.setInt32(16, 11, true)],
    ['vtable too short to be one', (view) => view.setUint16(6, 2, true)],
    ['vtable of an odd size', (view) => view.setUint16(6, 9, true)],
    ['vtable longer than the buffer', (view) => view.setUint16(6, 40, true)],
    ['table too short to be one', (view) => view.setUint16(8, 2, true)],
    ['table longer than the buffer', (view) => view.setUint16(8, 32, true)],
    ['field over the vtable distance', (view) => view.setUint16(10, 2, true)],
    ['table that ends before its last field', (view) => view.setUint16(8, 12, true)],
    ['field behind its table', (view) => view.setUint16(10, 16, true)],
    ['field that ends behind its table', (view) => view.setUint16(10, 13, true)],
    ['string behind the end', (view) => view.setUint32(24, 20, true)],
    ['string backwards', (view) => view.setUint32(24, 0xfffffff8, true)],
    ['string longer than the buffer', (view) => view.setUint32(32, 8, true)],
    ['string longer than allowed', (view) => view.setUint32(32, 9, true)],
    ['string of an absurd length', (view) => view.setUint32(32, 0xffffffff, true)],
    ['string without its zero', (view) => view.setUint8(38, 1)],
    ['vector longer than the buffer', (view) => view.setUint32(40, 1, true)],
    ['vector of an absurd length', (view) => view.setUint32(40, 0x80000001, true)],
  ];
  for (const [what, change] of cases) assert.equal(handMadeWith(change), false, what);
});

test('a table that is whole but stands off its alignment is noticed', () => {
  const bytes = new Uint8Array(handMade().buffer);
  const shifted = concatBytes(bytes.slice(0, 4), new Uint8Array(2), bytes.slice(4), new Uint8Array(2));
  shifted[0] += 2;
  assert.equal(verify(shifted), false);
});

test('a string may be as long as its most bytes and no longer', () => {
  const withString = (text: string) => {
    const builder = new Builder(64);
    const string = builder.createString(text);
    builder.startObject(2);
    builder.addFieldOffset(1, string, 0);
    builder.finish(builder.endObject());
    return builder.asUint8Array().slice();
  };
  assert.ok(verify(withString('12345678')));
  assert.equal(verify(withString('123456789')), false);
});

test('a vector may end with the buffer and have no more than its most elements', () => {
  const withVector = (count: number) => {
    const builder = new Builder(64);
    builder.startVector(2, count, 2);
    for (let index = 0; index < count; index++) builder.addInt16(index);
    const vector = builder.endVector();
    builder.startObject(3);
    builder.addFieldOffset(2, vector, 0);
    builder.finish(builder.endObject());
    return builder.asUint8Array().slice();
  };
  assert.ok(verify(withVector(4)));
  assert.equal(verify(withVector(5)), false);
});

test('slots of a newer schema are passed over', () => {
  assert.ok(verify(buildFrame({ tick: 1, ack: 2, notice: { code: 1, text: 'x' } }), [inline(4)]));
});

test('no bytes at all are no table', () => {
  for (let bytes = 0; bytes < 12; bytes++) assert.equal(verify(new Uint8Array(bytes)), false);
});

test('the work is bounded where every offset of a long vector names the same table', () => {
  // A thousand elements that all lead to one string: visited once each, and more than the shape allows are not visited.
  const builder = new Builder(64);
  const text = builder.createString('again');
  builder.startVector(4, 1000, 4);
  for (let index = 0; index < 1000; index++) builder.addOffset(text);
  const vector = builder.endVector();
  builder.startObject(1);
  builder.addFieldOffset(0, vector, 0);
  builder.finish(builder.endObject());
  const bytes = builder.asUint8Array().slice();
  assert.ok(verify(bytes, [{ form: 'strings', countMax: 1000, bytesMax: 5 }]));
  assert.equal(verify(bytes, [{ form: 'strings', countMax: 999, bytesMax: 5 }]), false);
});

/** Fails where the generated accessors would read what is not theirs. */
class GuardedBuffer extends ByteBuffer {
  private guard(offset: number, bytes: number): void {
    if (!(offset >= 0 && offset + bytes <= this.capacity()))
      throw new Error(`read of ${bytes} at ${offset} is outside`);
  }
  override readInt8(offset: number): number {
    this.guard(offset, 1);
    return super.readInt8(offset);
  }
  override readUint8(offset: number): number {
    this.guard(offset, 1);
    return super.readUint8(offset);
  }
  override readInt16(offset: number): number {
    this.guard(offset, 2);
    return super.readInt16(offset);
  }
  override readUint16(offset: number): number {
    this.guard(offset, 2);
    return super.readUint16(offset);
  }
  override readInt32(offset: number): number {
    this.guard(offset, 4);
    return super.readInt32(offset);
  }
  override readUint32(offset: number): number {
    this.guard(offset, 4);
    return super.readUint32(offset);
  }
  override __string(offset: number, encoding?: Encoding): string | Uint8Array {
    const start = offset + this.readInt32(offset);
    this.guard(start + 4, this.readInt32(start));
    return super.__string(offset, encoding);
  }
}

function readEverything(frame: ServerFrame): void {
  frame.tick();
  frame.ack();
  frame.flags();
  frame.entitiesArray();
  readLeaves(frame);
  readRejects(frame);
  readPong(frame);
  readWelcome(frame);
  readNotice(frame);
}

test('whatever passes is read without leaving the buffer, and nothing makes the verifier throw', () => {
  const seed = 31;
  const random = createRandom(seed);
  const original = buildFrame(FULL_FRAME);
  let accepted = 0;
  for (let round = 0; round < 40_000; round++) {
    const bytes = round % 20 === 0 ? randomBytes(random, 128) : mutate(random, original);
    const frame = openFrame(bytes);
    const moved = concatBytes(new Uint8Array(3), bytes, randomBytes(random, 32));
    const again = openFrame(moved.subarray(3, 3 + bytes.length));
    assert.equal(again === null, frame === null, `seed ${seed}, round ${round}: depends on what stands around`);
    if (frame === null) continue;
    accepted++;
    try {
      readEverything(ServerFrame.getRootAsServerFrame(new GuardedBuffer(bytes)));
      readEverything(frame);
    } catch (error) {
      throw new Error(`seed ${seed}, round ${round}: ${Buffer.from(bytes).toString('hex')}`, { cause: error });
    }
  }
  assert.ok(accepted > 1000, `only ${accepted} were accepted: the damage is too coarse to test anything`);
});

test('a table without any field is a table', () => {
  //                     root        vtable      table
  const bytes = Uint8Array.of(8, 0, 0, 0, 4, 0, 4, 0, 4, 0, 0, 0);
  const view = new DataView(bytes.buffer);
  assert.equal(verifyTable([inline(4)], view, 0, 12), true);
  for (const [at, value] of [
    [4, 3],
    [4, 2],
    [6, 3],
    [6, 5],
    [0, 0],
  ]) {
    const changed = bytes.slice();
    changed[at] = value;
    assert.equal(verifyTable([inline(4)], new DataView(changed.buffer), 0, 12), false, `byte ${at} is ${value}`);
  }
});

test('a buffer that does not lie within the view is refused', () => {
  const view = new DataView(Uint8Array.of(8, 0, 0, 0, 4, 0, 4, 0, 4, 0, 0, 0).buffer);
  assert.equal(verifyTable([], view, 0, 13), false);
  assert.equal(verifyTable([], view, -1, 12), false);
  assert.equal(verifyTable([], view, 0, 11), false);
  assert.equal(verifyTable([], view, 12, 12), false);
  assert.equal(verifyTable([], view, 0, 0), false);
});

test('a string may end with the buffer', () => {
  const view = handMade();
  view.setUint16(14, 0, true); // no vector
  assert.equal(verifyTable(SHAPE, view, 0, 39), true);
  assert.equal(verifyTable(SHAPE, view, 0, 38), false, 'its zero is cut off');
});
