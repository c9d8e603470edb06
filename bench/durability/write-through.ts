// What a plain game server does: it writes an entity to the database at the point where its state changes. The rule here
// favours it: one write per entity and tick in which a persistent value other than the position has changed, however many
// did; positions, which change every tick, are sampled, at one write per entity and second, and not when it stood still
// or was written for another reason within that second. What has not changed is not written.

import type { CheckpointPlan } from '../../src/durability/checkpoints/checkpointer.js';
import {
  ENTITIES_TABLE,
  type EntityState,
  encodeEntity,
  entityRowKey,
} from '../../src/durability/checkpoints/entity-rows.js';
import { entityName } from '../../src/durability/entity-name.js';
import type { WorldBuffer } from '../../src/memory/world/world-buffer.js';
import { SCALAR_ROW_LIMIT, SCALAR_TICK } from '../../src/memory/world/world-layout.js';
import type { ColdStore } from '../../src/stores/store-ports.js';

/** Enough for a store to commit several together, as it does for a server that does not wait for each. */
const WRITES_UNDER_WAY = 32;

export const WRITE_THROUGH_RULE =
  'write-through: one write per entity and tick in which a persistent value but the position changed, positions once per second';

export class WriteThrough {
  /** Writes for a value, and for a position alone. */
  valueWrites = 0;
  positionWrites = 0;
  private readonly written = new Map<string, EntityState>();

  constructor(
    private readonly worlds: readonly WorldBuffer[],
    private readonly plan: CheckpointPlan,
    private readonly store: ColdStore,
    private readonly world: string,
    private readonly tickHz: number,
  ) {}

  /** Writes what the tick has changed, and waits for it, so that writes of one entity keep their order. */
  async tick(isLast = false): Promise<void> {
    const changes = this.findChanges(isLast);
    for (let start = 0; start < changes.length; start += WRITES_UNDER_WAY) {
      await Promise.all(changes.slice(start, start + WRITES_UNDER_WAY).map((change) => this.write(change)));
    }
  }

  private write([entity, state]: [string, EntityState]): Promise<void> {
    const row = { key: entityRowKey(this.world, entity), value: encodeEntity(state) };
    return this.store.putRows(ENTITIES_TABLE, [row]);
  }

  private findChanges(isLast: boolean): [string, EntityState][] {
    const changes: [string, EntityState][] = [];
    for (const [entity, state] of readLasting(this.worlds, this.plan)) {
      const before = this.written.get(entity);
      const hasMoved = before?.positionX !== state.positionX || before.positionY !== state.positionY;
      if (before === undefined || this.hasNewValue(before, state)) this.valueWrites++;
      else if (hasMoved && (isLast || state.tick - before.tick >= this.tickHz)) this.positionWrites++;
      else continue;
      this.written.set(entity, state);
      changes.push([entity, state]);
    }
    return changes;
  }

  private hasNewValue(before: EntityState, now: EntityState): boolean {
    return before.kind !== now.kind || this.plan.fields.some((field) => before.fields[field] !== now.fields[field]);
  }
}

/** Every entity that lasts, by its name, as the world has it now. */
export function readLasting(worlds: readonly WorldBuffer[], plan: CheckpointPlan): Map<string, EntityState> {
  const found = new Map<string, EntityState>();
  for (const { zoneId, committed } of worlds) {
    const { scalars, columns } = committed;
    for (let row = 0; row < scalars[SCALAR_ROW_LIMIT]; row++) {
      if (columns.alive[row] === 0) continue;
      if (columns.owner[row] <= 0 && !plan.isLasting[columns.kind[row]]) continue;
      found.set(entityName(columns.key[row]), {
        kind: plan.kinds[columns.kind[row]],
        zone: zoneId,
        tick: scalars[SCALAR_TICK],
        positionX: columns.positionX[row],
        positionY: columns.positionY[row],
        fields: Object.fromEntries(plan.fields.map((name) => [name, columns[name][row]])),
      });
    }
  }
  return found;
}
