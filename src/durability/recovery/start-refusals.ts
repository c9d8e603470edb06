// When a start is refused. A world that exists is never given up unless --start fresh says so: each refusal is one line
// that names what there is, why play cannot go on with it, and the ways on.

import { chosenColdTick } from '../../config/start-mode.js';
import { TICKS_END, TICKS_LEFT_MIN_SECONDS } from './limits.js';
import { describeDifferences, differencesOf } from './world-difference.js';
import type { Found, Search } from './world-search.js';

export interface StartChecks {
  search: Search;
  /** By zone. */
  found: readonly (Found | undefined)[];
  /** What was passed over, and why. */
  skipped: readonly string[];
  /** Of a world that was stored and of which nothing may be left. */
  hasTraces: boolean;
}

/** False: there is no world at all, and one may begin. Throws where the world that there is cannot be gone on with. */
export function checkStart(checks: StartChecks): boolean {
  refuseOtherSettings(checks);
  refuseSilence(checks);
  const { found, search } = checks;
  if (found.every((entry) => entry === undefined)) {
    refuseLoss(checks);
    return false;
  }
  refuseGaps(checks);
  refuseAge(search, found);
  return true;
}

const OLDER = 'go back to older cold snapshots (npm run worlds lists them, --start cold:TICK chooses)';
const FRESH = 'use --start fresh to begin a new world in its place';

/** Settings that make a world: with others it would be another world. */
function refuseOtherSettings({ search: { plan, shape }, found }: StartChecks): void {
  const { data } = plan.settings;
  const entry = found.find((zone) => zone && differencesOf(zone.snapshot.header, shape).length > 0);
  if (entry === undefined) return;
  const { header } = entry.snapshot;
  throw new Error(
    `the world ${header.worldId ?? ''} in ${data} was made with other settings: ${describeDifferences(differencesOf(header, shape))}; ` +
      `start with the settings of that world, choose another --data folder, or ${FRESH}`,
  );
}

/** A store that did not answer may keep the world: another one must not begin in its place and be written over it. */
function refuseSilence({ search: { plan, unanswered }, found, skipped }: StartChecks): void {
  const { data } = plan.settings;
  if (unanswered.length === 0 || !found.includes(undefined)) return;
  const unusable = skipped.find((line) => /^(the )?journal /.test(line));
  const journal =
    unusable === undefined ? `${data} has no journal of one` : `the journal in ${data} cannot be used: ${unusable}`;
  throw new Error(
    `whether a world is stored cannot be told: ${unanswered[0]}, and ${journal}; bring the store back, or use --start fresh to begin a new world over whatever it keeps`,
  );
}

/** Nothing of a world can be used. Where nothing hints at one either, there is none. */
function refuseLoss({ search, skipped, hasTraces }: StartChecks): void {
  const { start, data } = search.plan.settings;
  if (skipped.length === 0 && !hasTraces) {
    if (start === 'auto') return;
    throw new Error(
      `start is ${start}, but nothing is stored of a world in ${data}; choose the --data folder of the world, or use --start auto to begin one`,
    );
  }
  const reason = skipped.find((line) => line.includes('zone 0')) ?? skipped[0] ?? 'all that was stored has expired';
  throw new Error(
    `the world in ${data} cannot be gone on with, nothing that is left of it can be used: ${reason}; ` +
      `mend that, ${OLDER}, or ${FRESH}`,
  );
}

/** Without salvage no zone begins empty in the middle of a world that goes on. */
function refuseGaps({ search, found, skipped }: StartChecks): void {
  const zone = found.indexOf(undefined);
  const { start, data } = search.plan.settings;
  if (zone < 0 || start === 'salvage') return;
  const misfit = search.misfits.get(zone);
  const reason =
    (misfit === undefined ? undefined : `it does not fit the game: ${misfit}`) ??
    skipped.find((line) => line.includes(`zone ${zone}:`) || line.includes(`zone ${zone} of`)) ??
    'nothing is stored of it';
  const older = chosenColdTick(start) === undefined ? OLDER : 'choose another tick of those that npm run worlds lists';
  throw new Error(
    `the world in ${data} cannot be gone on with: of zone ${zone} there is nothing to begin from: ${reason}; ` +
      `mend that, ${older}, use --start salvage to let that zone begin empty, or ${FRESH}`,
  );
}

/** Past 2^31 ticks turn negative, and such a world stands still without a word after its next start. */
function refuseAge({ plan }: Search, found: readonly (Found | undefined)[]): void {
  const { data, tickHz } = plan.settings;
  const tickMax = TICKS_END - TICKS_LEFT_MIN_SECONDS * tickHz;
  const tick = Math.max(0, ...found.map((entry) => (entry === undefined ? 0 : entry.snapshot.header.tick >>> 0)));
  if (tick <= tickMax) return;
  throw new Error(
    `the world in ${data} is ${tick} ticks old, and at ${tickHz} ticks per second it can be begun up to ${tickMax}, a week before their numbers end; ` +
      `use another --data folder, or ${FRESH}`,
  );
}
