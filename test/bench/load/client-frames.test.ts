import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MoveFrames, maskFrame } from '../../../bench/load/swarm/client-frames.js';
import { createRandom } from '../../../src/base/chance.js';

const MOVE_KIND = 256;

/** Reads a client's frame as a server does. */
function unmask(frame: Buffer): Buffer {
  assert.equal(frame[0], 0x82);
  assert.ok((frame[1] & 0x80) !== 0, 'a client masks');
  const length = frame[1] & 0x7f;
  const start = (length === 126 ? 4 : 2) + 4;
  assert.equal(frame.length - start, length === 126 ? frame.readUInt16BE(2) : length);
  return Buffer.from(frame.subarray(start).map((byte, index) => byte ^ frame[start - 4 + (index & 3)]));
}

test('a Move carries its kind, number and direction under the mask, however often its frame is filled', () => {
  const seed = 5;
  const random = createRandom(seed);
  const frames = new MoveFrames(4, MOVE_KIND, random);
  for (let round = 0; round < 1000; round++) {
    const client = Math.floor(random() * 4);
    const seq = Math.floor(random() * 2 ** 32);
    const x = Math.floor(random() * 255) - 127;
    const y = Math.floor(random() * 255) - 127;
    const payload = unmask(frames.fill(client, seq, x, y));
    assert.equal(payload.readUInt16LE(0), MOVE_KIND);
    assert.equal(payload.readUInt16LE(2), 0);
    assert.equal(payload.readUInt32LE(4), seq, `seed ${seed}, round ${round}`);
    assert.equal(payload.readInt8(8), x);
    assert.equal(payload.readInt8(9), y);
    assert.equal(payload.readUInt16LE(10), 0);
  }
});

test('clients do not share a frame', () => {
  const frames = new MoveFrames(2, MOVE_KIND, createRandom(6));
  const first = frames.fill(0, 1, 10, 20);
  frames.fill(1, 2, 30, 40);
  assert.equal(unmask(first).readUInt32LE(4), 1);
});

test('payloads of any length come out of the mask unchanged', () => {
  for (const length of [0, 1, 8, 125, 126, 127, 1000]) {
    const payload = Buffer.from(Array.from({ length }, (_, index) => index & 0xff));
    assert.deepEqual(unmask(maskFrame(2, payload, 0x80ff0102)), payload, `${length} bytes`);
  }
});
