// Where kafkajs is loaded, with two of its modules replaced in the module cache before the library loads: only in the version
// that they were written for. Where it comes too late, because somebody else has loaded the library before, kafkajs goes on
// as it is.
//
// Its grouping of messages by partition copies all messages of a partition for each one added: the square of their number,
// and a third of a send's CPU time at 5,000. For its produce requests see kafka-produce.ts.

import { createRequire } from 'node:module';
import type kafkajsTypes from 'kafkajs';
import { makeProduce } from './kafka-produce.js';

const KAFKAJS_VERSION = '2.2.4';
const GROUPING_MODULE = 'kafkajs/src/producer/groupMessagesPerPartition';
/** Later versions of the request are this one under another number. */
const PRODUCE_MODULE = 'kafkajs/src/protocol/requests/produce/v3/request';

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

function replaceModule(name: string, replace: (original: never) => unknown): void {
  const original = require(name) as never;
  require.cache[require.resolve(name)]!.exports = replace(original);
}

if (require('kafkajs/package.json').version === KAFKAJS_VERSION) {
  const crc32c = require('kafkajs/src/protocol/recordBatch/crc32C');
  const { lookupCodec } = require('kafkajs/src/protocol/message/compression');
  replaceModule(GROUPING_MODULE, () => groupMessages);
  replaceModule(PRODUCE_MODULE, (original) => makeProduce({ original, crc32c, lookupCodec }));
}

export const kafkajs: typeof kafkajsTypes = require('kafkajs');
