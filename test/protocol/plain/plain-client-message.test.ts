import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRandom } from '../../../src/base/chance.js';
import { RejectCode } from '../../../src/game/reject-codes.js';
import {
  ClientKind,
  checkClientMessage,
  encodeJoin,
  encodeLeave,
  encodePing,
  encodeResync,
  kindOf,
  seqOf,
} from '../../../src/protocol/fb/client-message.js';
import { encodeCommand } from '../../../src/protocol/fb/command-layout.js';
import { CLIENT_MESSAGE_BYTES_MAX } from '../../../src/protocol/limits.js';
import { transcodePlain } from '../../../src/protocol/plain/plain-client-message.js';
import { formatPlain, type PlainEncoding } from '../../../src/protocol/plain/plain-codec.js';
import { describeMessage } from '../describe-message.js';
import { mutate, randomBytes } from '../mutation.js';
import { TOY_LAYOUTS } from '../toy-wire.js';

const ENCODINGS: PlainEncoding[] = ['json', 'msgpack'];
const MIX = { a: 7, b: -2, c: 3, d: -300, e: -0.5, f: 4000000000, g: 65535 };
const MESSAGES: [object, Uint8Array][] = [
  [
    { type: 'join', seq: 0, name: 'Zoë', token: 'abc', updateHz: 20 },
    encodeJoin({ name: 'Zoë', token: 'abc', updateHz: 20 }),
  ],
  [{ type: 'ping', seq: 4000000000, clientTime: 0xfedcba98 }, encodePing(4000000000, 0xfedcba98)],
  [{ type: 'resync', seq: 3 }, encodeResync(3)],
  [{ type: 'leave', seq: 4 }, encodeLeave(4)],
  [{ type: 'move', seq: 5, x: -127, y: 127 }, encodeCommand(TOY_LAYOUTS.findByName('move')!, { x: -127, y: 127 }, 5)],
  [{ type: 'mix', seq: 6, ...MIX }, encodeCommand(TOY_LAYOUTS.findByName('mix')!, MIX, 6)],
  [{ type: 'cheer', seq: 7 }, encodeCommand(TOY_LAYOUTS.findByName('cheer')!, {}, 7)],
];

const scratch = new DataView(new ArrayBuffer(CLIENT_MESSAGE_BYTES_MAX + 8));

function toBytes(text: string | Uint8Array): Uint8Array {
  return typeof text === 'string' ? new TextEncoder().encode(text) : text;
}

function transcode(encoding: PlainEncoding, message: Uint8Array): number {
  return transcodePlain(TOY_LAYOUTS, encoding, message, scratch, 8);
}

/** The RejectCode for a message in every encoding that can carry it; they must agree. */
function refusal(message: unknown): RejectCode {
  const codes = ENCODINGS.map((encoding) => -transcode(encoding, toBytes(formatPlain(encoding, message as object))));
  assert.equal(codes[0], codes[1], `${RejectCode[codes[0]]} as JSON, ${RejectCode[codes[1]]} as MessagePack`);
  return codes[0];
}

function refusalOfBytes(...bytes: number[]): RejectCode {
  return -transcode('msgpack', Uint8Array.from(bytes));
}

for (const encoding of ENCODINGS) {
  test(`every message as ${encoding} becomes the bytes of its FlatBuffers form, and these describe it again`, () => {
    for (const [object, expected] of MESSAGES) {
      const bytes = transcode(encoding, toBytes(formatPlain(encoding, object)));
      assert.equal(bytes, expected.length, JSON.stringify(object));
      assert.deepEqual(new Uint8Array(scratch.buffer, 8, bytes), expected);
      assert.equal(checkClientMessage(TOY_LAYOUTS, scratch, 8, bytes), RejectCode.None);
      assert.deepEqual(describeMessage(TOY_LAYOUTS, scratch, 8, bytes), object);
    }
  });
}

test('the fields of a join may all be left out', () => {
  const bytes = transcode('json', toBytes('{"type":"join"}'));
  assert.equal(checkClientMessage(TOY_LAYOUTS, scratch, 8, bytes), RejectCode.None);
  const expected = { type: 'join', seq: 0, name: '', token: '', updateHz: 0 };
  assert.deepEqual(describeMessage(TOY_LAYOUTS, scratch, 8, bytes), expected);
});

test('keys that are missing, unknown or of another type are malformed', () => {
  const malformed = [
    {},
    [],
    { type: 1 },
    { type: 'ping', seq: 1 },
    { type: 'ping', seq: 1, clientTime: '1' },
    { type: 'ping', seq: '1', clientTime: 1 },
    { type: 'ping', seq: -1, clientTime: 1 },
    { type: 'ping', seq: 1.5, clientTime: 1 },
    { type: 'ping', seq: 4294967296, clientTime: 1 },
    { type: 'ping', seq: 1, clientTime: 1, more: 1 },
    { type: 'resync', seq: 1, more: 1 },
    { type: 'leave', seq: 1, more: 1 },
    { type: 'join', name: 1 },
    { type: 'join', updateHz: '20' },
    { type: 'join', name: 'a', admin: 1 },
    { type: 'join', watchX: 1 },
    { type: 'join', watchX: 1, watchY: '2' },
    { type: 'join', watchX: 1, watchY: 2, watchPlayer: 3 },
    { type: 'join', watchPlayer: true },
    { type: 'move', seq: 1, x: 1 },
    { type: 'move', seq: 1, x: 1, y: 2, reserved: 0 },
    { type: 'move', seq: 1, x: 1, y: true },
    { type: 'move', seq: 1, x: 1, y: null },
    { type: 'move', seq: 1, x: 1, y: { z: 1 } },
    { type: 'move', seq: 1, x: 1, y: [1] },
  ];
  for (const message of malformed) assert.equal(refusal(message), RejectCode.Malformed, JSON.stringify(message));
});

test('values that their field does not allow are out of range', () => {
  const outside = [
    { type: 'ping', seq: 1, clientTime: -1 },
    { type: 'ping', seq: 1, clientTime: 0.5 },
    { type: 'join', updateHz: 256 },
    { type: 'join', watchPlayer: -1 },
    { type: 'join', watchPlayer: 0.5 },
    { type: 'move', seq: 1, x: -128, y: 0 },
    { type: 'move', seq: 1, x: 0.5, y: 0 },
    { type: 'mix', seq: 1, ...MIX, e: 0.2 },
  ];
  for (const message of outside) assert.equal(refusal(message), RejectCode.OutOfRange, JSON.stringify(message));
});

test('names of messages that nobody defined are unknown kinds', () => {
  for (const type of ['', 'jump', 'constructor', '__proto__', 'toString']) {
    assert.equal(refusal({ type, seq: 1 }), RejectCode.UnknownKind, type);
  }
});

test('a message that is too large is not even parsed', () => {
  assert.equal(refusal({ type: 'join', name: 'n'.repeat(CLIENT_MESSAGE_BYTES_MAX) }), RejectCode.TooLarge);
  // Small as text, but too large as the bytes that it stands for.
  const token = 't'.repeat(CLIENT_MESSAGE_BYTES_MAX - 40);
  assert.equal(-transcode('json', toBytes(`{"type":"join","token":"${token}"}`)), RejectCode.TooLarge);
});

test('a message as long as a message may be is read, in its own form and as the bytes that it stands for', () => {
  const text = '{"type":"resync","seq":1}';
  assert.equal(transcode('json', toBytes(text.padEnd(CLIENT_MESSAGE_BYTES_MAX))), 8);
  assert.equal(transcode('json', toBytes(text.padEnd(CLIENT_MESSAGE_BYTES_MAX + 1))), -RejectCode.TooLarge);
  let token = '';
  while (encodeJoin({ name: '', token, updateHz: 0 }).length < CLIENT_MESSAGE_BYTES_MAX) token += 't';
  assert.equal(encodeJoin({ name: '', token, updateHz: 0 }).length, CLIENT_MESSAGE_BYTES_MAX);
  assert.equal(transcode('json', toBytes(`{"type":"join","token":"${token}"}`)), CLIENT_MESSAGE_BYTES_MAX);
});

test('nothing is written behind the binary form', () => {
  for (const [object, expected] of MESSAGES) {
    new Uint8Array(scratch.buffer).fill(0xee);
    const bytes = transcode('json', toBytes(formatPlain('json', object)));
    assert.equal(bytes, expected.length);
    assert.ok(
      new Uint8Array(scratch.buffer, 8 + bytes).every((byte) => byte === 0xee),
      JSON.stringify(object),
    );
  }
});

test('a refusal leaves a header that says what was understood', () => {
  transcode('json', toBytes('{"type":"move","seq":9,"x":1}'));
  assert.deepEqual([kindOf(scratch, 8), seqOf(scratch, 8)], [256, 9]);
  transcode('json', toBytes('{"type":"ping","seq":10}'));
  assert.deepEqual([kindOf(scratch, 8), seqOf(scratch, 8)], [ClientKind.Ping, 10]);
  transcode('json', toBytes('{"type":"jump","seq":11}'));
  assert.deepEqual([kindOf(scratch, 8), seqOf(scratch, 8)], [ClientKind.None, 11]);
  transcode('json', toBytes('not json'));
  assert.deepEqual([kindOf(scratch, 8), seqOf(scratch, 8)], [ClientKind.None, 0]);
});

test('text that is not one flat JSON object is malformed', () => {
  const deep = '['.repeat(500) + ']'.repeat(500);
  const many = `{${Array.from({ length: 100 }, (_, index) => `"k${index}":1`)}}`;
  const poisoned = '{"type":"resync","seq":1,"__proto__":{"x":1}}';
  for (const text of ['', 'null', '1', '"join"', '{', '{"type":"resync"}}', deep, `{"type":${deep}}`, many, poisoned]) {
    assert.equal(-transcode('json', toBytes(text)), RejectCode.Malformed, text.slice(0, 40));
  }
  assert.equal(-transcode('json', Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d)), RejectCode.Malformed);
});

test('MessagePack with anything but one flat map of strings, numbers and booleans is refused before it is parsed', () => {
  const key = [0xa1, 0x61];
  const cases: [string, number[]][] = [
    ['nothing', []],
    ['a number', [1]],
    ['an array', [0x91, 1]],
    ['a map cut short', [0x81]],
    ['a map that promises more', [0x82, ...key, 1]],
    ['a map followed by more', [0x80, 0x80]],
    ['a 16-bit map cut short', [0xde, 0]],
    ['a 16-bit map of too many keys', [0xde, 0xff, 0xff]],
    ['a 32-bit map', [0xdf, 0, 0, 0, 0]],
    ['a number as key', [0x81, 1, 1]],
    ['a 32-bit string as key', [0x81, 0xdb, 0, 0, 0, 1, 0x61, 1]],
    ['a string longer than the message', [0x81, 0xda, 0xff, 0xff, 0x61]],
    ['nil', [0x81, ...key, 0xc0]],
    ['the unused token', [0x81, ...key, 0xc1]],
    ['bytes', [0x81, ...key, 0xc4, 1, 0]],
    ['a nested map', [0x81, ...key, 0x80]],
    ['a huge array', [0x81, ...key, 0xdd, 0xff, 0xff, 0xff, 0xff]],
    ['an extension', [0x81, ...key, 0xd4, 0x72, 0x40]],
    ['a long extension', [0x81, ...key, 0xc7, 1, 0x69, 0]],
    ['a float cut short', [0x81, ...key, 0xcb, 0, 0]],
  ];
  for (const [what, bytes] of cases) assert.equal(refusalOfBytes(...bytes), RejectCode.Malformed, what);
});

test('a map or string with a 32-bit length is refused: nothing that fits a message needs one', () => {
  const plain = toBytes(formatPlain('msgpack', { type: 'resync', seq: 1 }));
  assert.equal(plain[0], 0x82);
  assert.equal(transcode('msgpack', plain), 8);
  assert.equal(refusalOfBytes(0xde, 0, 2, ...plain.subarray(1)), -8, 'a 16-bit length is fine');
  assert.equal(refusalOfBytes(0xdf, 0, 0, 0, 2, ...plain.subarray(1)), RejectCode.Malformed);
  assert.equal(refusalOfBytes(0x82, 0xdb, 0, 0, 0, 4, ...plain.subarray(2)), RejectCode.Malformed);
});

test('numbers are read in whichever MessagePack form they come', () => {
  const pingWith = (...clientTime: number[]) => {
    const text = (string: string) => [0xa0 | string.length, ...toBytes(string)];
    const head = [0x83, ...text('type'), ...text('ping'), ...text('seq'), 7, ...text('clientTime')];
    const bytes = transcode('msgpack', Uint8Array.from([...head, ...clientTime]));
    return bytes < 0 ? bytes : describeMessage(TOY_LAYOUTS, scratch, 8, bytes)?.clientTime;
  };
  assert.equal(pingWith(0xcc, 5), 5);
  assert.equal(pingWith(0xcd, 1, 0), 256);
  assert.equal(pingWith(0xce, 0xff, 0xff, 0xff, 0xff), 0xffffffff);
  assert.equal(pingWith(0xcf, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff), 0xffffffff);
  assert.equal(pingWith(0xd3, 0, 0, 0, 0, 0, 0, 0, 9), 9);
  assert.equal(pingWith(0xcb, 0x40, 0x14, 0, 0, 0, 0, 0, 0), 5);
  assert.equal(pingWith(0xca, 0x40, 0xa0, 0, 0), 5);
  assert.equal(pingWith(0xcf, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff), -RejectCode.OutOfRange);
  assert.equal(pingWith(0xff), -RejectCode.OutOfRange);
});

test('random and damaged messages never throw, and what comes out of them is a whole message or a code', () => {
  const seed = 51;
  const random = createRandom(seed);
  let accepted = 0;
  for (let round = 0; round < 40_000; round++) {
    const encoding = ENCODINGS[round % 2];
    const [object] = MESSAGES[Math.floor(random() * MESSAGES.length)];
    const original = toBytes(formatPlain(encoding, object));
    const message = round % 10 === 0 ? randomBytes(random, 64) : mutate(random, original);
    const bytes = transcode(encoding, message);
    const label = `seed ${seed}, round ${round}`;
    if (bytes <= 0) {
      assert.ok((-bytes) in RejectCode && bytes !== 0, label);
      continue;
    }
    accepted++;
    // The plain checks are no weaker than the binary ones.
    assert.equal(checkClientMessage(TOY_LAYOUTS, scratch, 8, bytes), RejectCode.None, label);
  }
  assert.ok(accepted > 500, `only ${accepted} were accepted: the damage is too coarse to test anything`);
});
