import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRandom } from '../../../src/base/chance.js';
import { EntityDecoder, type FrameDelta } from '../../../src/protocol/fb/entity-decoder.js';
import { buildFrame, type FrameParts, openFrame } from '../../../src/protocol/fb/server-frame.js';
import { DECODED_ENTITIES_MAX, PLAIN_FIELDS_MAX, REPLICATED_FIELDS_MAX } from '../../../src/protocol/limits.js';
import { mutate } from '../mutation.js';
import { type EntityRecord, writeRecords } from '../record-writer.js';
import { TOY_GAME, TOY_QUANTUM } from '../toy-wire.js';

const FIELDS = TOY_GAME.fields;
const INITIAL = FIELDS.map((field) => field.offset);

function makeDecoder(): EntityDecoder {
  return new EntityDecoder(FIELDS, TOY_QUANTUM, TOY_GAME.kinds);
}

function apply(decoder: EntityDecoder, parts: Partial<FrameParts>): FrameDelta {
  return decoder.apply(openFrame(buildFrame({ tick: 1, ack: 0, ...parts }))!);
}

function send(decoder: EntityDecoder, ...records: EntityRecord[]): FrameDelta {
  return apply(decoder, { entities: writeRecords(FIELDS, records) });
}

function enter(id: number, x = 0, y = 0, raw: [number, number][] = []): EntityRecord {
  return { id, position: { form: 3, kind: 1, x, y }, raw: new Map(raw) };
}

function errorOf(bytes: number[], known: number[] = []): string | null {
  const decoder = makeDecoder();
  send(decoder, ...known.map((id) => enter(id)));
  return apply(decoder, { entities: Uint8Array.from(bytes) }).error;
}

test('an entity that enters has its kind, its place and the offsets as the values of fields not sent', () => {
  const decoder = makeDecoder();
  const delta = send(decoder, enter(5, 640, 6400, [[1, -3]]));
  assert.deepEqual(delta, { error: null, left: [], entered: [5], updated: [] });
  const entity = decoder.entities.get(5)!;
  assert.deepEqual([entity.kind, entity.x, entity.y], [1, 10, 100]);
  assert.deepEqual(entity.fields, [0, -16, 0, 0, 0, 0, 0]);
});

test('every wire type is read at its size and sign', () => {
  const decoder = makeDecoder();
  const raw = new Map([
    [0, 255],
    [1, -128],
    [2, 4294967295],
    [3, 1.5],
    [4, -32768],
    [5, 65535],
    [6, -2147483648],
  ]);
  send(decoder, { id: 1, position: { form: 3, kind: 0, x: 0, y: 0 }, raw });
  assert.deepEqual(decoder.entities.get(1)!.fields, [127.5, -266, 4294967295, 1.5, -32768, 65535, -2147483648]);
});

test('an update says which fields came and leaves the others alone', () => {
  const decoder = makeDecoder();
  send(decoder, enter(1, 64, 64, [[0, 10]]), enter(900));
  const delta = send(decoder, { id: 1, raw: new Map([[2, 7]]) }, { id: 900, position: { form: 1, x: 1, y: 2 } });
  assert.deepEqual(delta.updated, [
    { id: 1, moved: false, fields: 0b100 },
    { id: 900, moved: true, fields: 0 },
  ]);
  assert.deepEqual(decoder.entities.get(1)!.fields.slice(0, 3), [5, -10, 7]);
});

test('the low bits of a position mean the nearest place that has them, in both directions and over every wrap', () => {
  const seed = 41;
  const random = createRandom(seed);
  const reach = { 1: 127, 2: 32767 };
  const decoder = makeDecoder();
  let x = 1_000_000;
  let y = 3;
  send(decoder, enter(1, x, y));
  for (let round = 0; round < 5000; round++) {
    const form = random() < 0.5 ? 1 : 2;
    const step = () => Math.round((random() * 2 - 1) * reach[form]);
    x = Math.max(0, x + step());
    y = Math.max(0, y + step());
    assert.equal(send(decoder, { id: 1, position: { form, x, y } }).error, null);
    const { rawX, rawY } = decoder.entities.get(1)!;
    assert.deepEqual([rawX, rawY], [x, y], `seed ${seed}, round ${round}`);
  }
});

test('leaves come before entities, so that an id can go and come back as another entity in one frame', () => {
  const decoder = makeDecoder();
  send(decoder, enter(1, 0, 0, [[0, 100]]), enter(2));
  const delta = apply(decoder, { leaves: [1, 2, 77], entities: writeRecords(FIELDS, [enter(1, 64, 64)]) });
  assert.deepEqual(delta, { error: null, left: [1, 2], entered: [1], updated: [] });
  assert.deepEqual([...decoder.entities.keys()], [1]);
  assert.deepEqual(decoder.entities.get(1)!.fields, INITIAL);
});

test('an entity may be told anew without having left: it is the same one, with all its fields changed', () => {
  const decoder = makeDecoder();
  send(decoder, enter(1, 0, 0, [[0, 100]]));
  const delta = send(decoder, enter(1, 6400, 0));
  assert.deepEqual(delta.entered, []);
  assert.deepEqual(delta.updated, [{ id: 1, moved: true, fields: (1 << FIELDS.length) - 1 }]);
  assert.deepEqual(decoder.entities.get(1)!.fields, INITIAL);
});

test('a full frame forgets everything that it does not tell', () => {
  const decoder = makeDecoder();
  send(decoder, enter(1), enter(2));
  const delta = apply(decoder, { full: true, entities: writeRecords(FIELDS, [enter(2)]) });
  assert.deepEqual(delta, { error: null, left: [1, 2], entered: [2], updated: [] });
  assert.deepEqual([...decoder.entities.keys()], [2]);
});

test('id 0 and the highest id can both be told', () => {
  const decoder = makeDecoder();
  assert.deepEqual(send(decoder, enter(0), enter(1), enter(0xffffffff)).entered, [0, 1, 0xffffffff]);
});

test('a keep-alive changes nothing', () => {
  assert.deepEqual(apply(makeDecoder(), {}), { error: null, left: [], entered: [], updated: [] });
});

test('malformed records are answered with what is wrong with them', () => {
  assert.equal(errorOf([1, 1, 5], [1]), 'a record is cut short');
  assert.equal(errorOf([1]), 'a record is cut short');
  assert.equal(errorOf([0x80]), 'a record is cut short');
  assert.equal(errorOf([0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 1]), 'a record is cut short');
  assert.equal(errorOf([0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0]), 'a record is cut short');
  assert.equal(errorOf([0xff, 0xff, 0xff, 0xff, 0x1f, 0]), 'a record is cut short');
  assert.equal(errorOf([1, 3, 0, 0, 0, 0, 0, 0, 0, 0]), 'a record is cut short');
  assert.equal(errorOf([1, 0, 0, 0], [1]), 'ids do not rise');
  assert.equal(errorOf([0xff, 0xff, 0xff, 0xff, 0x0f, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0]), 'ids do not rise');
  assert.equal(errorOf([1, 0]), 'an unknown entity is updated');
  assert.equal(errorOf([1, 0x80, 0x04], [1]), 'the mask names a field that does not exist');
  assert.equal(errorOf([1, 0x80, 0x80, 0x80, 0x80, 0x08], [1]), 'the mask names a field that does not exist');
  assert.equal(errorOf([1, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0]), 'the kind does not exist');
});

test('a server that tells of more and more entities is stopped', () => {
  const decoder = makeDecoder();
  const ids = Array.from({ length: DECODED_ENTITIES_MAX + 1 }, (_, index) => index + 1);
  assert.equal(send(decoder, ...ids.map((id) => enter(id))).error, 'too many entities');
  assert.equal(decoder.entities.size, DECODED_ENTITIES_MAX);
  assert.equal(send(decoder, enter(1)).error, null, 'one that is known may enter again');
});

test('damaged records never throw, whatever the decoder already knows', () => {
  const seed = 42;
  const random = createRandom(seed);
  const decoder = makeDecoder();
  const original = writeRecords(FIELDS, [
    enter(1, 100, 100, [
      [0, 1],
      [3, 0.5],
    ]),
    { id: 2, position: { form: 1, x: 5, y: 6 } },
    { id: 90, position: { form: 2, x: 5, y: 6 }, raw: new Map([[6, -1]]) },
    {
      id: 5000,
      raw: new Map([
        [1, 1],
        [2, 2],
      ]),
    },
  ]);
  const outcomes = new Map<string, number>();
  for (let round = 0; round < 40_000; round++) {
    if (round % 100 === 0)
      apply(decoder, { full: true, entities: writeRecords(FIELDS, [enter(2), enter(90), enter(5000)]) });
    const outcome = apply(decoder, { entities: mutate(random, original) }).error ?? 'applied';
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    for (const { fields } of decoder.entities.values()) assert.equal(fields.length, FIELDS.length);
  }
  // Every answer but the one that takes thousands of entities has been given.
  assert.equal(outcomes.size, 6, `seed ${seed}: ${JSON.stringify([...outcomes])}`);
});

for (const [count, shortError] of [
  [PLAIN_FIELDS_MAX, 'a record is cut short'],
  [PLAIN_FIELDS_MAX + 1, 'a field is not what it should be'],
  [REPLICATED_FIELDS_MAX, 'a field is not what it should be'],
] as const) {
  test(`a record may carry all ${count} fields of a game, and none of its bytes may be missing`, () => {
    const types = ['u8', 'i8', 'u16', 'i16', 'u32', 'i32', 'f32'] as const;
    const fields = Array.from({ length: count }, (_, i) => {
      return { name: `f${i}`, type: types[i % types.length], scale: 1, offset: 0 };
    });
    const raw = new Map(fields.map((_, i) => [i, 20 + (i % 100)]));
    for (const position of [
      { form: 3, kind: 0, x: 5, y: 6 },
      { form: 1, x: 7, y: 6 },
      { form: 2, x: 8, y: 6 },
      undefined,
    ] as const) {
      const decoder = new EntityDecoder(fields, TOY_QUANTUM, TOY_GAME.kinds);
      apply(decoder, { entities: writeRecords(fields, [enter(1, 5, 6)]) });
      const record = writeRecords(fields, [{ id: 1, ...(position && { position }), raw }]);
      assert.equal(apply(decoder, { entities: record }).error, null);
      const seen = decoder.entities.get(1)!.fields;
      assert.deepEqual(seen, [...raw.values()]);
      assert.equal(apply(decoder, { entities: record.slice(0, -1) }).error, shortError);
    }
  });
}

test('a number of more than 32 bits, or in more than five bytes, is cut short', () => {
  assert.equal(errorOf([0xff, 0xff, 0xff, 0xff, 0x0f, 0]), 'an unknown entity is updated');
  assert.equal(errorOf([0xff, 0xff, 0xff, 0xff, 0x1f, 0]), 'a record is cut short');
  assert.equal(errorOf([0x81, 0x80, 0x80, 0x80, 0x00, 0], [1]), null);
  assert.equal(errorOf([0x81, 0x80, 0x80, 0x80, 0x80, 0x00, 0], [1]), 'a record is cut short');
});

test('only the ids in the list leave, not the number that stands behind it in the frame', () => {
  const decoder = makeDecoder();
  send(decoder, enter(1), enter(3), enter(15));
  const entities = writeRecords(FIELDS, [{ id: 15, raw: new Map([[0, 7]]) }]);
  assert.equal(entities.length, 3, 'this length follows the leaves');
  assert.deepEqual(apply(decoder, { leaves: [1], entities }).left, [1]);
  assert.deepEqual([...decoder.entities.keys()], [3, 15]);
});
