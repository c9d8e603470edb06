import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { askAgain, isKafkaTimerWarning, isTooLarge, toPersistError } from '../../src/persist/kafka-client.js';
import { encodeRecord, installRecordEncoder, type RecordEncoder } from '../../src/persist/kafka-records.js';
import { createRandom } from '../../src/prng.js';

const require = createRequire(import.meta.url);
// Before anything installs ours in its place.
const original: RecordEncoder = require('kafkajs/src/protocol/recordBatch/record/v0');

test('records are encoded to the same bytes as by kafkajs', () => {
  const seed = 21;
  const random = createRandom(seed);
  for (let i = 0; i < 3000; i++) {
    const below = (limit: number) => Math.floor(random() ** 4 * limit);
    const record = {
      offsetDelta: below(100_000),
      timestampDelta: below(2 ** 30),
      key: String.fromCodePoint(...Array.from({ length: 1 + below(300) }, () => 33 + below(3000))),
      value: Buffer.alloc(below(100_000), i),
    };
    assert.ok(encodeRecord(record)!.buffer.equals(original(record).buffer), `record ${i}, seed ${seed}`);
  }
});

test('records beyond the fast form are left to kafkajs', () => {
  const plain = { offsetDelta: 0, timestampDelta: 0, key: 'k', value: Buffer.from('v') };
  assert.ok(encodeRecord(plain));
  assert.equal(encodeRecord({ ...plain, headers: { h: 'v' } }), undefined);
  assert.equal(encodeRecord({ ...plain, key: null }), undefined);
  assert.equal(encodeRecord({ ...plain, value: null }), undefined);
  assert.equal(encodeRecord({ ...plain, timestampDelta: 2 ** 30 }), undefined);
  assert.equal(encodeRecord({ ...plain, timestampDelta: -1 }), undefined);
});

test('the fast form takes its place in the installed version of kafkajs', () => {
  assert.equal(installRecordEncoder(), true);
  const installed: RecordEncoder = require('kafkajs/src/protocol/recordBatch/record/v0');
  assert.notEqual(installed, original);
  const withHeaders = { offsetDelta: 1, timestampDelta: 1, key: 'k', value: Buffer.from('v'), headers: { h: 'v' } };
  assert.ok(installed(withHeaders).buffer.equals(original(withHeaders).buffer));
});

test('the timer warning of kafkajs is told from all others', () => {
  const stack =
    'at RequestQueue.scheduleCheckPendingRequests (/app/node_modules/kafkajs/src/network/requestQueue/index.js)';
  assert.ok(isKafkaTimerWarning(['-5 is a negative number.', 'TimeoutNegativeWarning'], stack));
  assert.ok(isKafkaTimerWarning(['-5 is a negative number.', { type: 'TimeoutNegativeWarning' }], stack));
  assert.ok(!isKafkaTimerWarning(['-5 is a negative number.', 'TimeoutNegativeWarning'], 'at mine (/app/src/mine.js)'));
  assert.ok(!isKafkaTimerWarning(['old', 'DeprecationWarning'], stack));
  assert.ok(!isKafkaTimerWarning(['plain'], stack));
  assert.ok(!isKafkaTimerWarning([new Error('plain')], stack));
});

test('failures of kafkajs are judged by their cause, not by the wrapper around it', () => {
  const wrap = (cause: object) =>
    Object.assign(new Error('wrapped'), { name: 'KafkaJSNonRetriableError', retriable: false, cause });
  const timeout = wrap(wrap({ name: 'KafkaJSRequestTimeoutError', message: 'Request Produce timed out' }));
  assert.equal(toPersistError(timeout, 'send').kind, 'timeout');
  const reset = wrap({ name: 'KafkaJSConnectionError', message: 'Connection error: read ECONNRESET' });
  assert.equal(toPersistError(reset, 'send').kind, 'unavailable');
  assert.match(toPersistError(reset, 'send').message, /send: Connection error: read ECONNRESET/);
  const tooLarge = toPersistError(wrap({ type: 'MESSAGE_TOO_LARGE', message: 'too large' }), 'send');
  assert.equal(tooLarge.kind, 'rejected');
  assert.ok(isTooLarge(tooLarge));
  assert.equal(toPersistError(wrap({ type: 'TOPIC_AUTHORIZATION_FAILED', message: 'no' }), 'send').kind, 'unavailable');
});

test('a coordinator that is still loading is asked again, until the caller has given up', async () => {
  const { createErrorFromCode } = require('kafkajs/src/protocol/error');
  const { signal } = new AbortController();
  const answers = [createErrorFromCode(14), createErrorFromCode(15), createErrorFromCode(16)];
  const ask = async () => {
    const failure = answers.shift();
    if (failure) throw failure;
    return 'offsets';
  };
  assert.equal(await askAgain(ask, signal), 'offsets');
  assert.equal(answers.length, 0);

  const given = new AbortController();
  let asked = 0;
  const asking = askAgain(() => {
    asked++;
    return Promise.reject(createErrorFromCode(14));
  }, given.signal);
  given.abort();
  await assert.rejects(asking, { type: 'GROUP_LOAD_IN_PROGRESS' });
  assert.ok(asked <= 2);
});

test('what does not pass by itself is not asked again', async () => {
  const { createErrorFromCode } = require('kafkajs/src/protocol/error');
  let asked = 0;
  const ask = () => {
    asked++;
    return Promise.reject(createErrorFromCode(30));
  };
  await assert.rejects(askAgain(ask, new AbortController().signal), { type: 'GROUP_AUTHORIZATION_FAILED' });
  assert.equal(asked, 1);
});
