import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRandom } from '../../../src/base/chance.js';
import {
  decodeSegment,
  encodeFrame,
  encodeTicksHead,
  FRAME_BASE,
  FRAME_TICKS,
  type Segment,
} from '../../../src/durability/journal/journal-file.js';

const SEED = Number(process.env.TESSERA_SEED ?? 1);
const ZONES = 3;

interface Written {
  bytes: Buffer;
  /** Where each frame begins, and the end. */
  starts: number[];
  /** What each frame says. */
  frames: string[][];
}

/** What a segment says, as texts that are the same for the same things. */
function listBase(bytes: Uint8Array): string {
  return `base ${Buffer.from(bytes).toString('hex')}`;
}

function list({ bases, records, hashes }: Omit<Segment, 'damages'>): string[] {
  return [
    ...bases.map(listBase),
    ...records.map(({ zone, serial, tick, bytes }) => `record ${zone} ${serial} ${tick} ${bytes.toString('hex')}`),
    ...hashes.map(({ zone, tick, sums }) => `hash ${zone} ${tick} ${sums.join()}`),
  ];
}

function writeSegment(random: () => number): Written {
  const integer = (limit: number) => Math.floor(random() * limit);
  const randomBytes = (count: number) => Buffer.from(Array.from({ length: count }, () => integer(256)));
  const parts: Buffer[] = [];
  const frames: string[][] = [];
  for (let zone = 0; zone < ZONES; zone++) {
    const base = randomBytes(integer(200));
    parts.push(encodeFrame(FRAME_BASE, [base]));
    frames.push([listBase(base)]);
  }
  for (let i = integer(20); i >= 0; i--) {
    const zone = integer(ZONES);
    const hash =
      random() < 0.3
        ? { tick: i, sums: Int32Array.from({ length: 1 + integer(9) }, () => integer(2 ** 32)) }
        : undefined;
    const records = Array.from({ length: integer(6) }, (_, nth) => {
      const bytes = randomBytes(8 + integer(60));
      bytes.writeInt32LE(i * 10 + nth, 0);
      bytes.writeInt32LE(500 + i, 4);
      return { zone, serial: i * 10 + nth, tick: 500 + i, bytes };
    });
    const lengths = records.map(({ bytes }) => {
      const length = Buffer.alloc(4);
      length.writeUInt32LE(bytes.length);
      return length;
    });
    const pieces = records.flatMap(({ bytes }, nth) => [lengths[nth], bytes]);
    parts.push(encodeFrame(FRAME_TICKS, [encodeTicksHead(zone, hash), ...pieces]));
    frames.push(list({ bases: [], records, hashes: hash === undefined ? [] : [{ zone, ...hash }] }));
  }
  const starts = [0];
  for (const part of parts) starts.push(starts[starts.length - 1] + part.length);
  return { bytes: Buffer.concat(parts), starts, frames };
}

/** Nothing that was not written, all that precedes the damage, and the damage is told. */
function check({ starts, frames }: Written, damaged: Buffer, firstDamageAt: number, context: string): Segment {
  const segment = decodeSegment(damaged);
  const found = list(segment);
  const written = new Set(frames.flat());
  for (const text of found) assert.ok(written.has(text), `${context}: ${text} was not written`);
  const kept = new Set(found);
  for (const [index, texts] of frames.entries()) {
    if (starts[index + 1] > firstDamageAt) break;
    for (const text of texts) assert.ok(kept.has(text), `${context}: ${text} stood before the damage`);
  }
  return segment;
}

test('a segment is read as it was written', () => {
  for (let round = 0; round < 200; round++) {
    const written = writeSegment(createRandom(SEED + round));
    const segment = decodeSegment(written.bytes);
    assert.deepEqual(segment.damages, []);
    assert.deepEqual(list(segment).sort(), written.frames.flat().sort(), `TESSERA_SEED=${SEED + round}`);
  }
});

test('a segment that is torn, overwritten or flipped anywhere gives what precedes the damage, and nothing that was not written', () => {
  for (let round = 0; round < 4000; round++) {
    const seed = SEED + round;
    const context = `round ${round}, TESSERA_SEED=${SEED}`;
    const random = createRandom(seed);
    const integer = (limit: number) => Math.floor(random() * limit);
    const written = writeSegment(random);
    const { bytes, starts } = written;
    const at = integer(bytes.length);
    const damaged = Buffer.from(bytes);
    const kind = integer(5);
    if (kind === 0) {
      const segment = check(written, damaged.subarray(0, at), at, context);
      assert.equal(segment.damages.length, starts.includes(at) ? 0 : 1, context);
      continue;
    }
    if (kind === 1) damaged[at] ^= 1 << integer(8);
    else if (kind === 2)
      damaged.fill(0, at); // room that was never written to
    else if (kind === 3)
      damaged.writeUInt32LE([0, 1, 0x7fffffff, 0xffffffff][integer(4)], Math.min(at, bytes.length - 4));
    else for (let i = at; i < Math.min(bytes.length, at + 40); i++) damaged[i] = integer(256);
    const first = damaged.findIndex((byte, index) => byte !== bytes[index]);
    if (first < 0) continue;
    const { damages } = check(written, damaged, first, context);
    assert.ok(damages.length > 0, context);
    assert.ok(damages[0].at <= first && damages[0].at + damages[0].bytes > first, context);
  }
});

test('bytes that are no segment at all give nothing', () => {
  const random = createRandom(SEED);
  for (let round = 0; round < 2000; round++) {
    const bytes = Buffer.from(Array.from({ length: Math.floor(random() * 100) }, () => Math.floor(random() * 256)));
    assert.deepEqual(list(decodeSegment(bytes)), [], `TESSERA_SEED=${SEED}`);
  }
  assert.deepEqual(decodeSegment(Buffer.alloc(0)), { bases: [], records: [], hashes: [], damages: [] });
});

test('a damaged frame in the middle costs that frame alone', () => {
  const written = writeSegment(createRandom(SEED));
  const { bytes, starts, frames } = written;
  for (let frame = 0; frame < frames.length; frame++) {
    const damaged = Buffer.from(bytes);
    damaged[starts[frame + 1] - 1] ^= 1;
    const segment = decodeSegment(damaged);
    assert.deepEqual(list(segment).sort(), frames.toSpliced(frame, 1).flat().sort());
    assert.deepEqual(segment.damages, [
      {
        at: starts[frame],
        bytes: starts[frame + 1] - starts[frame],
        reason: 'the checksum of a frame does not match',
      },
    ]);
  }
});

test('a frame of a kind that is not known, or that does not hold what it says, is told', () => {
  const head = encodeTicksHead(1, undefined);
  const reasons = [
    encodeFrame(9, []),
    encodeFrame(FRAME_TICKS, []),
    encodeFrame(FRAME_TICKS, [head, Buffer.from([1])]),
    encodeFrame(FRAME_TICKS, [head, Buffer.from([200, 0, 0, 0]), Buffer.alloc(20)]),
    encodeFrame(FRAME_TICKS, [Buffer.from([0, 0, 255, 255, 0, 0, 0, 0])]),
  ].map((frame) => decodeSegment(frame).damages.map(({ reason }) => reason));
  assert.deepEqual(reasons, [
    ['a frame is of kind 9, which this server does not know'],
    ...Array.from({ length: 4 }, () => ['a frame does not hold what it says']),
  ]);
});
