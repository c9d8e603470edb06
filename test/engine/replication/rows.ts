// Rows without a zone around them: what ChangeTicks and FrameBuilder look at, and nothing else.

import { ChangeTicks } from '../../../src/engine/replication/change-ticks.js';
import type { EngineZone } from '../../../src/engine/zone/zone.js';
import type { FieldDefinitions } from '../../../src/game/definition.js';
import { listReplicatedFields } from '../../../src/game/fields/replicated-fields.js';

export const ROWS = 64;
export const QUANTUM = 1 / 64;
export const FIELDS = {
  hp: { type: 'f64', wire: { type: 'u8' } },
  secret: { type: 'f64' },
  heat: { type: 'f64', wire: { type: 'f32' } },
  turn: { type: 'f64', wire: { type: 'i16', scale: 0.5, offset: -10 } },
  score: { type: 'f64', wire: { type: 'u32' } },
} as const satisfies FieldDefinitions;

export interface Rows {
  rowCapacity: number;
  tick: number;
  world: { width: number; height: number };
  kind: Uint8Array;
  positionX: Float64Array;
  positionY: Float64Array;
  columns: Record<keyof typeof FIELDS, Float64Array>;
  buffer: { blocks: { columns: Record<string, Float64Array> }[] };
}

export function makeRows(fields: FieldDefinitions = FIELDS): { zone: Rows; changes: ChangeTicks } {
  const columns = Object.fromEntries(Object.keys(fields).map((name) => [name, new Float64Array(ROWS)]));
  const zone: Rows = {
    rowCapacity: ROWS,
    tick: 0,
    world: { width: 200, height: 300 },
    kind: new Uint8Array(ROWS),
    positionX: new Float64Array(ROWS),
    positionY: new Float64Array(ROWS),
    columns: columns as Rows['columns'],
    buffer: { blocks: [{ columns }] },
  };
  return { zone, changes: new ChangeTicks(zone as unknown as EngineZone, listReplicatedFields(fields), QUANTUM) };
}
