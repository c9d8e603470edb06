// What a game hears of its players, live and in a replay alike. Whoever calls has written it to the journal first.

import { type Claims, JOIN_REASONS, LEAVE_REASONS } from '../../game/life.js';
import type { IdentityTexts } from '../../memory/tables/identity-table.js';
import { throwFault } from './game-fault.js';
import type { EngineZone } from './zone.js';

/** `reason` is an index of JOIN_REASONS. */
export function tellJoined(zone: EngineZone, row: number, reason: number, identity: IdentityTexts): void {
  if (zone.game.onJoin === undefined) return;
  const { playerId, name, claims } = identity;
  const who = { playerId, name, claims: JSON.parse(claims) as Claims, reason: JOIN_REASONS[reason] };
  try {
    zone.game.onJoin(zone, row, who);
  } catch (error) {
    throwFault(zone, 'onJoin', error);
  }
}

/** The game hears of it, and then the row goes, unless the game has seen to that. `reason` is an index of LEAVE_REASONS. */
export function removePlayer(zone: EngineZone, row: number, reason: number): void {
  const key = zone.engine.key[row];
  try {
    zone.game.onLeave?.(zone, row, LEAVE_REASONS[reason]);
  } catch (error) {
    throwFault(zone, 'onLeave', error);
  }
  // A row that the game has freed may be another entity's by now.
  if (zone.alive[row] !== 0 && zone.engine.key[row] === key) zone.despawn(row);
}

export function tellArrival(zone: EngineZone, row: number): void {
  try {
    zone.game.onArrive?.(zone, row);
  } catch (error) {
    throwFault(zone, 'onArrive', error);
  }
}

export function tellRestored(zone: EngineZone): void {
  try {
    zone.game.onRestore?.(zone);
  } catch (error) {
    throwFault(zone, 'onRestore', error);
  }
}
