import assert from 'node:assert/strict';
import dns from 'node:dns';
import { getEventListeners } from 'node:events';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import {
  askAgain,
  isKafkaTimerWarning,
  isTooLarge,
  KafkaLink,
  toPersistError,
} from '../../../src/stores/kafka/kafka-client.js';
import { openKafkaEventLog } from '../../../src/stores/kafka/kafka-event-log.js';
import { until } from '../../folder.js';

const require = createRequire(import.meta.url);

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

test('a broker whose name stands for several addresses is told of with what each of them said', async (t) => {
  const { lookup } = dns;
  t.after(() => {
    dns.lookup = lookup;
  });
  const both = [
    { address: '127.0.0.1', family: 4 },
    { address: '127.0.0.2', family: 4 },
  ];
  const answer = (_: string, __: object, found: (error: null, addresses: object) => void): void => found(null, both);
  dns.lookup = answer as unknown as typeof dns.lookup;
  const log = openKafkaEventLog({ brokers: ['two.test:1'], deadlineMs: 5000 });
  t.after(() => log.close());
  const record = { topic: 'some', key: 'a', value: Buffer.from('1'), timestampMs: 0 };
  await assert.rejects(log.append([record]), /ECONNREFUSED 127\.0\.0\.1:1.*ECONNREFUSED 127\.0\.0\.2:1/);
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

test('a coordinator that is still loading, or a leader that is not yet one, is asked again, until the caller gives up', async () => {
  const { createErrorFromCode } = require('kafkajs/src/protocol/error');
  const { signal } = new AbortController();
  const answers = [14, 15, 16, 5, 6].map((code) => createErrorFromCode(code));
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

test('a consumer without a broker says so once, and keeps nothing of its attempts', { timeout: 60000 }, async (t) => {
  const added = EventTarget.prototype.addEventListener;
  const signals = new Set<EventTarget>();
  t.mock.method(EventTarget.prototype, 'addEventListener', function (this: EventTarget, ...parts: never[]) {
    if (this instanceof AbortSignal) signals.add(this);
    return Reflect.apply(added, this, parts);
  });
  const links = t.mock.method(KafkaLink.prototype, 'destroy');
  const notices: string[] = [];
  const limits = { connectTimeoutMs: 200, requestTimeoutMs: 200, deadlineMs: 200 };
  const log = openKafkaEventLog({ brokers: ['127.0.0.1:1'], ...limits, onNotice: (line) => notices.push(line) });
  const subscription = await log.subscribe({ group: 'g', topics: ['t'] }, async () => {});
  await until('four attempts', () => links.mock.callCount() >= 4, 30000);
  const listeners = [...signals].map((signal) => getEventListeners(signal, 'abort').length);
  await subscription.stop();
  await log.close();
  assert.ok(listeners.length > 0 && Math.max(...listeners) <= 2, `${listeners}`);
  assert.equal(notices.length, 1, notices.join('\n'));
});
