// What a session's journal says of itself, so that it can be run again: the settings that make the world what it is, and
// which game wrote it.

import { wallMs } from '../../base/clock.js';
import type { Settings } from '../../config/settings.js';
import { cutWorld } from '../../engine/borders/mirrors.js';
import type { WorldPlan } from '../../engine/plan/world-plan.js';
import { LEAVE_RADIUS_FACTOR } from '../../engine/replication/limits.js';
import type { GameDefinition } from '../../game/definition.js';
import type { JournalSession } from './journal-reader.js';

/** Below the folder of journals: journals of sessions that a start from older snapshots gave up. Nothing removes them. */
export const KEPT_JOURNALS_FOLDER = 'kept';
const FORMAT = 3;
/** What the simulation depends on. */
const WORLD_SETTINGS = [
  'game',
  'seed',
  'bots',
  'tickHz',
  'viewRadius',
  'worldWidth',
  'worldHeight',
  'zoneColumns',
  'zoneRows',
  'entitiesPerZone',
  'cellSize',
] as const satisfies readonly (keyof Settings)[];

export interface SessionInfo {
  format: number;
  epoch: number;
  originMs: number;
  startedAt: string;
  game: string;
  gameVersion: number;
  /** The hash of its code; absent in journals of earlier servers. */
  code?: string;
  layoutHash: number;
  node: string;
  settings: Pick<Settings, (typeof WORLD_SETTINGS)[number]>;
}

export function describeSession(plan: WorldPlan, game: GameDefinition, code?: string): SessionInfo {
  const settings = Object.fromEntries(WORLD_SETTINGS.map((name) => [name, plan.settings[name]]));
  return {
    format: FORMAT,
    epoch: plan.epoch,
    originMs: plan.originMs,
    startedAt: new Date(wallMs()).toISOString(),
    game: game.name,
    gameVersion: game.version,
    ...(code !== undefined && { code }),
    layoutHash: plan.layout.hash,
    node: process.version,
    settings: settings as SessionInfo['settings'],
  };
}

/** Throws with the reason when it is none that this server can read. */
export function readSessionInfo({ info }: JournalSession): SessionInfo {
  const found = info as Partial<SessionInfo> | undefined;
  if (found === undefined || typeof found !== 'object' || typeof found.settings !== 'object') {
    throw new Error('its session.json cannot be read');
  }
  if (found.format !== FORMAT) {
    throw new Error(`its session.json is of format ${found.format}, this server reads ${FORMAT}`);
  }
  const missing = WORLD_SETTINGS.find((name) => found.settings?.[name] === undefined);
  if (missing !== undefined || typeof found.epoch !== 'number' || typeof found.originMs !== 'number') {
    throw new Error(`its session.json lacks ${missing ?? 'epoch or originMs'}`);
  }
  return found as SessionInfo;
}

/** Throws with the reason when the game as it is now would not do again what it did then. */
export function checkGame(info: SessionInfo, game: GameDefinition, layoutHash: number): void {
  if (info.game !== game.name || info.gameVersion !== game.version) {
    throw new Error(
      `it was written by ${info.game} ${info.gameVersion}, and the game is ${game.name} ${game.version} now`,
    );
  }
  if (info.layoutHash !== layoutHash) {
    throw new Error('it was written with other columns than the game has now');
  }
}

/** The plan with the settings that the session had: a replay keeps to them, whatever is set now. */
export function planAsThen(plan: WorldPlan, { settings }: SessionInfo): WorldPlan {
  return {
    ...plan,
    settings: { ...plan.settings, ...settings },
    areas: cutWorld(settings.worldWidth, settings.worldHeight, settings.zoneColumns, settings.zoneRows),
    leaveRadius: settings.viewRadius * LEAVE_RADIUS_FACTOR,
  };
}
