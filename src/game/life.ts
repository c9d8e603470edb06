// Who plays, and how a player comes and goes: what the engine tells a game's onJoin and onLeave.

/** What the next one who comes, and one who goes, may be told of; the journal holds the index. Add at the end only. */
export const JOIN_REASONS = ['new', 'resumed', 'restored'] as const;
export const LEAVE_REASONS = ['left', 'lost', 'kicked'] as const;

/**
 * new: the game has just made the entity. resumed: the client is back by another connection, and its entity is the one it had.
 * restored: the entity is a new one with the fields that were stored of the player.
 */
export type JoinReason = (typeof JOIN_REASONS)[number];

/**
 * left: the client said so, or its tab was closed. lost: the connection ended otherwise and nobody came back in time.
 * kicked: an operator or the server sent it away.
 */
export type LeaveReason = (typeof LEAVE_REASONS)[number];

/** What whoever vouches for the player says of it. */
export type Claims = Readonly<Record<string, string | number | boolean>>;

export interface Identity {
  /** The same for the same player in every stay, on all servers that share a secret. */
  readonly playerId: string;
  /** As the client called itself when it came in last: checked for its form, and not unique. */
  readonly name: string;
  readonly claims: Claims;
}

export interface Who extends Identity {
  readonly reason: JoinReason;
}

/** The members of a game that hear of it. */
export interface LifeHooks<Z> {
  /**
   * A player has its entity: after spawnPlayer, or when the stored fields are back, or when the client is back. In the tick, an
   * input as a command is: a replay tells the same.
   */
  onJoin?(zone: Z, row: number, who: Who): void;
  /**
   * The player's entity is about to go. Called once, while the row lives; not where the game despawned it before. A player whose
   * connection is lost keeps its entity for as long as the server waits for it, and has not left yet.
   */
  onLeave?(zone: Z, row: number, reason: LeaveReason): void;
  /** An entity of any kind has come over a border, with all its fields. */
  onArrive?(zone: Z, row: number): void;
  /** The zone goes on in a new thread or process: from its last committed tick or from a snapshot. Before that tick's inputs. */
  onRestore?(zone: Z): void;
}
