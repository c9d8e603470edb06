// From what an author has written to what the engine runs.

import type { CommandDefinition, GameDefinition, Zone } from './definition.js';
import { type CommandForm, describeCommands } from './describe-commands.js';
import type { CommandSource, GameSource } from './game-source.js';
import { compileMessages } from './messages/compile-messages.js';
import { listNotes } from './notes/list-notes.js';
import { PayloadReader, type PayloadSource } from './payload.js';
import { compileShared } from './shared/compile-shared.js';

/** On what compileGame has made: a game that is exported as plain data is compiled when it is loaded. */
const COMPILED = Symbol.for('tessera.game');

export function isCompiled(game: unknown): game is GameDefinition {
  return typeof game === 'object' && game !== null && COMPILED in game;
}

export function compileGame(source: GameSource): GameDefinition {
  const {
    fields = {},
    commands = {},
    notes = {},
    events = [],
    systems = [],
    messages = {},
    shared,
    kinds,
    ...rest
  } = source;
  const own = { kinds, fields, systems, messages: messages as never };
  const { messages: all, ...parts } = shared === undefined ? own : compileShared(own, shared as never);
  const compiled = compileMessages(all);
  return {
    ...rest,
    ...parts,
    ...(compiled.length > 0 && { messages: compiled }),
    [COMPILED]: true,
    events,
    notes: listNotes(notes),
    commands: describeCommands(commands).map((form) => ({ ...form, ...compileCommand(form, commands[form.name]) })),
  } as unknown as GameDefinition;
}

function compileCommand(
  form: CommandForm,
  { apply, ratePerSecond }: CommandSource<never, PayloadSource>,
): Pick<CommandDefinition, 'apply' | 'ratePerSecond'> {
  const reader = new PayloadReader(form.payload);
  const compiled = {
    apply(zone: Zone, row: number, view: DataView, offset: number): number {
      const code = apply(zone as never, row, reader.read(view, offset) as never);
      return code === undefined ? 0 : code;
    },
  };
  return ratePerSecond === undefined ? compiled : { ...compiled, ratePerSecond };
}
