// What a game's code does wrong in a tick, told so that its author finds it: which system, which zone, which tick, where.

import type { GameDefinition, SystemDefinition, Zone } from '../../game/definition.js';
import type { WorldBuffer } from '../../memory/world/world-buffer.js';

/** As much of a zone as is needed to say what went wrong in it. */
type FaultyZone = Zone & { readonly game: GameDefinition; readonly buffer: WorldBuffer };

/** An error of a game's own code: what ran, and where in the author's file it ended. */
export class GameFault extends Error {
  constructor(what: string, cause: unknown) {
    const stack = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
    super(`${what}: ${stack}`, { cause });
    this.name = 'GameFault';
  }
}

/** @hot Once per system and tick. */
export function runSystem(zone: FaultyZone, system: SystemDefinition): void {
  try {
    system.run(zone);
  } catch (error) {
    throwSystemFault(zone, system, error);
  }
}

function throwSystemFault(zone: FaultyZone, { name }: SystemDefinition, error: unknown): never {
  throwFault(zone, `system '${name}'`, error);
}

/** The row of a new player, or -1. A game that returns anything else would let a client steer somebody else's entity. */
export function spawnPlayer(zone: FaultyZone, x: number, y: number): number {
  let row: unknown;
  try {
    row = zone.game.spawnPlayer(zone, x, y);
  } catch (error) {
    throwFault(zone, 'spawnPlayer', error);
  }
  if (row === -1 || (isRow(row, zone.rowLimit) && zone.alive[row] !== 0)) return row;
  throwFault(
    zone,
    'spawnPlayer',
    new Error(`it returned ${String(row)}; allowed: the row that zone.spawn gave, or -1`),
  );
}

function isRow(value: unknown, limit: number): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) < limit;
}

export function throwFault(zone: FaultyZone, what: string, error: unknown): never {
  throw new GameFault(`${what} of the game ${zone.game.name} threw in zone ${zone.id}, tick ${zone.tick}`, error);
}

/** The first value of a living row that is not a finite number, in words; undefined: there is none. */
export function findBadValue(zone: FaultyZone): string | undefined {
  const { alive, rowLimit } = zone;
  for (const [name, column] of Object.entries(zone.buffer.blocks[0].columns)) {
    if (!(column instanceof Float32Array || column instanceof Float64Array)) continue;
    for (let row = 0; row < rowLimit; row++) {
      if (alive[row] !== 0 && !Number.isFinite(column[row])) {
        return `${name} of row ${row} (${zone.game.kinds[zone.kind[row]]}) is ${column[row]}`;
      }
    }
  }
  return undefined;
}
