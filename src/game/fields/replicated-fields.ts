// The replicated fields of a game as the wire knows them: the server that writes them and the client that reads them number
// them alike.

import type { FieldDefinition, FieldDefinitions, FieldType } from '../definition.js';
import { FIELD_SHAPES, type FieldForm, type WireTypeName } from '../wire-types.js';

export { FIELD_SHAPES, type FieldForm };

/**
 * In the order of the mask's bits. What everybody gets comes first, so that the record of an entity has no byte of mask for
 * what only its team or its owner gets; otherwise the order is the game's.
 */
export function listReplicatedFields(fields: FieldDefinitions): FieldForm[] {
  const forms: FieldForm[] = [];
  for (const [name, field] of Object.entries(fields)) {
    if (field.wire !== undefined) forms.push(formField(name, field));
  }
  return forms.sort((a, b) => rankOf(a) - rankOf(b));
}

export function formField(name: string, field: FieldDefinition): FieldForm {
  const { type, oneOf, length, bytes, wire = {} } = field;
  const { scale = 1, audience } = wire;
  // Of a reference the id goes on the wire, one up: 0 is none, whose value so is -1.
  const offset = type === 'ref' ? -1 : (wire.offset ?? 0);
  const form: FieldForm = { name, type: wireTypeOf(type, wire.type), scale, offset };
  if (audience === 'team' || audience === 'owner') form.audience = audience;
  if (type === 'bool' || type === 'text' || type === 'ref') form.shape = type;
  if (type === 'text') form.length = bytes ?? 0;
  else if (length !== undefined) form.length = length;
  if (oneOf !== undefined) {
    form.shape = 'enum';
    form.names = oneOf;
  }
  return form;
}

function wireTypeOf(type: FieldType, wireType: WireTypeName | undefined): WireTypeName {
  if (type === 'bool' || type === 'text') return 'u8';
  if (type === 'ref') return 'u32';
  return wireType ?? (type === 'f64' ? 'f32' : type);
}

/** A number for everybody in view. Of a reference the number is made from what the column holds. */
export function isPlain({ audience, length, shape }: FieldForm): boolean {
  return audience === undefined && length === undefined && shape !== 'ref';
}

function rankOf(form: FieldForm): number {
  if (form.audience !== undefined) return form.audience === 'owner' ? 3 : 2;
  return isPlain(form) ? 0 : 1;
}
