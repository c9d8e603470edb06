// What a game says of one field, and of which type its column is.

import type { ColumnArrays, ColumnType } from '../../memory/world/column-types.js';
import type { WireTypeName } from '../wire-types.js';

/** raw = round((value - offset) / scale), clamped to the type; value = raw * scale + offset. */
export interface WireForm {
  /** Default: the type of the field; of f64 f32. Not of bools, texts and references, which have one of their own. */
  type?: WireTypeName;
  scale?: number;
  offset?: number;
  /**
   * Who gets it. Default `view`: whoever sees the entity. `team`: of those, who is of the entity's team, and the client that
   * it belongs to. `owner`: only that client.
   */
  audience?: 'view' | 'team' | 'owner';
}

export interface FieldDefinition {
  type: FieldType;
  /** Of u8: its values are indexes of these names. Add names at the end only: what is stored are the indexes. */
  oneOf?: readonly string[];
  /** An array: so many values for each row, those of a row one behind the other. */
  length?: number;
  /** Of a text, and only there: its most bytes in UTF-8. See Zone.textOf. */
  bytes?: number;
  /** Absent: the field is private to the server. */
  wire?: WireForm;
  /**
   * Default true: part of the entity's checkpoint. Snapshots keep every field, since a world goes on with all of them; a
   * checkpoint is what is worth keeping of an entity for itself, such as its level, and not its speed of the moment.
   */
  persistent?: boolean;
}
export type FieldDefinitions = Record<string, FieldDefinition>;

/** bool: 0 or 1. text: UTF-8, see Zone.textOf. ref: an entity, see Zone.refOf; 0 is none. */
export type FieldType = ColumnType | 'bool' | 'text' | 'ref';
interface FieldArrays extends ColumnArrays {
  bool: Uint8Array;
  text: Uint8Array;
  ref: Uint32Array;
}

export type Columns<F extends FieldDefinitions> = { readonly [K in keyof F]: FieldArrays[F[K]['type']] };
