// Which fields the entities of a kind have: those of its components, and those that every kind has.

import { SHARED_KIND } from '../shared/shared-source.js';
import type { FieldDefinitions } from './field-definition.js';

/** Fields by the name of their component. */
export type ComponentSources = Readonly<Record<string, FieldDefinitions>>;
/** The components of each kind, by name. */
export type KindComponents = Readonly<Record<string, readonly string[]>>;

type Intersection<U> = (U extends unknown ? (each: U) => void : never) extends (all: infer I) => void ? I : never;
/** Those that every kind has, and those of all components. */
export type AllFields<F extends FieldDefinitions, K> = F & Intersection<K[keyof K]>;

/** Bit 0 of a kind's components: the fields that stand in no component, which every kind of the game has. */
const COMMON = 0;

export interface ComponentForm {
  /** By the number of a kind: a bit for each component that it has. */
  ofKind: readonly number[];
  /** By the name of a field: the bit of its component. */
  ofField: Readonly<Record<string, number>>;
}

interface Source {
  kinds: readonly string[] | KindComponents;
  fields: FieldDefinitions;
  components?: ComponentSources | undefined;
  /** By the names of their columns. Absent: the game has no shared record. */
  sharedFields?: FieldDefinitions | undefined;
}

interface Compiled {
  kinds: readonly string[];
  fields: FieldDefinitions;
  /** Absent: every kind has every field. */
  components?: ComponentForm;
}

/** The shared record is a kind of its own behind the game's, with a component that no other kind has. */
export function compileComponents({ kinds, fields, components = {}, sharedFields }: Source): Compiled {
  const names = listKinds(kinds);
  const parts = Object.values(components);
  const all = Object.assign({}, fields, ...parts, sharedFields) as FieldDefinitions;
  if (sharedFields === undefined && parts.length === 0) return { kinds: names, fields: all };
  const bits = Object.keys(components);
  const ofField: Record<string, number> = {};
  for (const name of Object.keys(fields)) ofField[name] = COMMON;
  for (const [index, part] of parts.entries()) {
    for (const name of Object.keys(part)) ofField[name] = 1 + index;
  }
  const ofKind = names.map((name) => {
    const own = Array.isArray(kinds) ? bits : (kinds as KindComponents)[name];
    return own.reduce((set, component) => set | (1 << (1 + bits.indexOf(component))), 1 << COMMON);
  });
  if (sharedFields !== undefined) {
    const bit = 1 + parts.length;
    for (const name of Object.keys(sharedFields)) ofField[name] = bit;
    names.push(SHARED_KIND);
    ofKind.push(1 << bit);
  }
  return { kinds: names, fields: all, components: { ofKind, ofField } };
}

export function listKinds(kinds: readonly string[] | KindComponents): string[] {
  return Array.isArray(kinds) ? [...kinds] : Object.keys(kinds);
}

/** What is no field of the game, such as a column of the engine, every kind has. */
export function hasField(components: ComponentForm | undefined, kind: number, name: string): boolean {
  const bit = components?.ofField[name];
  return components === undefined || bit === undefined || ((components.ofKind[kind] ?? 0) & (1 << bit)) !== 0;
}

/** By kind, which of these fields it has, as their indexes; undefined: each has all. */
export function listKindFields(
  components: ComponentForm | undefined,
  fields: readonly { name: string }[],
): number[][] | undefined {
  return components?.ofKind.map((_, kind) =>
    [...fields.keys()].filter((index) => hasField(components, kind, fields[index].name)),
  );
}
