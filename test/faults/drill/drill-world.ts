// The world that a start found, as the journal of its session begins with it: before any client is back and any tick ran.

import { join } from 'node:path';
import { listSessions, readSegment } from '../../../src/durability/journal/journal-reader.js';
import { decodeZone } from '../../../src/durability/snapshots/zone-snapshot.js';
import { wireIdOfKey } from '../../../src/engine/entities/entity-key.js';
import type { Sight } from './drill-player.js';

export interface FoundWorld {
  epoch: number;
  zones: number;
  tick: number;
  /** By wire id. */
  entities: Map<number, { x: number; y: number; isOwned: boolean }>;
  faults: string[];
}

/** Of the newest session; it has fewer zones than the world where a kill came in between. */
export function readFoundWorld(folder: string): FoundWorld {
  const [session] = listSessions(join(folder, 'journal'));
  const { bases } = session === undefined ? { bases: [] } : readSegment(session, session.segments[0]);
  const world: FoundWorld = {
    epoch: session?.epoch ?? 0,
    zones: bases.length,
    tick: 0,
    entities: new Map(),
    faults: [],
  };
  for (const bytes of bases) {
    const { header, columns } = decodeZone(bytes);
    world.tick = Math.max(world.tick, header.tick);
    const cells = (name: string) => columns.get(name) as unknown as ArrayLike<number>;
    const [alive, key, x, y, owner] = ['alive', 'key', 'positionX', 'positionY', 'owner'].map(cells);
    for (let row = 0; row < header.rows; row++) {
      if (alive[row] === 0) continue;
      const id = wireIdOfKey(key[row]);
      if (world.entities.has(id)) world.faults.push(`entity ${id} is there twice`);
      world.entities.set(id, { x: x[row], y: y[row], isOwned: owner[row] !== 0 });
    }
  }
  return world;
}

/** What a client had seen of itself in the very tick that the world was found at. */
export function compareSight({ entities, tick }: FoundWorld, who: string, sight: Sight, quantum: number): string[] {
  const found = entities.get(sight.entityId);
  if (found === undefined)
    return [`${who} saw itself as entity ${sight.entityId} at tick ${tick}, and it is not there`];
  const away = Math.max(Math.abs(found.x - sight.x), Math.abs(found.y - sight.y));
  if (away <= quantum) return [];
  return [
    `${who} saw itself at ${sight.x}, ${sight.y} at tick ${tick}, and entity ${sight.entityId} is at ${found.x}, ${found.y}`,
  ];
}
