// What a game tells clients in a zone. Where nobody listens, as in a replay, a note is looked up and goes no further.

import type { GameDefinition } from '../../game/definition.js';
import type { NoteValues } from '../../game/notes/note-forms.js';
import type { Block } from '../../memory/world/world-buffer.js';
import type { ColumnChoice } from '../entities/columns.js';
import { ZoneDeadlines } from './zone-deadlines.js';

export interface NoteSink {
  tell(row: number, note: number, values: NoteValues): void;
}

export class ZoneNotes extends ZoneDeadlines {
  /** Undefined: there are no clients. */
  noteSink: NoteSink | undefined;
  private readonly noteNumbers: ReadonlyMap<string, number>;

  constructor(
    block: Block,
    game: ColumnChoice & Pick<GameDefinition, 'schedules' | 'notes'>,
    ownCapacity: number,
    tickHz: number,
  ) {
    super(block, game, ownCapacity, tickHz);
    this.noteNumbers = new Map(game.notes?.map(({ name }, number) => [name, number]));
  }

  tell(row: number, note: string, values: NoteValues): void {
    const number = this.noteNumbers.get(note);
    if (number === undefined) throw new Error(`zone.tell: the game has no note '${note}'`);
    this.noteSink?.tell(row, number, values);
  }
}
