// The part of a game's commands that clients share.

import type { CommandDefinition } from './definition.js';
import { COMMAND_KIND_MIN } from './limits.js';
import { formPayload, type PayloadSource } from './payload.js';

/** A name, a number and the form of the payload. */
export type CommandForm = Pick<CommandDefinition, 'name' | 'kind' | 'payload'>;

/** What a client is given, and what the wire checks. */
export function describeCommands(
  commands: Readonly<Record<string, { payload: PayloadSource; kind?: number }>>,
): CommandForm[] {
  return Object.entries(commands).map(([name, { kind, payload }], index) => {
    return { name, kind: kind ?? COMMAND_KIND_MIN + index, payload: formPayload(payload) };
  });
}
