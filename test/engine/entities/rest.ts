// Time passes for the ids of a zone, and for nothing else.

import type { EntityIds } from '../../../src/engine/entities/entity-ids.js';
import { ID_REST_SECONDS } from '../../../src/engine/entities/limits.js';

export function letIdsRest(zone: { readonly tick: number; readonly tickHz: number }): void {
  const { ids } = zone as unknown as { ids: EntityIds };
  ids.rise(zone.tick + (ID_REST_SECONDS + 1) * zone.tickHz);
}
