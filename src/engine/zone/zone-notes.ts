// What a game tells clients in a zone. Where nobody listens, as in a replay, a note is looked up and goes no further.

import type { GameDefinition } from '../../game/definition.js';
import type { NoteValues } from '../../game/notes/note-forms.js';
import type { Block } from '../../memory/world/world-buffer.js';
import type { ColumnChoice } from '../entities/columns.js';
import { ZoneDeadlines } from './zone-deadlines.js';

export interface NoteSink {
  tell(row: number, note: number, values: NoteValues): void;
  tellAll(note: number, values: NoteValues): void;
  tellTeam(team: number, note: number, values: NoteValues): void;
  tellNear(x: number, y: number, radius: number, note: number, values: NoteValues): void;
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
    const number = this.numberOf(note, 'tell');
    this.noteSink?.tell(row, number, values);
  }

  tellAll(note: string, values: NoteValues): void {
    const number = this.numberOf(note, 'tellAll');
    this.noteSink?.tellAll(number, values);
  }

  tellTeam(team: number, note: string, values: NoteValues): void {
    if (this.teamColumn === undefined) throw new Error("zone.tellTeam is there in a game with 'teams: true'");
    const number = this.numberOf(note, 'tellTeam');
    this.noteSink?.tellTeam(team, number, values);
  }

  tellNear(x: number, y: number, radius: number, note: string, values: NoteValues): void {
    const number = this.numberOf(note, 'tellNear');
    this.noteSink?.tellNear(x, y, radius, number, values);
  }

  private numberOf(note: string, method: string): number {
    const number = this.noteNumbers.get(note);
    if (number === undefined) throw new Error(`zone.${method}: the game has no note '${note}'`);
    return number;
  }
}
