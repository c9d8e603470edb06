// A game that tells notes, for schemas/golden. The bytes of its notes are written by hand from WIRE.md.

import { listNotes } from '../../src/game/notes/list-notes.js';
import { buildFrame } from '../../src/protocol/fb/server-frame.js';
import { describeGame } from '../../src/protocol/game-description.js';
import { goldenWelcome } from './golden-welcome.js';

export const GOLDEN_NOTE_GAME = describeGame({
  name: 'talk',
  kinds: ['player'],
  fields: {},
  commands: [],
  notes: listNotes({
    said: { payload: { who: { type: 'ref' }, text: { type: 'text', bytes: 120 } } },
    beaten: { payload: { by: { type: 'ref' }, how: { type: 'u8', oneOf: ['sword', 'bow'] }, far: { type: 'u16' } } },
  }),
});

/** Notes 0 said and 1 beaten. */
export const GOLDEN_NOTE_FRAMES = [
  {
    name: 'notes-01-welcome',
    comment: 'Welcome: client 8, entity 4; a note with a reference and a text, and one with an enum and a number',
    bytes: goldenWelcome(GOLDEN_NOTE_GAME, { clientId: 8, entityId: 4, notes: GOLDEN_NOTE_GAME.notes }),
  },
  {
    name: 'notes-02-told',
    comment: 'Tick 1000: notes 3 and 4 of this client: entity 300 said "Hé"; beaten by nobody, with a bow, from 258',
    bytes: buildFrame({
      tick: 1000,
      ack: 0,
      notes: {
        number: 3,
        bytes: Uint8Array.of(...[0, 0x2d, 1, 0, 0, 3, 0x48, 0xc3, 0xa9], ...[1, 0, 0, 0, 0, 1, 2, 1]),
      },
    }),
  },
];
