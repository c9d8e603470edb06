// The types of values on the wire, for fields and for commands alike. Columns are indexed by the numbers of the schema's
// WireType (schemas/tessera.fbs).

export const WIRE_TYPES = { u8: 0, i8: 1, u16: 2, i16: 3, u32: 4, i32: 5, f32: 6 } as const;
export type WireTypeName = keyof typeof WIRE_TYPES;

export const WIRE_TYPE_NAMES = Object.keys(WIRE_TYPES) as readonly WireTypeName[];
export const WIRE_TYPE_BYTES: readonly number[] = [1, 1, 2, 2, 4, 4, 4];
const F32_MAX = 3.4028234663852886e38;
/** The least and the greatest value; those of f32 are finite. */
export const WIRE_TYPE_MIN: readonly number[] = [0, -128, 0, -32768, 0, -2147483648, -F32_MAX];
export const WIRE_TYPE_MAX: readonly number[] = [255, 127, 65535, 32767, 4294967295, 2147483647, F32_MAX];

/** What a field's values are, by the schema's FieldShape. */
export const FIELD_SHAPES = ['number', 'bool', 'enum', 'text', 'ref'] as const;

/** A replicated field: value = raw * scale + offset. */
export interface FieldForm {
  name: string;
  type: WireTypeName;
  scale: number;
  offset: number;
  /** Absent: whoever sees the entity gets it. */
  audience?: 'team' | 'owner';
  /** Absent: a number. */
  shape?: Exclude<(typeof FIELD_SHAPES)[number], 'number'>;
  /** Elements of an array, or the most bytes of a text. Absent: one value. */
  length?: number;
  /** What the values of an enum are called. */
  names?: readonly string[];
}
