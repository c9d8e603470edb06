// The commands of the arena as they lie on the wire (schemas/arena.fbs); clients and the server share them.

import { ArenaCommand } from '../../../schemas/generated/tessera/arena/arena-command.js';
import { describeCommands } from '../../game/describe-commands.js';
import { INTENT_MAX } from './rules.js';

export const MOVE_PAYLOAD = {
  x: { type: 'i8', min: -INTENT_MAX, max: INTENT_MAX },
  y: { type: 'i8', min: -INTENT_MAX, max: INTENT_MAX },
  reserved: { type: 'u16', reserved: true },
} as const;

export const SHOOT_PAYLOAD = { angle: { type: 'u16' }, reserved: { type: 'u16', reserved: true } } as const;

/** What a client is given. */
export const ARENA_COMMANDS = describeCommands({
  Move: { kind: ArenaCommand.Move, payload: MOVE_PAYLOAD },
  Shoot: { kind: ArenaCommand.Shoot, payload: SHOOT_PAYLOAD },
});
