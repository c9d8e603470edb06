// What a game's code does wrong in a tick, told so that its author finds it: which system, which zone, which tick, where.

import { createRandom } from '../../base/chance.js';
import type { GameDefinition, SystemDefinition, Zone } from '../../game/definition.js';
import type { WorldBuffer } from '../../memory/world/world-buffer.js';
import { Ground, GroundShapes } from '../space/ground.js';

/** As much of a zone as is needed to say what went wrong in it. */
export type FaultyZone = Zone & { readonly game: GameDefinition; readonly buffer: WorldBuffer };

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

/** The static geometry near a zone. */
export function buildGround(zone: FaultyZone, seed: number, margin: number): Ground {
  const shapes = new GroundShapes(zone.area, margin);
  try {
    zone.game.ground?.(shapes, zone.world, createRandom(seed));
  } catch (error) {
    throwFault(zone, 'ground', error);
  }
  return new Ground(shapes, zone.area, margin);
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
    const length = column.length / zone.buffer.layout.rowCapacity;
    for (let cell = 0; cell < rowLimit * length; cell++) {
      const row = Math.floor(cell / length);
      if (alive[row] !== 0 && !Number.isFinite(column[cell])) {
        const element = length === 1 ? '' : `[${cell - row * length}]`;
        return `${name}${element} of row ${row} (${zone.game.kinds[zone.kind[row]]}) is ${column[cell]}`;
      }
    }
  }
  return undefined;
}
