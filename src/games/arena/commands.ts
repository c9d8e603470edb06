// What becomes of what players ask for.

import { RejectCode } from '../../../schemas/generated/tessera/wire/reject-code.js';
import type { CommandDefinition } from '../../game/definition.js';
import { MOVE_FORM, SHOOT_FORM } from './command-forms.js';
import type { ArenaFields } from './fields.js';
import { fire } from './projectiles.js';
import { SHOOT_COOLDOWN_SECONDS } from './rules.js';

export const MOVE: CommandDefinition<ArenaFields> = {
  ...MOVE_FORM,
  /** The dead may wish too: who holds a key down walks on when he stands up again. */
  apply(zone, row, view, offset) {
    zone.columns.intentX[row] = view.getInt8(offset);
    zone.columns.intentY[row] = view.getInt8(offset + 1);
    return RejectCode.None;
  },
};

export const SHOOT: CommandDefinition<ArenaFields> = {
  ...SHOOT_FORM,
  apply(zone, row, view, offset) {
    const { hp, cooldownTicks } = zone.columns;
    if (hp[row] === 0) return RejectCode.NotAlive;
    if (cooldownTicks[row] > 0) return RejectCode.Cooldown;
    if (fire(zone, row, view.getUint16(offset, true)) < 0) return RejectCode.GameRule;
    cooldownTicks[row] = Math.round(SHOOT_COOLDOWN_SECONDS * zone.tickHz);
    return RejectCode.None;
  },
};
