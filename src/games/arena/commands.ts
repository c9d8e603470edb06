// What becomes of what players ask for.

import { ArenaCommand } from '../../../schemas/generated/tessera/arena/arena-command.js';
import type { CommandSource } from '../../game/game-source.js';
import { RejectCode } from '../../game/reject-codes.js';
import { MOVE_PAYLOAD, SHOOT_PAYLOAD } from './command-forms.js';
import type { ArenaFields } from './fields.js';
import { fire } from './projectiles.js';
import { SHOOT_COOLDOWN_SECONDS } from './rules.js';

export const MOVE: CommandSource<ArenaFields, typeof MOVE_PAYLOAD> = {
  kind: ArenaCommand.Move,
  payload: MOVE_PAYLOAD,
  /** The dead may wish too: who holds a key down walks on when he stands up again. */
  apply(zone, row, { x, y }) {
    zone.columns.intentX[row] = x;
    zone.columns.intentY[row] = y;
  },
};

export const SHOOT: CommandSource<ArenaFields, typeof SHOOT_PAYLOAD> = {
  kind: ArenaCommand.Shoot,
  payload: SHOOT_PAYLOAD,
  apply(zone, row, { angle }) {
    const { hp, cooldownTicks } = zone.columns;
    if (hp[row] === 0) return RejectCode.NotAlive;
    if (cooldownTicks[row] > 0) return RejectCode.Cooldown;
    if (fire(zone, row, angle) < 0) return RejectCode.GameRule;
    cooldownTicks[row] = Math.round(SHOOT_COOLDOWN_SECONDS * zone.tickHz);
    return RejectCode.None;
  },
};
