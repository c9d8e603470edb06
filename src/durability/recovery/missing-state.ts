// What was stored of the world and is not there any more. Three things say what must be there: last-stored.json, the
// numbers of a session's segments, which have no gap, and the history of cold snapshots.

import type { JournalSession } from '../journal/journal-reader.js';
import { findMissingSegments } from '../journal/journal-reader.js';
import { HOT_SNAPSHOT_TTL_MS } from '../snapshots/limits.js';
import type { LastStored, StoredZones } from './last-stored.js';

/** What a store answered for a zone. */
export interface StoreAnswer {
  /** There was something, whole or not, of this world or not. */
  isPresent: boolean;
  /** The newest of this world that it has, as far as that can be read. */
  newest?: { takenAtMs: number; tick: number };
}

/** Of the newest session: every number between its first and its last segment, and up to the one that was noted. */
export function describeMissingSegments(
  sessions: readonly JournalSession[],
  { segment }: Pick<LastStored, 'segment'>,
): string[] {
  const lines = sessions.slice(0, 1).flatMap(({ epoch, segments }) => {
    return findMissingSegments(segments).map((name) => `journal ${epoch}/${name} is missing`);
  });
  if (segment === undefined) return lines;
  const { epoch, number } = segment;
  const session = sessions.find((found) => found.epoch === epoch);
  if (session === undefined) {
    lines.push(`the journal of session ${epoch} is missing: its segment ${number} was the last one written`);
    return lines;
  }
  const last = Number.parseInt(session.segments.at(-1) ?? '0', 10);
  if (last < number) {
    const what = last + 1 === number ? `segment ${number} is missing` : `segments ${last + 1} to ${number} are missing`;
    lines.push(`journal ${epoch}: ${what}, the last one written`);
  }
  return lines;
}

/** `undefined` answers: the store could not be asked, which is said elsewhere. */
export function describeMissingSnapshots(
  store: 'hot' | 'cold',
  answers: readonly (StoreAnswer | undefined)[],
  stored: StoredZones | undefined,
  wallMs: number,
): string[] {
  if (stored === undefined) return [];
  const { takenAtMs, ticks } = stored;
  // Hot snapshots expire: one that has outlived its time is gone as it should be.
  if (store === 'hot' && wallMs - takenAtMs >= HOT_SNAPSHOT_TTL_MS) return [];
  return answers.flatMap((answer, zone) => {
    const tick = ticks[zone];
    if (answer === undefined || tick === undefined) return [];
    const { isPresent, newest } = answer;
    if (isPresent && (newest === undefined || newest.takenAtMs >= takenAtMs)) return [];
    const when = `of tick ${tick}, taken at ${new Date(takenAtMs).toISOString()}`;
    const instead = newest === undefined ? '' : `; the newest one there is of tick ${newest.tick}`;
    return [`the ${store} snapshot of zone ${zone} ${when}, is missing${instead}`];
  });
}
