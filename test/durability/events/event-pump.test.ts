import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { unpack } from 'msgpackr';
import { EVENT_TOPICS } from '../../../src/durability/events/event-form.js';
import { EventLosses } from '../../../src/durability/events/event-losses.js';
import { EventPump } from '../../../src/durability/events/event-pump.js';
import { EVENTS_SPILLING_MAX, EVENTS_WAITING_MAX } from '../../../src/durability/events/limits.js';
import { EVENT_RECORD_BYTES } from '../../../src/memory/limits.js';
import * as R from '../../../src/memory/records/thread-records.js';
import { RecordRing } from '../../../src/memory/rings/record-ring.js';
import { IoCounters } from '../../../src/memory/tables/io-counters.js';
import { openEmbeddedEventLog } from '../../../src/stores/embedded/embedded-event-log.js';
import { type EventLog, PersistError } from '../../../src/stores/store-ports.js';
import { openFolder } from '../../folder.js';
import { PumpStage, SMALL } from './pump-stage.js';

const folder = mkdtempSync(join(tmpdir(), 'tessera-pump-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const CONTEXT = {
  names: ['died', 'bought'],
  forms: { died: { topic: 'combat', a: 'damage', other: 'by' }, bought: { topic: 'economy', b: 'price' } },
  epoch: 5,
  originMs: 1_000_000,
  tickHz: 60,
} as const;

function emit(ring: RecordRing, type: number, entity: number, tick: number, position: number): void {
  const offset = ring.claim();
  assert.ok(offset >= 0);
  ring.view.setUint16(offset + R.EVENT_TYPE, type, true);
  ring.view.setUint16(offset + R.EVENT_ZONE, 2, true);
  ring.view.setInt32(offset + R.EVENT_TICK, tick, true);
  ring.view.setUint32(offset + R.EVENT_ENTITY, entity, true);
  ring.view.setUint32(offset + R.EVENT_OTHER, 9, true);
  ring.view.setFloat64(offset + R.EVENT_A, 20, true);
  ring.view.setFloat64(offset + R.EVENT_B, 3.5, true);
  ring.view.setUint32(offset + R.EVENT_POSITION, position, true);
  ring.publish();
}

interface OutwardEvent {
  eventId: string;
  type: string;
  tick: number;
}

async function readAll(log: EventLog): Promise<Map<string, OutwardEvent[]>> {
  const topics = new Map<string, OutwardEvent[]>();
  await log.replay({ topics: EVENT_TOPICS.map(({ name }) => name) }, async ({ topic, entries }) => {
    topics.set(topic, [...(topics.get(topic) ?? []), ...entries.map(({ value }) => unpack(value) as OutwardEvent)]);
  });
  return topics;
}

function createRing(): RecordRing {
  return new RecordRing(RecordRing.create(16384, EVENT_RECORD_BYTES));
}

test('events reach the topic of their form, with an id made of zone, epoch, tick and position', async () => {
  const log = openEmbeddedEventLog({ folder: join(folder, 'one') });
  await log.createTopics(EVENT_TOPICS);
  const ring = createRing();
  const counters = new IoCounters(IoCounters.create());
  const pump = new EventPump(
    [new RecordRing(ring.view.buffer as SharedArrayBuffer)],
    log,
    CONTEXT,
    new EventLosses(CONTEXT.names, counters, () => {}),
  );
  emit(ring, 0, 7, 60, 0);
  emit(ring, 1, 7 | (3 << 23), 60, 1);
  await pump.flush(Date.now() + 5000, Date.now);
  const topics = await readAll(log);
  await log.close();
  assert.deepEqual(topics.get('game.events.combat'), [
    {
      eventId: '2-5-60-0',
      type: 'died',
      aggregateId: '7.0',
      zoneId: 2,
      tick: 60,
      occurredAt: 1_001_000,
      version: 1,
      payload: { by: '9.0', damage: 20 },
    },
  ]);
  assert.deepEqual(
    topics.get('game.events.economy')?.map(({ eventId, type }) => [eventId, type]),
    [['2-5-60-1', 'bought']],
  );
  assert.equal(counters.get('eventsAppended'), 2);
});

/** A log that refuses while it is down, over a real one. */
function wrap(log: EventLog, isDown: () => boolean): EventLog {
  return new Proxy(log, {
    get: (target, name) => {
      if (name === 'append' && isDown()) {
        return async () => {
          throw new PersistError('unavailable', 'the log is down');
        };
      }
      const value = target[name as keyof EventLog];
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

test('an outage is waited out: order is kept, nothing is lost', async () => {
  const log = openEmbeddedEventLog({ folder: join(folder, 'two') });
  await log.createTopics(EVENT_TOPICS);
  let down = true;
  const ring = createRing();
  const counters = new IoCounters(IoCounters.create());
  const lines: string[] = [];
  const pump = new EventPump(
    [ring],
    wrap(log, () => down),
    CONTEXT,
    new EventLosses(CONTEXT.names, counters, (line) => lines.push(line)),
  );
  let now = 0;
  for (let i = 0; i < 2000; i++) {
    emit(ring, 0, 7, i, 0);
    if (i % 100 === 0) {
      now += 1000;
      pump.run(now);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
  assert.ok(lines.length > 0 && counters.get('appendFailures') > 0, 'it was tried and said');
  down = false;
  await pump.flush(Date.now() + 5000, Date.now);
  const events = (await readAll(log)).get('game.events.combat') ?? [];
  await log.close();
  assert.deepEqual(
    events.map(({ tick }) => tick),
    Array.from({ length: 2000 }, (_, i) => i),
  );
  assert.equal(counters.get('eventsDropped'), 0);
});

test('what waits is bounded: the oldest go, and are counted', async () => {
  const log = openEmbeddedEventLog({ folder: join(folder, 'three') });
  const ring = createRing();
  const counters = new IoCounters(IoCounters.create());
  const pump = new EventPump(
    [ring],
    wrap(log, () => true),
    CONTEXT,
    new EventLosses(CONTEXT.names, counters, () => {}),
  );
  const countMax = EVENTS_WAITING_MAX + EVENTS_SPILLING_MAX;
  const total = countMax + 1000;
  for (let i = 0; i < total; i++) {
    emit(ring, 0, 7, i, 0);
    if (i % 10000 === 9999) pump.run(0);
  }
  pump.run(0);
  assert.equal(counters.get('eventsWaiting'), countMax);
  assert.equal(counters.get('eventsDropped'), 1000);
  await log.close();
});

test('the end tells how many events neither the log nor the disk took', async (t) => {
  const stage = new PumpStage(openFolder(t), undefined);
  await stage.emitAll(0, 100);
  stage.state = 'down';
  stage.spoolGate = Promise.reject(new PersistError('full', 'no room'));
  stage.spoolGate.catch(() => {});
  for (let n = 100; n < 130; n++) stage.emit(n);
  await stage.beat();
  for (let n = 130; n < 150; n++) stage.emit(n);
  assert.equal(await stage.pump.flush(Date.now() + 200, Date.now), 50);
  assert.equal(stage.counters.get('eventsDropped'), 50);
  assert.match(stage.lines.join('\n'), /50 events were not taken before the end, and are lost \(no room\)/);
  await stage.spool.close();
});

test('what the log refuses for good at the end is no loss of the stop, and what is on the disk is kept', async (t) => {
  const stage = new PumpStage(openFolder(t), undefined);
  stage.state = 'down';
  for (let n = 0; n < 30; n++) stage.emit(n);
  assert.equal(await stage.pump.flush(Date.now() + 200, Date.now), 0);
  assert.equal(stage.spool.eventCount, 30);
  await stage.spool.close();
  const counters = new IoCounters(IoCounters.create());
  const ring = createRing();
  emit(ring, 0, 7, 1, 0);
  const log = { append: async () => Promise.reject(new PersistError('rejected', 'too large')) } as unknown as EventLog;
  const pump = new EventPump([ring], log, CONTEXT, new EventLosses(CONTEXT.names, counters, () => {}));
  assert.equal(await pump.flush(Date.now() + 200, Date.now), 0);
  assert.equal(counters.get('eventsRefused'), 1);
});

test('whole batches that wait go one after the other, without a beat between them', async (t) => {
  const stage = new PumpStage(openFolder(t), undefined);
  for (let n = 0; n < 3 * SMALL.perAppendMax; n++) stage.emit(n);
  stage.pump.run(10000);
  for (let n = 0; n < 50; n++) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(stage.counters.get('eventsAppended'), 3 * SMALL.perAppendMax);
  await stage.spool.close();
});

test('the end also brings what is on the disk to a log that takes it', async (t) => {
  const stage = new PumpStage(openFolder(t), undefined);
  stage.state = 'down';
  await stage.emitAll(0, 300);
  assert.equal(stage.spool.eventCount, 300);
  stage.state = 'up';
  assert.equal(await stage.pump.flush(Date.now() + 5000, Date.now), 0);
  assert.deepEqual([stage.spool.eventCount, stage.counters.get('eventsAppended')], [0, 300]);
  assert.doesNotMatch(stage.lines.join('\n'), /stay on the disk/);
  await stage.spool.close();
});
