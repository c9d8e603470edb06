// In what a stored world is another one than the settings ask for, by the names of the settings.

import { mirrorCapacityOf } from '../../engine/plan/world-plan.js';
import type { WorldShape } from '../snapshots/zone-snapshot.js';

/** In this order: of several differences the first one that a person would name. */
const NAMES: Record<keyof WorldShape, string> = {
  game: 'game',
  seed: 'seed',
  bots: 'bots',
  zoneCount: 'number of zones (zones)',
  zoneColumns: 'number of columns of zones (zones)',
  worldWidth: 'width (world)',
  worldHeight: 'height (world)',
  rowCapacity: 'entitiesPerZone',
  cellSize: 'cellSize',
};

/**
 * A world of larger zones is another world too. Wire ids are zone * rows of a zone + a number in it, and games keep ids in
 * fields of their own, such as who has shot: they cannot be given out anew without the game.
 */
export function differenceOf(found: WorldShape, wanted: WorldShape): string | undefined {
  for (const name of Object.keys(NAMES) as (keyof WorldShape)[]) {
    // What an earlier format did not say is no difference.
    if (found[name] !== wanted[name]) {
      return `its ${NAMES[name]} is ${tell(found, name)}, and ${tell(wanted, name)} is asked for`;
    }
  }
  return undefined;
}

function tell(shape: WorldShape, name: keyof WorldShape): string | number | undefined {
  return name === 'rowCapacity' ? entitiesPerZoneOf(shape) : shape[name];
}

/** What the setting was, up to the next multiple of 64. */
function entitiesPerZoneOf({ rowCapacity, zoneCount }: WorldShape): number {
  let own = rowCapacity;
  while (own > 0 && own + mirrorCapacityOf(own, zoneCount) > rowCapacity) own -= 64;
  return own;
}
