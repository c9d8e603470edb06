// Mistakes in which kinds there are, and in which fields they have.

import { WIRE_FIELDS_MAX, WIRE_KINDS_MAX } from '../../protocol/limits.js';
import { COMPONENTS_MAX, FIELD_ELEMENTS_MAX, RECORD_FIELD_BYTES_MAX } from '../limits.js';
import { checkNames, hint, isName, isObject, type Loose, NAME_RULE, type Say, show } from './checks.js';

/** Returns the names of the kinds. */
export function checkKinds({ kinds, components }: Loose, say: Say): string[] {
  if (!isObject(kinds)) return checkNames('kinds', kinds, 1, WIRE_KINDS_MAX, say);
  const names = Object.keys(kinds);
  if (names.length < 1 || names.length > WIRE_KINDS_MAX) {
    say('kinds', `has ${names.length}`, `1 to ${WIRE_KINDS_MAX}`);
  }
  const known = isObject(components) ? Object.keys(components) : [];
  for (const name of names) {
    const part = `kinds.${name}`;
    if (!isName(name)) say(part, 'has a name that cannot be used', NAME_RULE);
    const own = kinds[name];
    if (!Array.isArray(own)) {
      say(part, `is ${show(own)}`, 'a list of components; [] for none');
      continue;
    }
    own.forEach((component, index) => {
      if (!known.includes(component)) {
        const allowed = known.length === 0 ? 'none, since the game has no components' : known.join(', ');
        say(part, `lists ${show(component)}, which is no component${hint(component, known)}`, allowed);
      } else if (own.indexOf(component) !== index) say(part, `lists '${component}' again`, 'each component once');
    });
  }
  return names;
}

export function checkComponents(
  game: Loose,
  say: Say,
  checkFields: (part: string, fields: unknown, say: Say) => void,
): void {
  const { components, fields } = game;
  if (components === undefined) return;
  if (!isObject(components)) {
    say('components', `is ${show(components)}`, 'an object of components by name, each an object of fields by name');
    return;
  }
  const names = Object.keys(components);
  if (names.length > COMPONENTS_MAX) say('components', `has ${names.length}`, `at most ${COMPONENTS_MAX}`);
  const owners = new Map<string, string>(Object.keys(isObject(fields) ? fields : {}).map((name) => [name, 'fields']));
  for (const name of names) {
    const part = `components.${name}`;
    if (!isName(name)) say(part, 'has a name that cannot be used', NAME_RULE);
    if (components[name] === undefined) say(part, 'is missing', 'an object of fields by name');
    checkFields(part, components[name], say);
    for (const field of Object.keys(isObject(components[name]) ? components[name] : {})) {
      const owner = owners.get(field);
      if (owner !== undefined) say(`${part}.${field}`, `is also in ${owner}`, 'a name of its own for each field');
      else owners.set(field, part);
    }
  }
  checkKindSizes(game, components, say);
}

/** What an entity has in all, and what the Welcome has to list. */
function checkKindSizes({ kinds, fields }: Loose, components: Loose, say: Say): void {
  const common = sizeOf(fields);
  const sizes = new Map(Object.keys(components).map((name) => [name, sizeOf(components[name])]));
  const all = [common, ...sizes.values()].reduce((sum, { replicated }) => sum + replicated, 0);
  if (all > WIRE_FIELDS_MAX) say('components', `have ${all} fields with a wire form`, `at most ${WIRE_FIELDS_MAX}`);
  const lists = isObject(kinds) ? Object.entries(kinds) : [['', [...sizes.keys()]] as const];
  for (const [kind, list] of lists) {
    const own = (Array.isArray(list) ? list : []).map((name) => sizes.get(name) ?? sizeOf(undefined));
    if (own.length === 0) continue; // the fields of every kind are checked by themselves
    const part = kind === '' ? 'kinds' : `kinds.${kind}`;
    const elements = own.reduce((sum, size) => sum + size.elements, common.elements);
    const wireBytes = own.reduce((sum, size) => sum + size.wireBytes, common.wireBytes);
    if (elements > FIELD_ELEMENTS_MAX) say(part, `has ${elements} values per entity`, `at most ${FIELD_ELEMENTS_MAX}`);
    if (wireBytes > RECORD_FIELD_BYTES_MAX) {
      say(part, `has ${wireBytes} bytes with a wire form, at four a number`, `at most ${RECORD_FIELD_BYTES_MAX}`);
    }
  }
}

interface Size {
  replicated: number;
  elements: number;
  wireBytes: number;
}

export function sizeOf(fields: unknown): Size {
  const size = { replicated: 0, elements: 0, wireBytes: 0 };
  for (const { type, length, bytes, wire } of Object.values(isObject(fields) ? fields : {}).filter(isObject)) {
    const count = Number(type === 'text' ? bytes : (length ?? 1));
    size.elements += count;
    if (wire === undefined) continue;
    size.replicated++;
    size.wireBytes += count * (type === 'text' ? 1 : 4);
  }
  return size;
}
