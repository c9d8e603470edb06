// What counts against a session, and how much.

import { REJECT_CODE_COUNT, RejectCode } from '../../game/reject-codes.js';
import { HASTE_POINTS, VIOLATION_POINTS } from '../limits.js';

/** Points by reject code. What the world refuses, or has no room for, is no violation. */
export const POINTS = new Uint8Array(REJECT_CODE_COUNT);
for (const code of [
  RejectCode.Malformed,
  RejectCode.TooLarge,
  RejectCode.UnknownKind,
  RejectCode.BadSequence,
  RejectCode.AlreadyJoined,
  RejectCode.OutOfRange,
]) {
  POINTS[code] = VIOLATION_POINTS;
}
// A client whose link stood still sends in one go what it has kept, and an eager one does not wait for its Welcome.
POINTS[RejectCode.RateLimited] = HASTE_POINTS;
POINTS[RejectCode.NotJoined] = HASTE_POINTS;
POINTS[RejectCode.Spectating] = HASTE_POINTS;

/** Refusals of a Join that end the connection: another Join would be refused as well. */
export const NOT_LET_IN: ReadonlySet<number> = new Set([
  RejectCode.ServerFull,
  RejectCode.Draining,
  RejectCode.NoSpectators,
  RejectCode.NotAlive,
]);
