// From notes as an author writes them to the forms that both sides share.

import { formField } from '../fields/replicated-fields.js';
import type { NoteForm, NoteSources } from './note-forms.js';

export function listNotes(notes: NoteSources): NoteForm[] {
  return Object.entries(notes).map(([name, { payload }]) => {
    const values = Object.entries(payload).map(([value, source]) => formField(value, { ...source, wire: {} }));
    return { name, values };
  });
}
