// Kinds that are seen from farther than the others (GameSource.seenFrom): few entities, which every observer looks through
// beside what the index finds near it. Who they are is gathered once per tick; those that are seen everywhere are named in
// the scalars of the committed block too, where zones that are no neighbours find them.

import { assert } from '../../base/assert.js';
import type { GameDefinition } from '../../game/definition.js';
import { COUNTER } from '../../memory/tables/zone-counters.js';
import {
  SCALAR_EVERYWHERE_COUNT,
  SCALAR_EVERYWHERE_ROWS,
  SCALAR_MIRROR_LIMIT,
} from '../../memory/world/world-layout.js';
import { CROSSING_MARGIN } from '../borders/limits.js';
import type { EngineZone } from '../zone/zone.js';
import { EVERYWHERE_PER_ZONE_MAX, FAR_ROWS_MAX, LEAVE_RADIUS_FACTOR } from './limits.js';
import type { Sight } from './sight.js';

export class FarKinds {
  /** What collect() has found: rows, and 1 where they may come into view, 0 where they stay if they are known. */
  readonly seenRows = new Int32Array(FAR_ROWS_MAX);
  readonly mayEnter = new Uint8Array(FAR_ROWS_MAX);
  /** By kind: how many times as far it is seen. 0: as the others. */
  private readonly factors: Float64Array;
  private readonly rows = new Int32Array(FAR_ROWS_MAX);
  private count = 0;

  constructor(
    private readonly zone: EngineZone,
    private readonly viewRadius: number,
    seenFrom: NonNullable<GameDefinition['seenFrom']>,
  ) {
    this.factors = Float64Array.from(zone.game.kinds, (kind) => {
      const from = seenFrom[kind] ?? 0;
      return from === 'everywhere' ? Number.POSITIVE_INFINITY : from;
    });
  }

  /** @hot Whether an entity of a neighbouring zone is near enough to this one to be seen from it. */
  reaches(kind: number, x: number, y: number): boolean {
    const factor = this.factors[kind];
    if (factor === 0) return false;
    const { area } = this.zone;
    const margin = this.viewRadius * LEAVE_RADIUS_FACTOR * factor + CROSSING_MARGIN;
    return (
      x >= area.x - margin &&
      x <= area.x + area.width + margin &&
      y >= area.y - margin &&
      y <= area.y + area.height + margin
    );
  }

  /** @hot Before the commit. Those beyond the bounds are counted, and seen as others are. */
  gather(): void {
    const { zone } = this;
    this.count = 0;
    zone.scalars[SCALAR_EVERYWHERE_COUNT] = 0;
    this.gatherRows(0, zone.rowLimit);
    this.gatherRows(zone.ownCapacity, zone.scalars[SCALAR_MIRROR_LIMIT]);
  }

  /** @hot */
  private gatherRows(start: number, limit: number): void {
    const { zone, factors } = this;
    const { alive, kind, scalars, ownCapacity, counters } = zone;
    for (let row = start; row < limit; row++) {
      if (alive[row] === 0 || factors[kind[row]] === 0) continue;
      if (this.count < FAR_ROWS_MAX) this.rows[this.count++] = row;
      else counters[COUNTER.farKindsRefused]++;
      if (row >= ownCapacity || factors[kind[row]] !== Number.POSITIVE_INFINITY) continue;
      const listed = scalars[SCALAR_EVERYWHERE_COUNT];
      if (listed >= EVERYWHERE_PER_ZONE_MAX) {
        counters[COUNTER.farKindsRefused]++;
        continue;
      }
      scalars[SCALAR_EVERYWHERE_ROWS + listed] = row;
      scalars[SCALAR_EVERYWHERE_COUNT] = listed + 1;
    }
  }

  /** @hot Which of them an observer sees. Returns how many. */
  collect(x: number, y: number, viewRadius: number, sight: Sight | undefined, client: number): number {
    const { zone, factors, rows, seenRows, mayEnter } = this;
    let seen = 0;
    for (let i = 0; i < this.count; i++) {
      const row = rows[i];
      if (sight !== undefined && !sight.isShown(client, row)) continue;
      const radius = viewRadius * factors[zone.kind[row]];
      const leaveRadius = radius * LEAVE_RADIUS_FACTOR;
      const stepX = zone.positionX[row] - x;
      const stepY = zone.positionY[row] - y;
      const squared = stepX * stepX + stepY * stepY;
      if (squared > leaveRadius * leaveRadius) continue;
      seenRows[seen] = row;
      mayEnter[seen++] = squared <= radius * radius ? 1 : 0;
    }
    return seen;
  }
}

export function createFarKinds(zone: EngineZone, viewRadius: number): FarKinds | undefined {
  const { seenFrom } = zone.game;
  if (seenFrom === undefined) return undefined;
  assert(
    Object.keys(seenFrom).every((kind) => zone.game.kinds.includes(kind)),
    'a kind that is seen from afar exists',
  );
  return new FarKinds(zone, viewRadius, seenFrom);
}
