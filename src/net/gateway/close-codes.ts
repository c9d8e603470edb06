import type { LeaveReason } from '../../game/life.js';

/** Why this server ends a connection. Below 4000 they are those of the WebSocket standard. */
export const CloseCode = {
  Normal: 1000,
  GoingAway: 1001,
  ProtocolError: 1002,
  WrongFrameType: 1003,
  BadText: 1007,
  Policy: 1008,
  TooBig: 1009,
  TryAgainLater: 1013,
  JoinTimeout: 4000,
  BadToken: 4001,
  TooSlow: 4002,
  Idle: 4003,
  TooManyViolations: 4004,
  WorldDropped: 4005,
  /** The same player has come back by another connection. */
  Replaced: 4006,
} as const;

/** Ends by this server after which a client may come back. After any other one it is meant to be gone for good. */
export const FORGIVEN: ReadonlySet<number> = new Set([
  CloseCode.GoingAway,
  CloseCode.TryAgainLater,
  CloseCode.JoinTimeout,
  CloseCode.TooSlow,
  CloseCode.Idle,
  CloseCode.WorldDropped,
]);
/** A close frame without a code is what a browser sends when a page says close(). */
const CLOSE_WITHOUT_CODE = 1005;
/** Ends by the client by which it says that it does not come back. */
export const FAREWELLS: ReadonlySet<number> = new Set([CloseCode.Normal, CloseCode.GoingAway, CLOSE_WITHOUT_CODE]);

/** What the game hears of a client that does not come back. */
export function leaveReasonOf(code: number, byServer: boolean): LeaveReason {
  if (!byServer) return FAREWELLS.has(code) ? 'left' : 'lost';
  if (code === CloseCode.Normal) return 'left'; // the answer to its Leave
  return FORGIVEN.has(code) || code === CloseCode.Replaced ? 'lost' : 'kicked';
}
