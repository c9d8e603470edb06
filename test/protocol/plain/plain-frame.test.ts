import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildFrame, type FrameParts } from '../../../src/protocol/fb/server-frame.js';
import { type PlainEncoding, parseTrusted } from '../../../src/protocol/plain/plain-codec.js';
import { type PlainFrame, PlainFrameEncoder } from '../../../src/protocol/plain/plain-frame.js';
import { type EntityRecord, writeRecords } from '../record-writer.js';
import { FULL_FRAME, TOY_WELCOME } from '../sample-frames.js';
import { TOY_GAME, TOY_QUANTUM } from '../toy-wire.js';

function makeEncoder(encoding: PlainEncoding = 'json'): PlainFrameEncoder {
  return new PlainFrameEncoder(encoding, TOY_GAME, TOY_QUANTUM);
}

function send(encoder: PlainFrameEncoder, parts: Partial<FrameParts>): PlainFrame {
  const message = encoder.encode(buildFrame({ tick: 1, ack: 0, ...parts }));
  assert.ok(message !== null);
  assert.equal(typeof message, encoder.encoding === 'json' ? 'string' : 'object');
  const bytes = typeof message === 'string' ? new TextEncoder().encode(message) : message;
  return parseTrusted(encoder.encoding, bytes) as PlainFrame;
}

function records(...list: EntityRecord[]): Uint8Array {
  return writeRecords(TOY_GAME.fields, list);
}

test('a frame with everything in it is told in full, and the same in both encodings', () => {
  const expected = {
    tick: 4000000000,
    ack: 17,
    full: true,
    leaves: FULL_FRAME.leaves,
    entities: [
      {
        id: 3,
        entered: true,
        kind: 'stone',
        x: 15.625,
        y: 31.25,
        hp: 4.5,
        turn: -10,
        score: 0,
        heat: 0,
        low: 0,
        wide: 0,
        deep: 0,
      },
      {
        id: 200,
        entered: true,
        kind: 'player',
        x: 1093.75,
        y: 0.078125,
        hp: 0,
        turn: -10,
        score: 0,
        heat: 0,
        low: 0,
        wide: 0,
        deep: 0,
      },
    ],
    rejects: [
      { seq: 16, kind: 'move', code: 8, reason: 'a value is outside of what its field allows' },
      { seq: 17, kind: '', code: 3, reason: 'no message has this kind' },
    ],
    pong: { seq: 15, clientTime: 0xfedcba98 },
    welcome: JSON.parse(JSON.stringify(TOY_WELCOME)),
    notice: FULL_FRAME.notice,
  };
  assert.deepEqual(send(makeEncoder('json'), FULL_FRAME), expected);
  assert.deepEqual(send(makeEncoder('msgpack'), FULL_FRAME), expected);
});

test('an update tells only what changed, with positions in world units', () => {
  const encoder = makeEncoder();
  send(encoder, { entities: records({ id: 7, position: { form: 3, kind: 0, x: 640, y: 640 } }) });
  const moved = send(encoder, { tick: 2, ack: 9, entities: records({ id: 7, position: { form: 1, x: 576, y: 704 } }) });
  assert.deepEqual(moved, { tick: 2, ack: 9, entities: [{ id: 7, x: 9, y: 11 }] });
  const hurt = send(encoder, { tick: 3, ack: 9, entities: records({ id: 7, raw: new Map([[0, 3]]) }) });
  assert.deepEqual(hurt, { tick: 3, ack: 9, entities: [{ id: 7, hp: 1.5 }] });
  assert.deepEqual(send(encoder, { tick: 4, ack: 9, leaves: [7] }), { tick: 4, ack: 9, leaves: [7] });
});

test('a keep-alive is a tick and an ack', () => {
  assert.deepEqual(send(makeEncoder(), {}), { tick: 1, ack: 0 });
});

test('bytes that are no frame, or do not continue what came before, give no message', () => {
  const encoder = makeEncoder();
  assert.equal(encoder.encode(new Uint8Array(3)), null);
  assert.equal(encoder.encode(buildFrame({ tick: 1, ack: 0, entities: records({ id: 7 }) })), null);
});

test('a game whose field would hide a key of the plain form is refused', () => {
  const game = { ...TOY_GAME, fields: [{ name: 'kind', type: 'u8' as const, scale: 1, offset: 0 }] };
  assert.throws(() => new PlainFrameEncoder('json', game, TOY_QUANTUM), /name/);
});
