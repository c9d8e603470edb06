// What a Welcome says of a game: names and forms, in the order that numbers on the wire refer to.

import type { FieldDefinitions } from '../game/definition.js';
import { type ComponentForm, listKindFields } from '../game/fields/components.js';
import { type FieldForm, listReplicatedFields } from '../game/fields/replicated-fields.js';
import type { NoteForm } from '../game/notes/note-forms.js';
import { CommandLayouts, type DescribedCommand } from './fb/command-layout.js';
import { assertFitsWelcome, type CommandForm } from './fb/server-frame.js';

export interface GameDescription {
  game: string;
  /** Entity kinds by number. */
  kinds: readonly string[];
  /** Replicated fields in the order of the mask's bits. */
  fields: readonly FieldForm[];
  /** By kind, the numbers of the fields that it has. Absent: each has all. */
  kindFields?: readonly (readonly number[])[];
  commands: readonly CommandForm[];
  /** By number. */
  notes: readonly NoteForm[];
  layouts: CommandLayouts;
}

/** The part of a GameDefinition that the wire depends on. */
interface DescribedGame {
  name: string;
  kinds: readonly string[];
  fields: FieldDefinitions;
  components?: ComponentForm;
  commands: readonly DescribedCommand[];
  notes?: readonly NoteForm[];
}

export function describeGame(game: DescribedGame): GameDescription {
  const fields = listReplicatedFields(game.fields);
  const layouts = new CommandLayouts(game.commands);
  const commands = layouts.all.map(({ name, kind, bytes }) => ({ name, kind, bytes }));
  const kindFields = listKindFields(game.components, fields);
  const description: GameDescription = {
    game: game.name,
    kinds: game.kinds,
    fields,
    commands,
    notes: game.notes ?? [],
    layouts,
  };
  if (kindFields !== undefined) description.kindFields = kindFields;
  // Now, and not when the first client joins.
  assertFitsWelcome(description);
  return description;
}
