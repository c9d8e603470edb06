// The outward form of an event: from a record of fixed layout to a MessagePack map under a key.

import type { EventForm } from '../../game/event-form.js';
import * as R from '../../memory/records/thread-records.js';
import type { LogRecord, TopicSpec } from '../../stores/store-ports.js';
import { entityName } from '../entity-name.js';
import { EventEncoder } from './event-encoder.js';
import { EVENT_NAMES_KEPT_MAX } from './limits.js';

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

/** What all events of one type have in common. */
interface TypeForm {
  name: string;
  topic: string;
  isLow: boolean;
  scale: number;
  hasOther: boolean;
  encoder: EventEncoder;
}

const typeForms = new WeakMap<EventContext, TypeForm[]>();

export function formEvent(view: DataView, offset: number, context: EventContext): EventRecord {
  const form = findForm(context, view.getUint16(offset + R.EVENT_TYPE, true));
  const tick = view.getInt32(offset + R.EVENT_TICK, true);
  const occurredAt = Math.round(context.originMs + (tick * 1000) / context.tickHz);
  const aggregateId = findName(view.getUint32(offset + R.EVENT_ENTITY, true));
  const value = form.encoder.encode({
    zoneId: view.getUint16(offset + R.EVENT_ZONE, true),
    tick,
    position: view.getUint32(offset + R.EVENT_POSITION, true),
    aggregateId,
    occurredAt,
    other: form.hasOther ? findName(view.getUint32(offset + R.EVENT_OTHER, true)) : '',
    a: view.getFloat64(offset + R.EVENT_A, true) * form.scale,
    b: view.getFloat64(offset + R.EVENT_B, true) * form.scale,
  });
  return { topic: form.topic, key: aggregateId, value, timestampMs: occurredAt, type: form.name, isLow: form.isLow };
}

function findForm(context: EventContext, type: number): TypeForm {
  let forms = typeForms.get(context);
  if (forms === undefined) {
    forms = [];
    typeForms.set(context, forms);
  }
  forms[type] ??= makeForm(context, type);
  return forms[type];
}

/** The topics that a game's events go to. */
export function topicsOf({ names, forms }: Pick<EventContext, 'names' | 'forms'>): TopicSpec[] {
  const topics = new Set(names.map((name) => TOPIC_PREFIX + (forms[name]?.topic ?? 'player')));
  return EVENT_TOPICS.filter(({ name }) => topics.has(name));
}

function makeForm({ names, forms, epoch }: EventContext, type: number): TypeForm {
  const name = names[type] ?? 'unknown';
  const form = forms[name] ?? {};
  return {
    name,
    topic: TOPIC_PREFIX + (form.topic ?? 'player'),
    isLow: form.value === 'low',
    scale: form.scale ?? 1,
    hasOther: form.other !== undefined,
    encoder: new EventEncoder(name, form, epoch),
  };
}

const keptNames = new Map<number, string>();

function findName(key: number): string {
  let name = keptNames.get(key);
  if (name === undefined) {
    if (keptNames.size >= EVENT_NAMES_KEPT_MAX) keptNames.clear();
    name = entityName(key);
    keptNames.set(key, name);
  }
  return name;
}
