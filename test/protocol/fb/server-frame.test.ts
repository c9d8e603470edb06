import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  buildFrame,
  FrameFlag,
  openFrame,
  readLeaves,
  readNotice,
  readPong,
  readRejects,
  readWelcome,
} from '../../../src/protocol/fb/server-frame.js';
import { FULL_FRAME, TOY_WELCOME } from '../sample-frames.js';

test('a frame with everything in it reads back as it was built', () => {
  const frame = openFrame(buildFrame(FULL_FRAME))!;
  assert.equal(frame.tick(), 4000000000);
  assert.equal(frame.ack(), 17);
  assert.equal(frame.flags(), FrameFlag.Full);
  assert.deepEqual(frame.entitiesArray(), FULL_FRAME.entities);
  assert.deepEqual(readLeaves(frame), FULL_FRAME.leaves);
  assert.deepEqual(readRejects(frame), FULL_FRAME.rejects);
  assert.deepEqual(readPong(frame), FULL_FRAME.pong);
  assert.deepEqual(readNotice(frame), FULL_FRAME.notice);
  assert.deepEqual(readWelcome(frame), FULL_FRAME.welcome);
});

test('a frame with nothing in it is a keep-alive of under 30 bytes', () => {
  const bytes = buildFrame({ tick: 5, ack: 6 });
  const frame = openFrame(bytes)!;
  assert.ok(bytes.length < 30, `${bytes.length} bytes`);
  assert.deepEqual([frame.tick(), frame.ack(), frame.flags()], [5, 6, 0]);
  assert.deepEqual([frame.entitiesArray(), frame.leavesLength(), frame.rejectsLength()], [null, 0, 0]);
  assert.deepEqual([readPong(frame), readWelcome(frame), readNotice(frame)], [null, null, null]);
});

test('a welcome with a number that no server sends is not read', () => {
  const bad = [{ quantum: 0 }, { quantum: Number.NaN }, { worldWidth: Number.POSITIVE_INFINITY }];
  for (const change of bad) {
    const frame = openFrame(buildFrame({ tick: 1, ack: 0, welcome: { ...TOY_WELCOME, ...change } }))!;
    assert.equal(readWelcome(frame), null, JSON.stringify(change));
  }
});

test('a welcome says which fields a kind has, and is not read when it says what cannot be', () => {
  const { kinds, fields } = TOY_WELCOME;
  const read = (kindFields: number[][]) =>
    readWelcome(openFrame(buildFrame({ tick: 1, ack: 0, welcome: { ...TOY_WELCOME, kindFields } }))!);
  const sound = kinds.map((_, kind) => (kind === 0 ? [...fields.keys()] : []));
  assert.deepEqual(read(sound)?.kindFields, sound);
  const none = sound.slice(1);
  assert.equal(read(none), null, 'a kind is missing');
  assert.equal(read([[fields.length], ...none]), null, 'a field does not exist');
  assert.equal(read([[1, 1], ...none]), null, 'a field comes twice');
});

test('a frame is read wherever it lies in a larger buffer', () => {
  const bytes = buildFrame(FULL_FRAME);
  for (let lead = 0; lead < 4; lead++) {
    const around = new Uint8Array(bytes.length + 8);
    around.set(bytes, lead);
    const frame = openFrame(around.subarray(lead, lead + bytes.length))!;
    assert.deepEqual(readLeaves(frame), FULL_FRAME.leaves);
    assert.deepEqual(readWelcome(frame), FULL_FRAME.welcome);
  }
});

test('names too long for the wire are the mistake of the game', () => {
  const welcome = { ...TOY_WELCOME, game: 'g'.repeat(65) };
  assert.throws(() => buildFrame({ tick: 1, ack: 0, welcome }), /short/);
});
