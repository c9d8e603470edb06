import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRandom } from '../../src/base/chance.js';
import { crc32, crc32ByTable, sha256 } from '../../src/base/checksum.js';

const text = (value: string) => new TextEncoder().encode(value);

test('CRC-32 is the one of zlib, by table too', () => {
  for (const crc of [crc32, crc32ByTable]) {
    assert.equal(crc(text('123456789')), 0xcbf43926);
    assert.equal(crc(new Uint8Array(0)), 0);
    assert.equal(crc(new Uint8Array(4)), 0x2144df1c);
  }
  const random = createRandom(3);
  for (let i = 0; i < 50; i++) {
    const bytes = Uint8Array.from({ length: i * 3 }, () => random() * 256);
    assert.equal(crc32ByTable(bytes), crc32(bytes));
  }
});

test('CRC-32 notices any single flipped bit', () => {
  const bytes = text('a record of the journal');
  const whole = crc32(bytes);
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    bytes[bit >> 3] ^= 1 << (bit & 7);
    assert.notEqual(crc32(bytes), whole);
    bytes[bit >> 3] ^= 1 << (bit & 7);
  }
});

test('SHA-256 is written in hexadecimal', () => {
  assert.equal(sha256(text('abc')), 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
});
