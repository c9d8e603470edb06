import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  FRAME_BYTES_LIMIT,
  FrameSplitter,
  OPCODE_BINARY,
  OPCODE_CLOSE,
  OPCODE_PING,
} from '../../../bench/load/swarm/frame-splitter.js';
import { createRandom } from '../../../src/base/chance.js';

interface Frame {
  opcode: number;
  payload: number[];
}

function encode({ opcode, payload }: Frame): Buffer {
  const bytes = Buffer.from(payload);
  if (bytes.length < 126) return Buffer.concat([Buffer.of(0x80 | opcode, bytes.length), bytes]);
  if (bytes.length < 65536) {
    return Buffer.concat([Buffer.of(0x80 | opcode, 126, bytes.length >> 8, bytes.length & 0xff), bytes]);
  }
  const header = Buffer.alloc(10);
  header[0] = 0x80 | opcode;
  header[1] = 127;
  header.writeBigUInt64BE(BigInt(bytes.length), 2);
  return Buffer.concat([header, bytes]);
}

function collect(): { frames: Frame[]; headerBytes: number[]; splitter: FrameSplitter } {
  const frames: Frame[] = [];
  const headerBytes: number[] = [];
  const splitter = new FrameSplitter({
    frame(opcode, bytes, start, limit, header) {
      frames.push({ opcode, payload: [...bytes.subarray(start, limit)] });
      headerBytes.push(header);
    },
  });
  return { frames, headerBytes, splitter };
}

function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, index) => (index * 7) & 0xff);
}

const STREAM: Frame[] = [
  { opcode: OPCODE_BINARY, payload: numbers(3) },
  { opcode: OPCODE_BINARY, payload: [] },
  { opcode: OPCODE_PING, payload: numbers(4) },
  { opcode: OPCODE_BINARY, payload: numbers(125) },
  { opcode: OPCODE_BINARY, payload: numbers(126) },
  { opcode: OPCODE_BINARY, payload: numbers(300) },
  { opcode: OPCODE_CLOSE, payload: [0x03, 0xe8] },
];

test('a stream that is cut in two at any byte yields the same frames', () => {
  const stream = Buffer.concat(STREAM.map(encode));
  for (let cut = 0; cut <= stream.length; cut++) {
    const { frames, splitter } = collect();
    assert.equal(splitter.push(stream, 0, cut), '');
    assert.equal(splitter.push(stream, cut, stream.length), '');
    assert.deepEqual(frames, STREAM, `cut at ${cut}`);
  }
});

test('a stream that arrives byte by byte yields the same frames, with the size of each header', () => {
  const stream = Buffer.concat(STREAM.map(encode));
  const { frames, headerBytes, splitter } = collect();
  for (let at = 0; at < stream.length; at++) assert.equal(splitter.push(stream, at, at + 1), '');
  assert.deepEqual(frames, STREAM);
  assert.deepEqual(headerBytes, [2, 2, 2, 2, 4, 4, 2]);
});

test('a frame with a 64-bit length survives being cut anywhere in its header and near its ends', () => {
  const frame = { opcode: OPCODE_BINARY, payload: numbers(65536) };
  const stream = Buffer.concat([encode(frame), encode(STREAM[0])]);
  for (const cut of [1, 2, 3, 5, 9, 10, 11, 4096, 65545, 65546, 65547, 65548]) {
    const { frames, splitter } = collect();
    assert.equal(splitter.push(stream, 0, cut), '');
    assert.equal(splitter.push(stream, cut, stream.length), '');
    assert.equal(frames.length, 2, `cut at ${cut}`);
    assert.deepEqual(frames[0], frame, `cut at ${cut}`);
  }
});

test('random pieces of random frames in a buffer that is used again yield the same frames', () => {
  const seed = 20261121;
  const random = createRandom(seed);
  for (let round = 0; round < 200; round++) {
    const sent = Array.from({ length: 20 }, () => ({
      opcode: OPCODE_BINARY,
      payload: numbers(Math.floor(random() ** 3 * 400)),
    }));
    const stream = Buffer.concat(sent.map(encode));
    const { frames, splitter } = collect();
    const buffer = new Uint8Array(512);
    for (let at = 0; at < stream.length; ) {
      const bytes = Math.min(stream.length - at, 1 + Math.floor(random() * 200));
      buffer.fill(0xff);
      buffer.set(stream.subarray(at, at + bytes), 5);
      assert.equal(splitter.push(buffer, 5, 5 + bytes), '');
      at += bytes;
    }
    assert.deepEqual(frames, sent, `seed ${seed}, round ${round}`);
  }
});

test('what no server may send is named, whole or byte by byte', () => {
  const tooLong = Buffer.alloc(10);
  tooLong[0] = 0x82;
  tooLong[1] = 127;
  tooLong.writeBigUInt64BE(BigInt(FRAME_BYTES_LIMIT + 1), 2);
  const wrong: [string, Buffer][] = [
    ['masked frame', Buffer.of(0x82, 0x80, 0, 0, 0, 0)],
    ['reserved bits set', Buffer.of(0xc2, 0)],
    ['fragmented message', Buffer.of(0x02, 0)],
    ['fragmented message', Buffer.of(0x80, 0)],
    ['unknown opcode', Buffer.of(0x83, 0)],
    ['unknown opcode', Buffer.of(0x8b, 0)],
    ['frame too long', tooLong],
  ];
  for (const [violation, bytes] of wrong) {
    const whole = collect();
    assert.equal(whole.splitter.push(bytes, 0, bytes.length), violation);
    const dribbled = collect();
    let answer = '';
    for (let at = 0; at < bytes.length && answer === ''; at++) answer = dribbled.splitter.push(bytes, at, at + 1);
    assert.equal(answer, violation);
  }
});
