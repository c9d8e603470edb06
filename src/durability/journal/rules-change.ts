// Whether a world goes on under the rules that it had. The version of a game is what its author says of them; the hash of its
// code is what they are.

import type { Log } from '../../base/log.js';
import type { GameDefinition } from '../../game/definition.js';
import type { SnapshotHeader } from '../snapshots/zone-snapshot.js';
import type { SessionInfo } from './journal-session.js';

export interface RulesReport {
  version: number;
  code: string;
  /** As stored with what the world goes on from; null: it was not. */
  versionBefore: number | null;
  codeBefore: string | null;
  isChanged: boolean;
}

/** Of the newest snapshot. One line in the log, where there is something to say. */
export function reportRules(
  { gameVersion, code: stored }: SnapshotHeader,
  game: GameDefinition,
  code: string,
  log: Log,
): RulesReport {
  const codeBefore = typeof stored === 'string' ? stored : null;
  const versionBefore = typeof gameVersion === 'number' ? gameVersion : null;
  const isChanged = codeBefore !== null && codeBefore !== code;
  const { name, version } = game;
  if (codeBefore === null) {
    log.info({}, `recovery: which code of ${name} the world ran under was not stored; it is ${code} now`);
  } else if (versionBefore !== version) {
    log.info(
      {},
      `recovery: the world goes on with version ${version} of ${name}, code ${code}; it had version ${versionBefore}, code ${codeBefore}`,
    );
  } else if (isChanged) {
    log.warn(
      {},
      `recovery: the world goes on under changed rules: the code of ${name} ${version} was ${codeBefore} and is ${code} now, of the same version`,
    );
  }
  return { version, code, versionBefore, codeBefore, isChanged };
}

/**
 * Why the ticks of a journal are not run again; undefined where they are, as where one of the two codes is not known. Other
 * rules would make of the same inputs another world than the one that clients were shown. '': nothing is lost by it.
 */
export function whyNotReplayed(info: SessionInfo, code: string | undefined, beyondTicks: number): string | undefined {
  if (code === undefined || info.code === undefined || info.code === code) return undefined;
  if (beyondTicks === 0) return '';
  return (
    `the journal of session ${info.epoch} has ${beyondTicks} ticks more, played under the code ${info.code}: they are passed over, for ` +
    `under the code ${code} they would come out otherwise than clients saw them`
  );
}
