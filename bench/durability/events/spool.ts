// A long outage of the log: more events than memory holds go through the real pump to the disk, and from there to a log
// that answers again. Then the log is read, and every event must be there once, in the order of its key.

import { randomUUID } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync, statfsSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import type { EventContext } from '../../../src/durability/events/event-form.js';
import { EventLosses } from '../../../src/durability/events/event-losses.js';
import { EventPump } from '../../../src/durability/events/event-pump.js';
import { EventSpool } from '../../../src/durability/events/event-spool.js';
import { EVENTS_SPILLING_MAX, EVENTS_WAITING_MAX, SPOOL_BYTES_MAX } from '../../../src/durability/events/limits.js';
import { EVENT_RECORD_BYTES, EVENT_RING_RECORDS } from '../../../src/memory/limits.js';
import * as R from '../../../src/memory/records/thread-records.js';
import { RecordRing } from '../../../src/memory/rings/record-ring.js';
import { IoCounters } from '../../../src/memory/tables/io-counters.js';
import { parseTrusted } from '../../../src/protocol/plain/plain-codec.js';
import { Progress, say } from '../../../src/server/cli/progress.js';
import { openEmbeddedEventLog } from '../../../src/stores/embedded/embedded-event-log.js';
import { openKafkaEventLog } from '../../../src/stores/kafka/kafka-event-log.js';
import { type EventLog, PersistError } from '../../../src/stores/store-ports.js';
import { openKafkaProxy } from '../../faults/kafka-proxy.js';
import type { Scenario, ScenarioValues } from '../../scenario.js';

const TICK_HZ = 60;
/** 20,000 events per second. */
const PER_TICK = 333;
const KEYS = 2000;
/** One event in so many is of low value. */
const LOW_EVERY = 4;
const EVENTS_PER_TURN = 2000;
/** What one event takes on the disk, at most: once in the spool, once in the log. */
const SPOOL_EVENT_BYTES = 220;
const DISK_SPARE_BYTES = 2 ** 30;
const PARTITIONS = 4;
const KAFKA_FORM = /^([\w.-]+):(\d+)$/;
const MIB = 2 ** 20;

export const scenario: Scenario = {
  name: 'spool',
  summary: 'ten minutes of events at 20,000/s without a log: to the disk, into a log that answers again, and read back',
  options: [
    { name: 'events', value: 12000000, min: 1000, max: 13000000, about: 'in all' },
    { name: 'log', value: 'embedded', choices: ['embedded', 'kafka'], about: 'where they go in the end' },
  ],
  findProblems: (values) => [...findDiskProblems(values), ...findLogProblems(values)],
  async run(values, signal) {
    const folder = mkdtempSync(join(tmpdir(), 'tessera-spool-'));
    const remove = (): void => rmSync(folder, { recursive: true, force: true });
    process.on('exit', remove);
    try {
      const target = values.log === 'kafka' ? await openKafka() : await openEmbedded(folder);
      try {
        await new SpoolRun(folder, target, Number(values.events), signal).run();
      } finally {
        await target.close();
      }
    } finally {
      process.off('exit', remove);
      remove();
    }
  },
};

function findDiskProblems({ events, log }: ScenarioValues): string[] {
  const { bavail, bsize } = statfsSync(tmpdir());
  const wanted = Number(events) * SPOOL_EVENT_BYTES * (log === 'kafka' ? 1 : 2) + DISK_SPARE_BYTES;
  if (bavail * bsize >= wanted) return [];
  const inMiB = (bytes: number): number => Math.ceil(bytes / MIB);
  return [
    `${tmpdir()} has ${inMiB(bavail * bsize)} MiB free, and ${inMiB(wanted)} are needed; TMPDIR names another folder`,
  ];
}

function findLogProblems({ log }: ScenarioValues): string[] {
  if (log !== 'kafka' || KAFKA_FORM.test(process.env.TESSERA_KAFKA ?? '')) return [];
  return ['--log kafka needs TESSERA_KAFKA, such as 127.0.0.1:9092; a topic of all the events stays there'];
}

/** A log that can be away. */
interface Target {
  log: EventLog;
  topic: string;
  leave(): Promise<void>;
  return(): Promise<void>;
  close(): Promise<void>;
}

/** The embedded log is never away by itself: a switch stands before it. */
async function openEmbedded(folder: string): Promise<Target> {
  const log = openEmbeddedEventLog({ folder: join(folder, 'log'), retentionBytes: Number.MAX_SAFE_INTEGER });
  const topic = 'spool';
  await log.createTopics([{ name: `game.events.${topic}`, partitions: PARTITIONS }]);
  let isAway = false;
  const append: EventLog['append'] = async (records) => {
    if (isAway) throw new PersistError('unavailable', 'the log is away');
    await log.append(records);
  };
  const replay: EventLog['replay'] = (options, handler) => log.replay(options, handler);
  const set = (away: boolean) => async (): Promise<void> => {
    isAway = away;
  };
  return { log: { append, replay } as EventLog, topic, leave: set(true), return: set(false), close: () => log.close() };
}

async function openKafka(): Promise<Target> {
  const [, host, port] = KAFKA_FORM.exec(process.env.TESSERA_KAFKA as string) as RegExpExecArray;
  const { proxy, address } = await openKafkaProxy(host, Number(port));
  const log = openKafkaEventLog({ brokers: [address] });
  const topic = `spool-${randomUUID()}`;
  await log.createTopics([{ name: `game.events.${topic}`, partitions: PARTITIONS }]);
  say(`topic game.events.${topic} stays in Kafka: delete it when it is not wanted`);
  const close = async (): Promise<void> => {
    await log.close();
    await proxy.close();
  };
  return { log, topic, leave: () => proxy.shut(), return: () => proxy.reopen(), close };
}

class SpoolRun {
  private readonly counters = new IoCounters(IoCounters.create());
  private readonly ring = new RecordRing(RecordRing.create(EVENT_RING_RECORDS, EVENT_RECORD_BYTES));
  private readonly losses: EventLosses;
  private readonly spool: EventSpool;
  private readonly pump: EventPump;
  private emitted = 0;
  private rssMost = 0;
  private heapMost = 0;
  private diskMost = 0;

  constructor(
    private readonly folder: string,
    private readonly target: Target,
    private readonly events: number,
    private readonly signal: AbortSignal,
  ) {
    const { topic, log } = target;
    const form = { topic: topic as 'player', a: 'n' };
    const context: EventContext = {
      names: ['kept', 'low'],
      forms: { kept: form, low: { ...form, value: 'low' } },
      epoch: 1,
      originMs: Date.now() - (events / PER_TICK / TICK_HZ) * 1000,
      tickHz: TICK_HZ,
    };
    this.losses = new EventLosses(context.names, this.counters, say);
    this.spool = new EventSpool(join(folder, 'spool'), SPOOL_BYTES_MAX, this.losses);
    // The bound on draining spares the rings of a running game; none runs here.
    const limits = { drainPerSecond: Number.MAX_SAFE_INTEGER };
    this.pump = new EventPump([this.ring], log, context, this.losses, this.spool, limits);
  }

  async run(): Promise<void> {
    await this.target.leave();
    const emitting = await this.timed(
      'to disk',
      () => this.emitted,
      () => this.emitAll(),
    );
    const spoolBytes = this.counters.get('spoolBytes');
    const spoolEvents = this.counters.get('spoolEvents');
    await this.target.return();
    const draining = await this.timed(
      'to the log',
      () => this.counters.get('eventsAppended'),
      () => this.drain(),
    );
    await this.spool.close();
    const found = new Found(this.events);
    const reading = await this.timed(
      'read back',
      () => found.count,
      () => this.readBack(found),
    );
    const { counters } = this;
    const [dropped, lowDropped] = [counters.get('eventsDropped'), counters.eventTypesDropped[1]];
    const rate = ({ count, seconds }: Timed): string => `${Math.round(count / seconds).toLocaleString('en-US')}/s`;
    const lines = [
      `${this.emitted} events emitted; ${spoolEvents} on the disk in ${mib(spoolBytes)} MiB (${(spoolBytes / Math.max(1, spoolEvents)).toFixed(0)} bytes each)`,
      `to the disk ${rate(emitting)}, to the log ${rate(draining)}, read back ${rate(reading)}`,
      `memory at most ${mib(this.heapMost)} MiB of heap and buffers, ${mib(this.rssMost)} MiB with the files it maps; files at most ${mib(this.diskMost)} MiB`,
      `dropped: ${dropped - lowDropped} of value, ${lowDropped} of low value; ${counters.get('spoolFailures')} failures of the spool`,
      `in the log: ${found.unique} different events, ${found.count - found.unique} of them again, ${found.disordered} out of order within their key`,
    ];
    const isWhole = found.unique + dropped === this.emitted && dropped === lowDropped && found.disordered === 0;
    lines.push(
      this.signal.aborted
        ? 'stopped before its end'
        : isWhole
          ? 'nothing of value was lost'
          : 'EVENTS ARE MISSING OR OUT OF ORDER',
    );
    process.stdout.write(`${lines.join('\n')}\n`);
    if (!isWhole && !this.signal.aborted) throw new Error('not all that was emitted is in the log');
  }

  private async timed(label: string, count: () => number, work: () => Promise<void>): Promise<Timed> {
    const progress = new Progress(label, this.events);
    const beganMs = performance.now();
    const look = (): void => {
      const { rss, heapTotal, external } = process.memoryUsage();
      this.rssMost = Math.max(this.rssMost, rss);
      this.heapMost = Math.max(this.heapMost, heapTotal + external);
      this.diskMost = Math.max(this.diskMost, folderBytes(this.folder));
      progress.update(count(), '');
    };
    const timer = setInterval(look, 500);
    try {
      await work();
    } finally {
      clearInterval(timer);
      look();
      progress.stop();
    }
    return { count: count(), seconds: Math.max(0.001, (performance.now() - beganMs) / 1000) };
  }

  /** As fast as the disk takes them: a game does not wait, but nor is it this fast. */
  private async emitAll(): Promise<void> {
    while (this.emitted < this.events && !this.signal.aborted) {
      const limit = Math.min(this.events, this.emitted + EVENTS_PER_TURN);
      while (this.emitted < limit) this.emit(this.emitted++);
      this.ring.publish();
      this.pump.run(Date.now());
      do await turn();
      while (this.mustWait());
    }
  }

  private mustWait(): boolean {
    if (this.counters.get('eventsWaiting') < EVENTS_WAITING_MAX + EVENTS_SPILLING_MAX / 2) return false;
    this.pump.run(Date.now());
    return true;
  }

  private emit(n: number): void {
    const { view } = this.ring;
    const offset = this.ring.claim();
    if (offset < 0) throw new Error('the ring is full');
    view.setUint16(offset + R.EVENT_TYPE, n % LOW_EVERY === 0 ? 1 : 0, true);
    view.setUint16(offset + R.EVENT_ZONE, 0, true);
    view.setInt32(offset + R.EVENT_TICK, Math.floor(n / PER_TICK), true);
    view.setUint32(offset + R.EVENT_ENTITY, keyOf(n), true);
    view.setUint32(offset + R.EVENT_POSITION, n % PER_TICK, true);
    view.setFloat64(offset + R.EVENT_A, n, true);
  }

  private async drain(): Promise<void> {
    while (!(this.spool.isEmpty && this.counters.get('eventsWaiting') === 0) && !this.signal.aborted) {
      this.pump.run(Date.now());
      await sleep(1);
    }
  }

  private async readBack(found: Found): Promise<void> {
    await this.target.log
      .replay({ topics: [`game.events.${this.target.topic}`] }, async ({ entries }) => {
        // An error is the only way to end a replay.
        if (this.signal.aborted) throw new Error('stopped');
        for (const { key, value } of entries) found.take(key, value);
      })
      .catch((error: Error) => {
        if (!this.signal.aborted) throw error;
      });
  }
}

interface Timed {
  count: number;
  seconds: number;
}

/** What the log holds: which of the events, by a bit each, and the last one of each key. */
export class Found {
  count = 0;
  unique = 0;
  disordered = 0;
  private readonly bits: Uint8Array;
  private readonly lastOf = new Map<string, number>();

  constructor(private readonly events: number) {
    this.bits = new Uint8Array(Math.ceil(events / 8));
  }

  take(key: string, value: Uint8Array): void {
    const { eventId, payload } = parseTrusted('msgpack', value) as { eventId: string; payload: { n: number } };
    const [, , tick, position] = eventId.split('-').map(Number);
    const n = tick * PER_TICK + position;
    if (payload.n !== n || n >= this.events || key !== `${keyOf(n)}.0`)
      throw new Error(`${eventId} of ${key} is no event of this run`);
    this.count++;
    const bit = 1 << (n & 7);
    // A copy of one that is known says nothing about the order.
    if ((this.bits[n >> 3] & bit) !== 0) return;
    this.bits[n >> 3] |= bit;
    this.unique++;
    if (n < (this.lastOf.get(key) ?? -1)) this.disordered++;
    this.lastOf.set(key, n);
  }
}

function keyOf(n: number): number {
  return n % KEYS;
}

function mib(bytes: number): string {
  return Math.round(bytes / MIB).toLocaleString('en-US');
}

function folderBytes(folder: string): number {
  let bytes = 0;
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    const { blocks } = statSync(join(folder, name), { throwIfNoEntry: false }) ?? { blocks: 0 };
    bytes += blocks * 512;
  }
  return bytes;
}
