// Where kafkajs is loaded. Its grouping of messages by partition copies all messages of a partition for each one added: the
// square of their number, and a third of a send's CPU time at 5,000. A grouping that does not takes its place in the
// module cache before the library loads: only in the version it was written for. Where it comes too late, because somebody
// else has loaded the library before, kafkajs goes on as it is.

import { createRequire } from 'node:module';
import type kafkajsTypes from 'kafkajs';

const KAFKAJS_VERSION = '2.2.4';
const GROUPING_MODULE = 'kafkajs/src/producer/groupMessagesPerPartition';

interface GroupingInput<T> {
  topic: string;
  partitionMetadata: readonly unknown[];
  messages: readonly T[];
  partitioner(options: { topic: string; partitionMetadata: readonly unknown[]; message: T }): number;
}

export function groupMessages<T>({ topic, partitionMetadata, messages, partitioner }: GroupingInput<T>) {
  const groups: Record<number, T[]> = {};
  if (partitionMetadata.length === 0) return groups;
  for (const message of messages) {
    const partition = partitioner({ topic, partitionMetadata, message });
    groups[partition] ??= [];
    groups[partition].push(message);
  }
  return groups;
}

const require = createRequire(import.meta.url);
if (require('kafkajs/package.json').version === KAFKAJS_VERSION) {
  require(GROUPING_MODULE);
  require.cache[require.resolve(GROUPING_MODULE)]!.exports = groupMessages;
}

export const kafkajs: typeof kafkajsTypes = require('kafkajs');
