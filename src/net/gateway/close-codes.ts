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
