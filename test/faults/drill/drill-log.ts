// What the event log of a data folder holds while no server runs, and whether that is what it may hold.

import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { unpack } from 'msgpackr';
import { EVENT_TOPICS } from '../../../src/durability/events/event-form.js';
import { openEmbeddedEventLog } from '../../../src/stores/embedded/embedded-event-log.js';

export interface LoggedEvent {
  eventId: string;
  /** Topic, partition and offset. */
  place: string;
  /** Topic and key: records of one keep their order. */
  orderedBy: string;
  epoch: number;
  tick: number;
  hash: string;
}

export async function readEvents(folder: string): Promise<LoggedEvent[]> {
  const log = openEmbeddedEventLog({ folder: join(folder, 'stores', 'log') });
  const events: LoggedEvent[] = [];
  try {
    await log.replay({ topics: EVENT_TOPICS.map(({ name }) => name) }, async ({ topic, partition, entries }) => {
      for (const { key, value, offset } of entries) {
        const { eventId, tick } = unpack(value) as { eventId: string; tick: number };
        const hash = createHash('sha1').update(value).digest('base64');
        const epoch = Number(eventId.split('-')[1]);
        const place = `${topic}/${partition}/${offset}`;
        events.push({ eventId, place, orderedBy: `${topic}/${key}`, epoch, tick, hash });
      }
    });
  } finally {
    await log.close();
  }
  return events;
}

/**
 * What is wrong with what the log holds now. `before`: what it held when it was read last; `acknowledged`: how many more
 * the server had been told are safe.
 */
export function findLogFaults(
  before: readonly LoggedEvent[],
  now: readonly LoggedEvent[],
  acknowledged: number,
): string[] {
  const faults: string[] = [];
  const byPlace = new Map(now.map((event) => [event.place, event]));
  for (const { place, eventId, hash } of before) {
    if (byPlace.get(place)?.hash !== hash) faults.push(`event ${eventId} at ${place} is gone or another one`);
  }
  const added = now.length - before.length;
  if (added < acknowledged) faults.push(`${acknowledged} events were acknowledged, and the log holds ${added} of them`);
  const byId = new Map<string, string>();
  const last = new Map<string, LoggedEvent>();
  for (const event of now) {
    const { eventId, orderedBy, epoch, tick, hash } = event;
    const known = byId.get(eventId);
    if (known !== undefined) {
      if (known !== hash) faults.push(`event ${eventId} is there with two different contents`);
      continue; // it came again: its first occurrence is in order
    }
    byId.set(eventId, hash);
    const former = last.get(orderedBy);
    if (former !== undefined && (former.epoch - epoch || former.tick - tick) > 0) {
      faults.push(`event ${eventId} stands behind ${former.eventId} of ${orderedBy}`);
    }
    last.set(orderedBy, event);
  }
  return faults;
}
