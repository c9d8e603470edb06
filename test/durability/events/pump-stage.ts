// One run of an event pump with its spool, over a log behind a switch. Event n happens in tick n to entity n % KEYS; its
// type is n % 3.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { unpack } from 'msgpackr';
import { EVENT_TOPICS, type EventContext } from '../../../src/durability/events/event-form.js';
import { EventLosses } from '../../../src/durability/events/event-losses.js';
import { EventPump, type PumpLimits } from '../../../src/durability/events/event-pump.js';
import { EventSpool } from '../../../src/durability/events/event-spool.js';
import { SPOOL_BYTES_MAX } from '../../../src/durability/events/limits.js';
import { EVENT_RECORD_BYTES } from '../../../src/memory/limits.js';
import * as R from '../../../src/memory/records/thread-records.js';
import { RecordRing } from '../../../src/memory/rings/record-ring.js';
import { IoCounters } from '../../../src/memory/tables/io-counters.js';
import { type EventLog, PersistError } from '../../../src/stores/store-ports.js';

export const KEYS = 7;
export const NAMES = ['died', 'bought', 'moved'];
export const FORMS = {
  died: { topic: 'combat' },
  bought: { topic: 'economy' },
  moved: { topic: 'combat', value: 'low' },
} as const;
export const CONTEXT: EventContext = { names: NAMES, forms: FORMS, epoch: 5, originMs: 1_000_000, tickHz: 60 };
export const SMALL: PumpLimits = { waitingMax: 1000, spillingMax: 1000, perAppendMax: 100, drainPerSecond: 1e9 };

/** Down: refuses. Hanging: takes what it is given, and never says so. */
export type LogState = 'up' | 'down' | 'hanging';

export class PumpStage {
  readonly counters = new IoCounters(IoCounters.create());
  readonly lines: string[] = [];
  readonly losses = new EventLosses(NAMES, this.counters, (line) => this.lines.push(line));
  readonly spool: EventSpool;
  readonly pump: EventPump;
  private readonly ring = new RecordRing(RecordRing.create(16384, EVENT_RECORD_BYTES));
  state: LogState = 'up';
  nowMs = 0;
  /** Answers of the log and writes of the spool wait for these. */
  logGate: Promise<void> = Promise.resolve();
  spoolGate: Promise<void> = Promise.resolve();

  constructor(
    folder: string,
    log: EventLog | undefined,
    limits: Partial<PumpLimits> = {},
    bytesMax = SPOOL_BYTES_MAX,
    context = CONTEXT,
  ) {
    this.spool = new EventSpool(join(folder, 'spool'), bytesMax, this.losses);
    const write = this.spool.write.bind(this.spool);
    this.spool.write = async (events, where) => {
      await this.spoolGate;
      return write(events, where);
    };
    this.pump = new EventPump([this.ring], this.wrap(log), context, this.losses, this.spool, { ...SMALL, ...limits });
  }

  private wrap(log: EventLog | undefined): EventLog {
    const append: EventLog['append'] = async (records) => {
      await this.logGate;
      if (this.state === 'down') throw new PersistError('unavailable', 'the log is down');
      await log?.append(records);
      if (this.state === 'hanging') await new Promise(() => {});
    };
    return { append } as EventLog;
  }

  emit(n: number, type = n % NAMES.length): void {
    const offset = this.ring.claim();
    assert.ok(offset >= 0);
    this.ring.view.setUint16(offset + R.EVENT_TYPE, type, true);
    this.ring.view.setInt32(offset + R.EVENT_TICK, n, true);
    this.ring.view.setUint32(offset + R.EVENT_ENTITY, n % KEYS, true);
    this.ring.publish();
  }

  get underWay(): Record<'appending' | 'spilling', Promise<void> | undefined> {
    return this.pump as unknown as Record<'appending' | 'spilling', Promise<void> | undefined>;
  }

  /** One beat, and what it began comes to its end unless the log hangs. */
  async beat(): Promise<void> {
    this.nowMs += 10000;
    this.pump.run(this.nowMs);
    const { appending } = this.underWay;
    while (this.underWay.spilling !== undefined) await this.underWay.spilling;
    if (this.state !== 'hanging') await appending;
  }

  async emitAll(from: number, limit: number, perBeat = 100): Promise<void> {
    for (let n = from; n < limit; ) {
      for (let i = 0; i < perBeat && n < limit; i++) this.emit(n++);
      await this.beat();
    }
  }

  /** Until the log has all of it. */
  async drain(): Promise<void> {
    for (let beats = 0; this.counters.get('eventsWaiting') > 0 || !this.spool.isEmpty; beats++) {
      assert.ok(beats < 10000, 'the spool does not drain');
      await this.beat();
    }
  }

  /** As a graceful stop does; `graceMs` for the log. */
  async stop(graceMs = 5000): Promise<void> {
    await this.pump.flush(Date.now() + graceMs, Date.now);
    await this.spool.close();
  }
}

/** The numbers of all events of the log, in order within each key of a topic. */
export async function readNumbers(
  log: EventLog,
  topics = EVENT_TOPICS.map(({ name }) => name),
): Promise<{ numbers: number[]; lists: number[][] }> {
  const lists = new Map<string, number[]>();
  await log.replay({ topics }, async ({ topic, entries }) => {
    for (const { key, value } of entries) {
      const place = `${topic} ${key}`;
      const list = lists.get(place) ?? [];
      lists.set(place, list);
      list.push((unpack(value) as { tick: number }).tick);
    }
  });
  return { numbers: [...lists.values()].flat().sort((a, b) => a - b), lists: [...lists.values()] };
}

export function range(from: number, limit: number): number[] {
  return Array.from({ length: limit - from }, (_, i) => from + i);
}
