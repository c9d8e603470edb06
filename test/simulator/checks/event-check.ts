// What must be true of the log when everything has come to rest: it has every event that a zone made readable, byte for
// byte and in the order of each key and zone, but for those that were counted as dropped, and those that a process that was
// killed had only in memory: these are of its last moments.

import { inspect } from 'node:util';
import { unpack } from 'msgpackr';
import { EVENT_TOPICS } from '../../../src/durability/events/event-form.js';
import { decodeKey, decodeRow, verifyRow } from '../../../src/durability/events/spool-row.js';
import type { Backends } from '../stores/backends.js';
import { contentOf, eventIdOf, type KnownEvent } from './event-ledger.js';
import { require } from './violation.js';

export interface LogFindings {
  inLog: number;
  twice: number;
  missing: number;
  /** Published by a recovery alone. */
  onlyRecovered: number;
  outOfOrderAfterRecovery: number;
  /** Events of one entity from two zones, in another order than that of their ticks. */
  outOfOrderAcrossZones: number;
}

/** Ids that stand in the log by now. */
export function idsInLog({ log }: Backends): Set<string> {
  const ids = new Set<string>();
  for (const { name } of EVENT_TOPICS) {
    for (const entries of log.topics.get(name) ?? []) for (const { value } of entries) ids.add(eventIdOf(value));
  }
  return ids;
}

export function idsInSpool({ spool }: Backends): Set<string> {
  const ids = new Set<string>();
  for (const [hex, value] of spool.rows) {
    const row = decodeKey(Buffer.from(hex, 'hex'));
    const verified = row && verifyRow(row, value);
    if (!row || !verified) continue;
    for (const { record } of decodeRow(row, verified)) ids.add(eventIdOf(record.value));
  }
  return ids;
}

export function checkLog(
  backends: Backends,
  known: ReadonlyMap<string, KnownEvent>,
  possible: ReadonlySet<string>,
  atRisk: ReadonlySet<string>,
  dropped: number,
  /** Whether a recovery has brought forth events again. */
  hasRecovered: boolean,
  /** Whether rings of events can have been full: what found no room there comes forth when its tick is run again. */
  mayDrop: boolean,
): LogFindings {
  const findings: LogFindings = {
    inLog: 0,
    twice: 0,
    missing: 0,
    onlyRecovered: 0,
    outOfOrderAfterRecovery: 0,
    outOfOrderAcrossZones: 0,
  };
  const seen = new Set<string>();
  for (const { name: topic } of EVENT_TOPICS) {
    for (const entries of backends.log.topics.get(topic) ?? []) {
      const lastPlace = new Map<string, number>();
      const lastTick = new Map<string, number>();
      for (const { key, value } of entries) {
        const id = eventIdOf(value);
        if (id.startsWith('platform-')) continue;
        const event = known.get(id);
        if (event === undefined) {
          // Of a tick that the journal had and whose thread ended before it said so: the recovery did.
          require(mayDrop || possible.has(contentOf({ topic, key, value })), 'only what happened is in the log', () =>
            inspect(unpack(value)));
          findings.onlyRecovered++;
          continue;
        }
        const { record, zone, place } = event;
        const isSame = record.topic === topic && record.key === key && Buffer.compare(record.value, value) === 0;
        require(isSame, 'events stand in the log as they were', () =>
          `${inspect(unpack(value))} was ${inspect(unpack(record.value))}`);
        if (seen.has(id)) {
          findings.twice++;
          continue;
        }
        seen.add(id);
        const line = `${key} ${zone}`;
        const last = lastPlace.get(line) ?? -1;
        // Known: what a recovery brings forth again comes behind what the spool still has.
        if (place <= last && hasRecovered) findings.outOfOrderAfterRecovery++;
        else require(place > last, 'events of a key keep their order', () => `${id} of ${key} behind a later one`);
        lastPlace.set(line, place);
        if (place < (lastTick.get(key) ?? -1)) findings.outOfOrderAcrossZones++;
        lastTick.set(key, Math.max(place, lastTick.get(key) ?? -1));
      }
    }
  }
  findings.inLog = seen.size;
  const missing = [...known.keys()].filter((id) => !seen.has(id));
  findings.missing = missing.length;
  const unexplained = missing.filter((id) => !atRisk.has(id));
  require(unexplained.length <= dropped, 'events are in the log or counted', () =>
    `${unexplained.length} are missing, ${dropped} were counted as dropped: ${unexplained.slice(0, 5)}`);
  return findings;
}

/** What would be lost if memory were lost now: readable events that are neither in the log nor on the disk. */
export function eventsInMemory(backends: Backends, known: ReadonlyMap<string, KnownEvent>): string[] {
  const inLog = idsInLog(backends);
  const inSpool = idsInSpool(backends);
  return [...known.keys()].filter((id) => !inLog.has(id) && !inSpool.has(id));
}
