// The commands of the arena as they lie on the wire (schemas/arena.fbs); clients and the server share them.

import { ArenaCommand } from '../../../schemas/generated/tessera/arena/arena-command.js';
import type { CommandDefinition } from '../../game/definition.js';
import { INTENT_MAX } from './rules.js';

type CommandForm = Pick<CommandDefinition, 'name' | 'kind' | 'payload'>;

export const MOVE_FORM: CommandForm = {
  name: 'Move',
  kind: ArenaCommand.Move,
  payload: [
    { name: 'x', type: 'i8', min: -INTENT_MAX, max: INTENT_MAX },
    { name: 'y', type: 'i8', min: -INTENT_MAX, max: INTENT_MAX },
    { name: 'reserved', type: 'u16', reserved: true },
  ],
};

export const SHOOT_FORM: CommandForm = {
  name: 'Shoot',
  kind: ArenaCommand.Shoot,
  payload: [
    { name: 'angle', type: 'u16' },
    { name: 'reserved', type: 'u16', reserved: true },
  ],
};
