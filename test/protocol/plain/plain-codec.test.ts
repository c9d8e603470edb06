import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Unpackr } from 'msgpackr';
import { formatPlain, parsePlain, parseTrusted } from '../../../src/protocol/plain/plain-codec.js';

const KEY = [0xa1, 0x61];
/** A map with one key, `a`. */
const one = (...value: number[]): number[] => [0x81, ...KEY, ...value];
const text = (string: string): Uint8Array => new TextEncoder().encode(string);

/** What comes of the bytes, and whether the parser was asked at all. */
function parse(...bytes: number[]): { object: Record<string, unknown> | null; isParsed: boolean } {
  const { unpack } = Unpackr.prototype;
  let isParsed = false;
  Unpackr.prototype.unpack = function (this: Unpackr, ...given: Parameters<Unpackr['unpack']>) {
    isParsed = true;
    return unpack.apply(this, given);
  };
  try {
    return { object: parsePlain('msgpack', Uint8Array.from(bytes)), isParsed };
  } finally {
    Unpackr.prototype.unpack = unpack;
  }
}

test('both spellings of an object are read as it was', () => {
  const object = { type: 'move', seq: 7, x: -1.5, sure: true, not: false, empty: '', long: 'é'.repeat(300) };
  for (const encoding of ['json', 'msgpack'] as const) {
    const formatted = formatPlain(encoding, object);
    assert.equal(typeof formatted, encoding === 'json' ? 'string' : 'object');
    const bytes = typeof formatted === 'string' ? text(formatted) : formatted;
    assert.deepEqual(parsePlain(encoding, bytes), object);
    assert.deepEqual(parseTrusted(encoding, bytes), object);
  }
});

test('JSON that is no object of plain values is nothing', () => {
  for (const json of ['[]', '[1]', 'null', '1', '"a"', 'true', '', '{"a":null}', '{"a":[]}', '{"a":{}}', '{']) {
    assert.equal(parsePlain('json', text(json)), null, json);
  }
  assert.deepEqual(parsePlain('json', text('{}')), {});
});

test('each form of a map, a key and a value may end the message', () => {
  const cases: [number[], Record<string, unknown>][] = [
    [[0x80], {}],
    [[0xde, 0, 0], {}],
    [[0xde, 0, 1, ...KEY, 5], { a: 5 }],
    [[0x82, ...KEY, 5, 0xa1, 0x62, 6], { a: 5, b: 6 }],
    [[0x81, 0xa0, 5], { '': 5 }],
    [[0x81, 0xd9, 1, 0x61, 5], { a: 5 }],
    [[0x81, 0xda, 0, 1, 0x61, 5], { a: 5 }],
    [[0x81, 0xda, 1, 0, ...Array(256).fill(0x61), 5], { ['a'.repeat(256)]: 5 }],
    [one(0), { a: 0 }],
    [one(0x7f), { a: 127 }],
    [one(0xe0), { a: -32 }],
    [one(0xff), { a: -1 }],
    [one(0xc2), { a: false }],
    [one(0xc3), { a: true }],
    [one(0xcc, 200), { a: 200 }],
    [one(0xd0, 200), { a: -56 }],
    [one(0xcd, 1, 0), { a: 256 }],
    [one(0xd1, 0xff, 0), { a: -256 }],
    [one(0xca, 0x40, 0xa0, 0, 0), { a: 5 }],
    [one(0xce, 0, 1, 0, 0), { a: 65536 }],
    [one(0xd2, 0xff, 0xff, 0xff, 0), { a: -256 }],
    [one(0xcb, 0x40, 0x14, 0, 0, 0, 0, 0, 0), { a: 5 }],
    [one(0xcf, 0, 0, 0, 0, 0, 0, 0, 9), { a: 9 }],
    [one(0xd3, 0, 0, 0, 0, 0, 0, 0, 9), { a: 9 }],
    [one(0xa0), { a: '' }],
    [one(0xa2, 0x62, 0x63), { a: 'bc' }],
    [one(0xd9, 0), { a: '' }],
    [one(0xd9, 1, 0x62), { a: 'b' }],
    [one(0xda, 0, 0), { a: '' }],
    [one(0xda, 0, 1, 0x62), { a: 'b' }],
  ];
  for (const [bytes, object] of cases) {
    const hex = Buffer.from(bytes).toString('hex').slice(0, 40);
    assert.deepEqual(parse(...bytes).object, object, hex);
    const cut = parse(...bytes.slice(0, -1));
    assert.deepEqual(cut, { object: null, isParsed: false }, `${hex} without its last byte`);
    const longer = parse(...bytes, 0);
    assert.deepEqual(longer, { object: null, isParsed: false }, `${hex} and one byte more`);
  }
});

test('what is not one flat map never meets the parser, though its lengths add up', () => {
  const cases: [string, number[]][] = [
    ['nothing', []],
    ['an array', [0x91, 0, 0]],
    ['a number', [0x01, 0, 0]],
    ['an empty 16-bit map without its length', [0xde, 0]],
    ['a 32-bit map', [0xdf, 0, 0, 0, 0]],
    ['a number as key', [0x81, 0x01, 0x00, 0x05]],
    ['a number as a long key', [0x81, 0x01, 0x00, 0x00, 0x05]],
    ['nil', one(0xc0)],
    ['nil and a length', one(0xc0, 0)],
    ['a map', one(0x80)],
    ['an array', one(0x90)],
    ['an array and a length', one(0x91, 0)],
    ['an array and a long length', one(0x91, 0, 0)],
    ['a huge array', one(0xdd, 3, 0, 0, 0)],
    ['bytes', one(0xc4, 1, 0)],
    ['an extension', one(0xd4, 0x72, 0x40)],
    ['a string with a 32-bit length', one(0xdb, 0, 0, 0, 1, 0x61)],
    ['a map of fewer values than it says', [0x82, ...KEY, 1]],
    ['a map of more values than it says', [0x81, ...KEY, 1, ...KEY, 2]],
  ];
  for (const [what, bytes] of cases) {
    assert.deepEqual(
      parse(...bytes),
      { object: null, isParsed: false },
      `${what}: ${Buffer.from(bytes).toString('hex')}`,
    );
  }
});
