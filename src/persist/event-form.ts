// The outward form of an event: from a record of fixed layout to a MessagePack map under a key.

import type { EventForm } from '../memory/records.js';
import * as R from '../memory/records.js';
import { formatPlain } from '../protocol/plain-codec.js';
import { entityName } from './entity-name.js';
import type { LogRecord, TopicSpec } from './ports.js';

const EVENT_VERSION = 1;
const TOPIC_PREFIX = 'game.events.';
const TOPIC_PARTITIONS = 4;
const TOPICS = ['player', 'combat', 'economy', 'match'] as const;

export const EVENT_TOPICS: readonly TopicSpec[] = TOPICS.map((topic) => ({
  name: TOPIC_PREFIX + topic,
  partitions: TOPIC_PARTITIONS,
}));

export interface EventContext {
  names: readonly string[];
  forms: Readonly<Record<string, EventForm>>;
  /** Tells the runs of one world apart. */
  epoch: number;
  originMs: number;
  tickHz: number;
}

/** An event on its way to the log, with what is asked of it until it is there. */
export interface EventRecord extends LogRecord {
  type: string;
  isLow: boolean;
}

export function formEvent(view: DataView, offset: number, context: EventContext): EventRecord {
  const { names, forms, epoch, originMs, tickHz } = context;
  const name = names[view.getUint16(offset + R.EVENT_TYPE, true)] ?? 'unknown';
  const form = forms[name] ?? {};
  const zoneId = view.getUint16(offset + R.EVENT_ZONE, true);
  const tick = view.getInt32(offset + R.EVENT_TICK, true);
  const aggregateId = entityName(view.getUint32(offset + R.EVENT_ENTITY, true));
  const payload: Record<string, string | number> = {};
  if (form.other !== undefined) payload[form.other] = entityName(view.getUint32(offset + R.EVENT_OTHER, true));
  const scale = form.scale ?? 1;
  if (form.a !== undefined) payload[form.a] = view.getFloat64(offset + R.EVENT_A, true) * scale;
  if (form.b !== undefined) payload[form.b] = view.getFloat64(offset + R.EVENT_B, true) * scale;
  const occurredAt = Math.round(originMs + (tick * 1000) / tickHz);
  const value = formatPlain('msgpack', {
    eventId: `${zoneId}-${epoch}-${tick}-${view.getUint32(offset + R.EVENT_POSITION, true)}`,
    type: name,
    aggregateId,
    zoneId,
    tick,
    occurredAt,
    version: EVENT_VERSION,
    payload,
  }) as Uint8Array;
  const topic = TOPIC_PREFIX + (form.topic ?? 'player');
  return { topic, key: aggregateId, value, timestampMs: occurredAt, type: name, isLow: form.value === 'low' };
}
