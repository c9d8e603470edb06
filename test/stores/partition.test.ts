import assert from 'node:assert/strict';
import { test } from 'node:test';
import kafkajs from 'kafkajs';
import { createRandom } from '../../src/base/chance.js';
import { crc32, crc32ByTable } from '../../src/base/checksum.js';
import { murmur2, PartitionCache, partitionOf } from '../../src/stores/partition.js';

test('keys go where the partitioner of Java and kafkajs puts them', () => {
  const random = createRandom(3);
  const theirs = kafkajs.Partitioners.DefaultPartitioner();
  const cache = new PartitionCache();
  for (let i = 0; i < 2000; i++) {
    const length = Math.floor(random() * 40);
    const key = String.fromCodePoint(...Array.from({ length: length + 1 }, () => 33 + Math.floor(random() * 2000)));
    const partitions = 1 + Math.floor(random() * 50);
    const partitionMetadata = Array.from({ length: partitions }, (_, partitionId) => {
      return { partitionId, leader: 1, partitionErrorCode: 0, replicas: [1], isr: [1] };
    });
    const wanted = theirs({ topic: 't', partitionMetadata, message: { key: Buffer.from(key), value: null } });
    assert.equal(partitionOf(Buffer.from(key), partitions), wanted, `key ${key}, seed 3`);
    assert.equal(cache.find(key, partitions), wanted);
    assert.equal(cache.find(key, partitions), wanted);
  }
});

test('the hash is the one of the Kafka sources', () => {
  // From the unit tests of Kafka's own client.
  const known: [string, number][] = [
    ['21', -973932308],
    ['foobar', -790332482],
    ['a-little-bit-long-string', -985981536],
    ['a-little-bit-longer-string', -1486304829],
    ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
    ['abc', 479470107],
  ];
  for (const [key, hash] of known) assert.equal(murmur2(Buffer.from(key)), hash, key);
});

test('the CRC-32 by table is the native one, and the one of the standard', () => {
  const random = createRandom(4);
  assert.equal(crc32ByTable(Buffer.from('123456789')), 0xcbf43926);
  for (let i = 0; i < 200; i++) {
    const bytes = Uint8Array.from({ length: Math.floor(random() * 300) }, () => Math.floor(random() * 256));
    assert.equal(crc32ByTable(bytes), crc32(bytes));
  }
});
