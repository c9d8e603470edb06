// Notes: what a game tells clients that is no entity's state, such as chat and who was beaten by whom. Their values have the
// types of replicated fields, and so the same forms on the wire.

import type { FieldForm, WireTypeName } from '../wire-types.js';

/** One value of a note as an author writes it. */
export interface NoteValueSource {
  /** text: a string. ref: what Zone.refOf gives, 0 for none; clients get the entity's id. */
  type: WireTypeName | 'bool' | 'text' | 'ref';
  /** One of these names. It travels as the name's index, in a u8. Only with type u8. */
  oneOf?: readonly string[];
  /** Of a text, and only there: its most bytes in UTF-8. */
  bytes?: number;
}

export interface NoteSource {
  payload: Readonly<Record<string, NoteValueSource>>;
}

export type NoteSources = Readonly<Record<string, NoteSource>>;

/** A note as both sides know it; its number on the wire is its place in the game. */
export interface NoteForm {
  name: string;
  values: readonly FieldForm[];
}

/** What a game puts into a note, by name. */
export type NoteValues = Readonly<Record<string, number | boolean | string>>;
