// An entity as a client knows it, by the names of the game instead of numbers.

import type { EntityDecoder, EntityState } from '../protocol/fb/entity-decoder.js';
import type { FieldValue } from '../protocol/fb/rich-records.js';

export interface SeenEntity {
  id: number;
  kind: string;
  x: number;
  y: number;
  /** Replicated fields of its kind by name, as the client has them after the wire's rounding. */
  fields: Record<string, FieldValue>;
}

export function nameEntity(decoder: EntityDecoder, { id, kind, x, y, fields }: EntityState): SeenEntity {
  const named = decoder.fields
    .map(({ name }, index) => [name, fields[index]] as const)
    .filter(([, value]) => value !== undefined);
  return { id, kind: decoder.kinds[kind], x, y, fields: Object.fromEntries(named) };
}
