import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { createRandom } from '../../../src/base/chance.js';
import { groupMessages } from '../../../src/stores/kafka/kafka-library.js';

const require = createRequire(import.meta.url);
const MODULE = 'kafkajs/src/producer/groupMessagesPerPartition';

/** The library's own, past the module cache. */
function loadOriginal(): typeof groupMessages {
  const path = require.resolve(MODULE);
  const replaced = require.cache[path];
  delete require.cache[path];
  const original = require(MODULE);
  require.cache[path] = replaced;
  return original;
}

test('messages are grouped as the library would, and it uses our grouping', () => {
  assert.equal(require(MODULE), groupMessages);
  const original = loadOriginal();
  assert.notEqual(original, groupMessages);
  const random = createRandom(3);
  for (const count of [0, 1, 7, 500]) {
    for (const partitionMetadata of [[], [1], [1, 2, 3, 4]]) {
      const messages = Array.from({ length: count }, (_, n) => ({ n, partition: Math.floor(random() * 4) }));
      const partitioner = ({ message }: { message: { partition: number } }): number => message.partition;
      const input = { topic: 't', partitionMetadata, messages, partitioner };
      assert.deepEqual(groupMessages(input), original(input));
    }
  }
});
