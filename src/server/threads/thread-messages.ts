// What main and the workers say to each other by message. Everything that happens per tick goes through shared memory.

import type { CheckpointPlan } from '../../durability/checkpoints/checkpointer.js';
import type { StoredBan } from '../../durability/commands/ban-book.js';
import type { Outcome, PlatformCommand } from '../../durability/commands/platform-commands.js';
import type { SessionInfo } from '../../durability/journal/journal-session.js';
import type { LeaseHolder } from '../../durability/lease/world-lease.js';
import type { RecoveredEvents } from '../../durability/recovery/journal-recovery.js';
import type { PlayerForm, PlayerSession, PlayerSnapshot } from '../../durability/snapshots/player-snapshot.js';
import type { WorldIdentity } from '../../durability/snapshots/zone-snapshot.js';
import type { WorldPlan } from '../../engine/plan/world-plan.js';
import type { EventForm } from '../../game/event-form.js';
import type { IoStatus } from './io-status.js';

/** workerData of a tick thread. */
export interface TickThreadData {
  plan: WorldPlan;
  /** Undefined: a spare, which loads everything and then waits to be told whose place it takes. */
  thread: number | undefined;
  /** URL of the module whose default export is the game. */
  gameUrl: string;
}

/** Main to a spare, which may have been loaded before the session's time was set. */
export interface TakePlace {
  thread: number;
  originMs: number;
  epoch: number;
}

/** workerData of the I/O thread, which loads while the world is recovered. */
export interface IoThreadData {
  plan: WorldPlan;
  players: PlayerForm;
  eventNames: readonly string[];
  eventForms: Readonly<Record<string, EventForm>>;
}

/** What is known when the world is recovered. */
export interface IoBeginning {
  session: SessionInfo;
  shape: WorldIdentity;
  /** Worlds that this data folder has given up. */
  earlierWorlds: readonly string[];
  lease: LeaseHolder;
  checkpoints: CheckpointPlan;
  /** Of ticks that a recovery ran again. */
  recoveredEvents: RecoveredEvents | undefined;
}

/** Main to the I/O thread. `stop`: take a last snapshot, hand over what waits, and end. */
/** `begin`: the session's time is set, and tick threads start when this is answered with `ready`. */
export type ToIoThread =
  | { kind: 'begin'; beginning: IoBeginning }
  | { kind: 'stop' }
  | { kind: 'outcome'; request: number; outcome: Outcome }
  | { kind: 'session'; session: PlayerSession }
  | { kind: 'sessionOver'; client: number; generation: number; isForGood: boolean }
  | { kind: 'findPlayer'; request: number; playerId: string }
  | { kind: 'settings'; hotSnapshotMs: number; coldSnapshotMs: number };

export type FromIoThread =
  | { kind: 'loaded' }
  /** The journal has begun: what happens from now on is kept. */
  | { kind: 'ready' }
  | { kind: 'notice'; line: string }
  | { kind: 'status'; status: IoStatus }
  | { kind: 'command'; request: number; command: PlatformCommand }
  /** Those that earlier servers kept, as soon as the store has said so. */
  | { kind: 'bans'; bans: readonly StoredBan[] }
  /** `problem` is empty when the store could be asked. */
  | { kind: 'player'; request: number; player: PlayerSnapshot | undefined; problem: string }
  /** What could not be kept, a line each. */
  | { kind: 'stopped'; unkept: readonly string[] };

export type FromTickThread =
  | { kind: 'loaded' }
  | { kind: 'running'; tick: number }
  | { kind: 'overrun'; overruns: number; skipped: number; worstMs: number };
