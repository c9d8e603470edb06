// In which settings a stored world is another one than the settings ask for.
//
// A world of larger zones is another world too. Wire ids are zone * rows of a zone + a number in it, and games keep ids in
// fields of their own, such as who has shot: they cannot be given out anew without the game.

import { mirrorCapacityOf } from '../../engine/plan/world-plan.js';
import type { WorldShape } from '../snapshots/zone-snapshot.js';

export interface SettingDifference {
  /** As it is given on the command line, without the dashes. */
  setting: string;
  stored: string | number;
  given: string | number;
}

/** What each setting is made of, in the order in which a person would name them. */
const SETTINGS: readonly (readonly [setting: string, tell: (shape: WorldShape) => string | number])[] = [
  ['game', ({ game }) => game],
  ['seed', ({ seed }) => seed],
  ['bots', ({ bots }) => bots],
  ['zones', zonesOf],
  ['world', ({ worldWidth, worldHeight }) => `${worldWidth}x${worldHeight}`],
  ['entities-per-zone', entitiesPerZoneOf],
  ['cell-size', ({ cellSize }) => cellSize],
];

/** All of them. */
export function differencesOf(found: WorldShape, wanted: WorldShape): SettingDifference[] {
  return SETTINGS.flatMap(([setting, tell]) => {
    // What a stored shape does not say is no difference.
    const [stored, given] = [tell({ ...wanted, ...found }), tell(wanted)];
    return stored === given ? [] : [{ setting, stored, given }];
  });
}

export function describeDifferences(differences: readonly SettingDifference[]): string {
  return differences
    .map(({ setting, stored, given }) => `--${setting} is ${stored} there and ${given} here`)
    .join(', ');
}

function zonesOf({ zoneColumns = 1, zoneCount }: WorldShape): string {
  return `${zoneColumns}x${zoneCount / zoneColumns}`;
}

/** What the setting was, up to the next multiple of 64: a zone's rows hold the mirrors of its neighbours as well. */
function entitiesPerZoneOf({ rowCapacity, zoneCount }: WorldShape): number {
  let own = rowCapacity;
  while (own > 0 && own + mirrorCapacityOf(own, zoneCount, false) > rowCapacity) own -= 64;
  return own;
}
