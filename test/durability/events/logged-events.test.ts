// Events on their way back from the log: in order, each once, and no longer than they are waited for.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createRandom } from '../../../src/base/chance.js';
import { EventEncoder } from '../../../src/durability/events/event-encoder.js';
import { EVENT_TOPICS } from '../../../src/durability/events/event-form.js';
import {
  type LoggedEvent,
  type LoggedEventsQuery,
  readLoggedEvents,
} from '../../../src/durability/events/logged-events.js';
import { type EventLog, type LogRecord, PersistError } from '../../../src/stores/store-ports.js';
import { LogDisk, MemoryEventLog } from '../../simulator/stores/memory-log.js';
import { CALM_LINE } from '../../simulator/weather.js';

const EPOCH = 1_700_000_000_000;
const FORMS = { moved: { a: 'x', b: 'y', scale: 1 / 32 }, hit: { topic: 'combat', other: 'by', a: 'damage' } } as const;
const NAMES = ['moved', 'hit'];

interface Asked extends Partial<LoggedEventsQuery> {
  eventsMax?: number;
  readMs?: number;
}

function query({ eventsMax = 1000, readMs = 10000, ...more }: Asked = {}): LoggedEventsQuery {
  const limits = { waitMs: 300, readMs, eventsMax };
  return { names: NAMES, forms: FORMS, sinceMs: 0, isWanted: () => true, limits, onNotice: () => {}, ...more };
}

function record(type: 'moved' | 'hit', key: number, tick: number, position: number, a: number): LogRecord {
  const form = FORMS[type];
  const aggregateId = `${key}.1`;
  const scale = type === 'moved' ? 1 / 32 : 1;
  const values = { zoneId: 3, tick, position, aggregateId, occurredAt: EPOCH + tick, other: '9.1', a: a * scale, b: 0 };
  const topic = `game.events.${type === 'hit' ? 'combat' : 'player'}`;
  return {
    topic,
    key: aggregateId,
    value: new EventEncoder(type, form, EPOCH).encode(values),
    timestampMs: EPOCH + tick,
  };
}

async function fill(records: readonly LogRecord[]): Promise<MemoryEventLog> {
  const log = new MemoryEventLog(new LogDisk(), CALM_LINE);
  await log.createTopics(EVENT_TOPICS);
  await log.append(records);
  return log;
}

const MANY = Array.from({ length: 500 }, (_, i) => record(i % 3 === 0 ? 'hit' : 'moved', i % 20, i >> 2, i & 3, i));

test('they come back as they were emitted, in the order of their ids and each once', async () => {
  const seed = 5;
  const random = createRandom(seed);
  const shuffled = [...MANY, ...MANY.slice(100, 200)].sort(() => random() - 0.5);
  const log = await fill(shuffled);
  const { events, cutOff } = await readLoggedEvents(log, query());
  assert.equal(cutOff, undefined);
  assert.deepEqual(
    events.map(({ a }) => a),
    MANY.map((_, i) => i),
    `seed ${seed}`,
  );
  const key = (local: number): number => local + 2 ** 23;
  const [hit, moved] = events;
  const id = { epoch: EPOCH, tick: 0, zone: 3 };
  assert.deepEqual(hit, {
    ...id,
    position: 0,
    type: 1,
    key: key(0),
    otherKey: key(9),
    a: 0,
    b: 0,
  } satisfies LoggedEvent);
  assert.deepEqual(moved, { ...id, position: 1, type: 0, key: key(1), otherKey: undefined, a: 1, b: 0 });
  const late = await readLoggedEvents(log, query({ sinceMs: EPOCH + 120 }));
  assert.ok(late.events.length < events.length && late.events.some(({ tick }) => tick === 124));
});

test('a log without topics, or of other programs, has none', async () => {
  const empty = new MemoryEventLog(new LogDisk(), CALM_LINE);
  assert.deepEqual(await readLoggedEvents(empty, query()), { events: [], cutOff: undefined });
  const [first] = MANY;
  const strange = ['', '\xc1', '\x93\x01\x02\x03', '\x81\xa7eventId\x01', '\xc0'].map((text): LogRecord => {
    return { ...first, value: Buffer.from(text, 'latin1') };
  });
  const log = await fill([...strange, first]);
  assert.equal((await readLoggedEvents(log, query())).events.length, 1);
});

test('what is too much is cut off, and said', async () => {
  const log = await fill(MANY);
  const few = await readLoggedEvents(log, query({ eventsMax: 100 }));
  assert.equal(few.events.length, 100);
  assert.equal(few.cutOff, 'there are more than 100');
  const wanted = await readLoggedEvents(log, query({ eventsMax: 100, isWanted: ({ key }) => key === 2 ** 23 }));
  assert.deepEqual([wanted.events.length, wanted.cutOff], [25, undefined], 'only what is wanted counts');
  const slow = replacing(log, async (options, handler) => {
    await log.replay({ ...options, batchRecordsMax: 10 }, async (batch, signal) => {
      await sleep(30);
      await handler(batch, signal);
    });
  });
  const some = await readLoggedEvents(slow, query({ readMs: 150 }));
  assert.ok(some.events.length > 0 && some.events.length < MANY.length, `${some.events.length}`);
  assert.equal(some.cutOff, '0.15 s were over');
});

function replacing(log: EventLog, replay: EventLog['replay']): EventLog {
  return { createTopics: (topics) => log.createTopics(topics), replay } as EventLog;
}

test('a log that fails on the way is asked again, and what it gave is kept', async () => {
  const log = await fill(MANY);
  let failures = 2;
  const notices: string[] = [];
  const failing = replacing(log, async (options, handler) => {
    await log.replay({ ...options, batchRecordsMax: 10 }, async (batch, signal) => {
      await handler(batch, signal);
      if (failures-- > 0) throw new PersistError('unavailable', 'the broker is gone');
    });
  });
  const { events, cutOff } = await readLoggedEvents(failing, query({ onNotice: (line) => notices.push(line) }));
  assert.deepEqual([events.length, cutOff], [MANY.length, undefined]);
  assert.deepEqual(notices, ['the event log: the broker is gone; asked again']);

  failures = Number.POSITIVE_INFINITY;
  const cut = await readLoggedEvents(failing, query({ readMs: 400 }));
  const count = cut.events.length; // 10 of each attempt
  assert.ok(count >= 10 && count < MANY.length && count % 10 === 0, `${count} events`);
  assert.equal(cut.cutOff, '0.4 s were over, and the log said: the broker is gone');
});

test('what was read before a failure is not asked for again, nor counted twice', async () => {
  const log = await fill(MANY);
  let delivered = 0;
  let isFailing = true;
  const failing = replacing(log, async (options, handler) => {
    await log.replay({ ...options, batchRecordsMax: 10 }, async (batch, signal) => {
      await handler(batch, signal);
      delivered += batch.entries.length;
    });
    if (isFailing) {
      isFailing = false;
      throw new PersistError('unavailable', 'the broker is gone');
    }
  });
  const { events, cutOff } = await readLoggedEvents(failing, query({ eventsMax: MANY.length }));
  assert.equal(cutOff, undefined);
  assert.equal(events.length, MANY.length);
  assert.equal(delivered, MANY.length);
});

test('a log that hangs after its first answer is not waited for', async () => {
  const log = await fill(MANY);
  const hanging = replacing(log, async (options, handler) => {
    await log.replay({ ...options, batchRecordsMax: 10 }, async (batch, signal) => {
      await handler(batch, signal);
      await new Promise(() => {});
    });
  });
  const { events, cutOff } = await readLoggedEvents(hanging, query({ readMs: 200 }));
  assert.deepEqual([events.length, cutOff], [10, '0.2 s were over']);
  await assert.rejects(
    readLoggedEvents(
      replacing(log, () => new Promise(() => {})),
      query(),
    ),
    /^PersistError: no answer in 0.3 s$/,
  );
});
