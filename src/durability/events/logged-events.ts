// Reads events back from the log, from a time on: what formEvent made of a record, undone. A log that does not answer is
// asked again for a while; a long one is read for so long, and up to so many events.

import { setImmediate as breathe } from 'node:timers/promises';
import { nowMs } from '../../base/clock.js';
import type { EventForm } from '../../game/event-form.js';
import { parseTrusted } from '../../protocol/plain/plain-codec.js';
import { Backoff, pause } from '../../stores/deadline.js';
import { type EventLog, type LogBatch, type NoticeListener, PersistError } from '../../stores/store-ports.js';
import { keyOfName } from '../entity-name.js';
import { EVENT_VERSION } from './event-encoder.js';
import { topicsOf } from './event-form.js';
import { LOG_BREATH_MS, LOG_LOOK_MS, LOG_PROGRESS_MS, LOG_RETRY_MS_MAX, LOG_RETRY_MS_MIN } from './limits.js';

/** Epoch, tick, zone and position are its id. */
export interface LoggedEvent {
  epoch: number;
  tick: number;
  zone: number;
  position: number;
  /** Index of the names. */
  type: number;
  /** Of the entity that it is about. */
  key: number;
  /** Undefined: its form has no name for another one. */
  otherKey: number | undefined;
  a: number;
  b: number;
}

export interface LoggedEventsQuery {
  names: readonly string[];
  forms: Readonly<Record<string, EventForm>>;
  sinceMs: number;
  /** Others are not kept. */
  isWanted: (event: LoggedEvent) => boolean;
  limits: ReadingLimits;
  onNotice: NoticeListener;
}

export interface ReadingLimits {
  /** How long a log that does not answer is asked. */
  waitMs: number;
  /** How long it is read, from its first answer on. */
  readMs: number;
  /** How many are kept. */
  eventsMax: number;
}

export interface LoggedEvents {
  /** In the order of their ids, each once. */
  events: LoggedEvent[];
  /** Why these are not all; undefined: they are. */
  cutOff: string | undefined;
}

/** Rejects where the log gave nothing at all. */
export async function readLoggedEvents(log: EventLog, query: LoggedEventsQuery): Promise<LoggedEvents> {
  const reading = new Reading(query);
  const looking = setInterval(() => reading.look(), LOG_LOOK_MS);
  try {
    await Promise.race([reading.run(log), reading.over]); // a call that is stuck is left behind, and ends by itself
  } finally {
    clearInterval(looking);
    reading.close();
  }
  if (!reading.isAnswered) throw reading.failure;
  return { events: inOrder(reading.events), cutOff: reading.cutOff };
}

interface TypeForm extends EventForm {
  type: number;
}

class Reading {
  isAnswered = false;
  /** Why it gave nothing. */
  failure: Error;
  cutOff: string | undefined;
  readonly events: LoggedEvent[] = [];
  /** Resolves when the reading is not to go on. */
  readonly over: Promise<void>;
  private readonly stop = new AbortController();
  private readonly types = new Map<string, TypeForm>();
  /** By topic and partition, behind what has been read: an attempt after a failure goes on from there. */
  private readonly nextOffsets = new Map<string, number>();
  private deadlineMs: number;
  private breathMs = 0;
  private toldMs = nowMs();
  private read = 0;
  private lastError = '';

  constructor(private readonly query: LoggedEventsQuery) {
    const { names, forms, limits } = query;
    for (const [type, name] of names.entries()) this.types.set(name, { ...forms[name], type });
    this.deadlineMs = nowMs() + limits.waitMs;
    this.failure = new PersistError('timeout', `no answer in ${limits.waitMs / 1000} s`);
    this.over = new Promise((resolve) => {
      this.stop.signal.addEventListener('abort', () => resolve(), { once: true });
    });
  }

  async run(log: EventLog): Promise<void> {
    const topics = topicsOf(this.query);
    const { signal } = this.stop;
    const backoff = new Backoff(LOG_RETRY_MS_MIN, LOG_RETRY_MS_MAX);
    while (!signal.aborted) {
      try {
        await log.createTopics(topics); // where they are missing there are no events, and that is an answer
        await this.readAll(log, topics);
        this.isAnswered = true;
        return;
      } catch (error) {
        this.failed(error as Error);
      }
      backoff.failed();
      await pause(backoff.pauseMs, signal);
    }
  }

  /** A stuck log does not call anybody: whether time is over is looked after from outside too. */
  look(): void {
    const atMs = nowMs();
    const { readMs } = this.query.limits;
    if (atMs > this.deadlineMs) this.cut(`${readMs / 1000} s were over${this.lastError}`);
    if (atMs - this.toldMs < LOG_PROGRESS_MS || !this.isAnswered) return;
    this.toldMs = atMs;
    this.query.onNotice(`${this.read} events of the log are read`);
  }

  close(): void {
    this.stop.abort();
  }

  private async readAll(log: EventLog, topics: readonly { name: string }[]): Promise<void> {
    const { sinceMs } = this.query;
    const names = topics.map(({ name }) => name);
    const from = (topic: string, partition: number): number => this.nextOffsets.get(`${topic}/${partition}`) ?? 0;
    const handle = (batch: LogBatch): Promise<void> => this.takeBatch(batch);
    await log.replay({ topics: names, from, sinceMs, signal: this.stop.signal }, handle);
  }

  private async takeBatch({ topic, partition, entries }: LogBatch): Promise<void> {
    if (this.stop.signal.aborted) return;
    if (!this.isAnswered) {
      this.isAnswered = true;
      this.deadlineMs = nowMs() + this.query.limits.readMs;
    }
    for (const { value } of entries) {
      const event = this.decode(value);
      if (event === undefined || !this.query.isWanted(event)) continue;
      if (this.events.length >= this.query.limits.eventsMax) {
        this.cut(`there are more than ${this.query.limits.eventsMax}`);
        return;
      }
      this.events.push(event);
    }
    this.read += entries.length;
    this.nextOffsets.set(`${topic}/${partition}`, entries[entries.length - 1].offset + 1);
    this.look();
    if (nowMs() - this.breathMs < LOG_BREATH_MS) return;
    await breathe();
    this.breathMs = nowMs();
  }

  private failed(error: Error): void {
    if (!(error instanceof PersistError && error.retriable)) {
      if (!this.isAnswered) this.failure = error;
      this.cut(error.message);
      return;
    }
    const lastError = `, and the log said: ${error.message}`;
    if (this.lastError !== lastError) this.query.onNotice(`the event log: ${error.message}; asked again`);
    this.lastError = lastError;
    this.failure = error;
  }

  private cut(reason: string): void {
    if (this.stop.signal.aborted) return;
    this.cutOff = reason;
    this.stop.abort();
  }

  /** Undefined where it is none of a zone, or of a type that there is no more. */
  private decode(value: Uint8Array): LoggedEvent | undefined {
    let found: Partial<Record<string, unknown>>;
    try {
      found = parseTrusted('msgpack', value) as typeof found;
    } catch {
      return undefined; // somebody else's: what the log delivers is whole
    }
    if (typeof found !== 'object' || found === null) return undefined;
    const { eventId, type, aggregateId, version } = found;
    const form = this.types.get(String(type));
    const id = /^(\d+)-(\d+)-(\d+)-(\d+)$/.exec(String(eventId));
    const key = keyOfName(String(aggregateId));
    if (form === undefined || id === null || key === undefined || version !== EVENT_VERSION) return undefined;
    const payload = (found.payload ?? {}) as Partial<Record<string, unknown>>;
    const scale = form.scale ?? 1;
    const number = (name: string | undefined): number => (name === undefined ? 0 : Number(payload[name]) / scale);
    return {
      zone: Number(id[1]),
      epoch: Number(id[2]),
      tick: Number(id[3]),
      position: Number(id[4]),
      type: form.type,
      key,
      otherKey: form.other === undefined ? undefined : keyOfName(String(payload[form.other])),
      a: number(form.a),
      b: number(form.b),
    };
  }
}

/** Each partition comes in its own order, and a part of it may be in the log twice. */
function inOrder(events: LoggedEvent[]): LoggedEvent[] {
  events.sort(compareIds);
  return events.filter((event, index) => index === 0 || compareIds(events[index - 1], event) !== 0);
}

function compareIds(a: LoggedEvent, b: LoggedEvent): number {
  return a.epoch - b.epoch || a.tick - b.tick || a.zone - b.zone || a.position - b.position;
}
