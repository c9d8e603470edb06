// From what an author has written to what the engine runs.

import type { CommandDefinition, GameDefinition, Zone } from './definition.js';
import { type CommandForm, describeCommands } from './describe-commands.js';
import { compileComponents } from './fields/components.js';
import type { CommandSource, GameSource } from './game-source.js';
import { compileMessages } from './messages/compile-messages.js';
import { listNotes } from './notes/list-notes.js';
import { PayloadReader, type PayloadSource } from './payload.js';
import { compileShared, nameColumns } from './shared/compile-shared.js';

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
    components,
    ...rest
  } = source;
  const compiledKinds = compileComponents({
    kinds,
    fields,
    components,
    sharedFields: shared && nameColumns(shared.fields),
  });
  const own = { systems, messages: messages as never };
  const { messages: all, ...parts } =
    shared === undefined ? own : compileShared(own, shared as never, compiledKinds.kinds.length - 1);
  const compiled = compileMessages(all);
  return {
    ...rest,
    ...compiledKinds,
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
