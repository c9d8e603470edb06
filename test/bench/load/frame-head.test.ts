import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type FrameHead, readFrameHead } from '../../../bench/load/swarm/frame-head.js';
import { createRandom } from '../../../src/base/chance.js';
import { buildFrame, type FrameParts, openFrame } from '../../../src/protocol/fb/server-frame.js';

const SEED = 31;

function randomParts(random: () => number): FrameParts {
  const maybe = <T>(value: T): T | undefined => (random() < 0.5 ? value : undefined);
  const parts: FrameParts = { tick: Math.floor(random() * 2 ** 32), ack: Math.floor(random() * 2 ** 32) };
  const extras = {
    full: maybe(true),
    entities: maybe(new Uint8Array(Math.floor(random() * 50))),
    leaves: maybe([1, 2, 3]),
    rejects: random() < 0.1 ? [{ seq: 1, kind: 256, code: 7 }] : undefined,
    pong: random() < 0.1 ? { seq: 3, clientTime: 4 } : undefined,
    notice: random() < 0.1 ? { code: 4003, text: 'too slow' } : undefined,
  };
  for (const [key, value] of Object.entries(extras)) if (value !== undefined) Object.assign(parts, { [key]: value });
  return parts;
}

test('the head that is read in place is the one that the generated reader finds', () => {
  const random = createRandom(SEED);
  const head: FrameHead = { ack: 0, flags: 0, hasRareParts: false };
  for (let round = 0; round < 2000; round++) {
    const parts = randomParts(random);
    const frame = buildFrame(parts);
    const start = Math.floor(random() * 9);
    const bytes = new Uint8Array(start + frame.length + 3).fill(0xee);
    bytes.set(frame, start);
    assert.ok(readFrameHead(bytes, start, start + frame.length, head));
    const opened = openFrame(frame)!;
    assert.equal(head.ack, opened.ack(), `seed ${SEED}, round ${round}`);
    assert.equal(head.flags, opened.flags());
    assert.equal(head.hasRareParts, 'rejects' in parts || 'pong' in parts || 'notice' in parts);
  }
});

test('bytes that are no frame are refused or read without harm', () => {
  const random = createRandom(SEED + 1);
  const head: FrameHead = { ack: 0, flags: 0, hasRareParts: false };
  for (let round = 0; round < 20000; round++) {
    const bytes = Uint8Array.from({ length: Math.floor(random() * 40) }, () => Math.floor(random() ** 3 * 256));
    readFrameHead(bytes, 0, bytes.length, head);
  }
  assert.equal(readFrameHead(new Uint8Array(0), 0, 0, head), false);
  assert.equal(readFrameHead(new Uint8Array(12).fill(0xff), 0, 12, head), false);
});
