// Why the server refused something. The numbers are those of the schema; the words are for people.

import { RejectCode } from '../../schemas/generated/tessera/wire/reject-code.js';

export { RejectCode };

const REASONS: Record<RejectCode, string> = {
  [RejectCode.None]: 'accepted',
  [RejectCode.Malformed]: 'not a message of this protocol',
  [RejectCode.TooLarge]: 'the message is too large',
  [RejectCode.UnknownKind]: 'no message has this kind',
  [RejectCode.BadSequence]: 'the sequence number is not above the last one',
  [RejectCode.NotJoined]: 'not joined yet',
  [RejectCode.AlreadyJoined]: 'already joined',
  [RejectCode.RateLimited]: 'too many messages per second',
  [RejectCode.OutOfRange]: 'a value is outside of what its field allows',
  [RejectCode.QueueFull]: 'the server is behind, and the command is lost',
  [RejectCode.NotAlive]: 'the entity cannot act now',
  [RejectCode.Cooldown]: 'too soon after the last one',
  [RejectCode.TooFar]: 'too far away',
  [RejectCode.Overloaded]: 'more commands in one tick than one client may have',
  [RejectCode.ServerFull]: 'the server is full',
  [RejectCode.BadToken]: 'the token is not valid',
  [RejectCode.Draining]: 'the server is shutting down',
  [RejectCode.GameRule]: 'a rule of the game forbids it',
  [RejectCode.Banned]: 'removed or banned by an operator',
  [RejectCode.NoSpectators]: 'this server takes no spectators',
  [RejectCode.Spectating]: 'a spectator cannot act',
};

/** One more than the highest code; for tables of counters. */
export const REJECT_CODE_COUNT = Object.keys(REASONS).length;

function isRejectCode(code: number): code is RejectCode {
  return code in REASONS;
}

/** The schema's name of a code, for metrics and logs. */
export function rejectName(code: number): string {
  return isRejectCode(code) ? RejectCode[code] : `Code${code}`;
}

export function rejectReason(code: number): string {
  return isRejectCode(code) ? REASONS[code] : `code ${code}`;
}
