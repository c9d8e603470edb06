import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import '../../../src/stores/kafka/kafka-library.js';
import { createRandom } from '../../../src/base/chance.js';
import type { MakeProduceRequest, ProducedMessage, ProduceInput } from '../../../src/stores/kafka/kafka-produce.js';

const require = createRequire(import.meta.url);
const MODULE = 'kafkajs/src/protocol/requests/produce/v3/request';
const Long = require('kafkajs/src/utils/long');

const ours: MakeProduceRequest = require(MODULE);
const original = loadOriginal();
assert.notEqual(ours, original);

/** The library's own, past the module cache. */
function loadOriginal(): MakeProduceRequest {
  const path = require.resolve(MODULE);
  const replaced = require.cache[path];
  delete require.cache[path];
  const module = require(MODULE);
  require.cache[path] = replaced;
  return module;
}

function messagesOf(random: () => number, count: number, bytesMax: number): ProducedMessage[] {
  const below = (limit: number): number => Math.floor(random() ** 3 * limit);
  return Array.from({ length: count }, (_, n) => ({
    key: String.fromCodePoint(...Array.from({ length: 1 + below(200) }, () => 33 + below(random() < 0.5 ? 90 : 3000))),
    value: Buffer.alloc(below(bytesMax), n),
    // Of as many digits, since the original sorts them as texts.
    timestamp: (1_700_000_000_000 + below(2 ** 30)) as unknown as string,
  }));
}

function inputOf(random: () => number, compression: number): ProduceInput {
  const partition = (number: number, count: number, bytesMax: number) => ({
    partition: number,
    firstSequence: Math.floor(random() * 2 ** 31),
    messages: messagesOf(random, count, bytesMax),
  });
  return {
    acks: -1,
    timeout: 5000,
    transactionalId: random() < 0.5 ? null : 'überweisung',
    producerId: Long.fromValue(String(Math.floor(random() * 2 ** 50))),
    producerEpoch: Math.floor(random() * 1000),
    compression,
    topicData: [
      { topic: 'game.events.combat', partitions: [partition(0, 1, 10), partition(3, 700, 300)] },
      { topic: 'events', partitions: [partition(1, 3, 200_000)] },
    ],
  };
}

for (const [name, compression] of [
  ['none', 0],
  ['gzip', 1],
] as const) {
  test(`a produce request has the same bytes as the library's, compression ${name}`, async () => {
    const seed = 21;
    const random = createRandom(seed);
    for (let i = 0; i < 20; i++) {
      const input = inputOf(random, compression);
      const request = ours(input);
      const body = await request.encode();
      const expected = await original(input).encode();
      assert.ok(body.buffer.equals(expected.buffer), `request ${i}, seed ${seed}`);
      assert.equal(body.buf, body.buffer);
    }
  });
}

test('requests that are encoded at once do not share memory', async () => {
  const random = createRandom(5);
  const inputs = Array.from({ length: 8 }, () => inputOf(random, 1));
  const bodies = await Promise.all(inputs.map((input) => ours(input).encode()));
  for (const [i, input] of inputs.entries()) {
    assert.ok(bodies[i].buffer.equals((await original(input).encode()).buffer), `request ${i}`);
  }
});

test('what it does not do is left to the library', async () => {
  const plain = { key: 'k', value: Buffer.from('v'), timestamp: '1700000000000' };
  const unusual: ProducedMessage[][] = [
    [{ ...plain, headers: { h: 'v' } }],
    [{ ...plain, key: null }],
    [{ ...plain, key: Buffer.from('k') }],
    [{ ...plain, value: null }],
    [plain, { ...plain, timestamp: '1800000000000' }],
  ];
  for (const messages of unusual) {
    const input: ProduceInput = {
      acks: 1,
      timeout: 1,
      topicData: [{ topic: 't', partitions: [{ partition: 0, messages }] }],
    };
    assert.ok((await ours(input).encode()).buffer.equals((await original(input).encode()).buffer));
  }
});
