// What the platform can give to a player of the arena.

import type { GrantDefinition } from '../../game/definition.js';
import { RejectCode } from '../../game/reject-codes.js';
import type { ArenaFields } from './fields.js';
import { HP_MAX } from './rules.js';

/** Heals by so many points, up to the maximum. It raises nobody from the dead, and who has them all is refused. */
export const HP: GrantDefinition<ArenaFields> = {
  name: 'hp',
  min: 1,
  max: HP_MAX,
  apply(zone, row, amount) {
    const { hp } = zone.columns;
    if (hp[row] === 0) return RejectCode.NotAlive;
    if (hp[row] === HP_MAX) return RejectCode.GameRule;
    hp[row] = Math.min(HP_MAX, hp[row] + Math.ceil(amount));
    return RejectCode.None;
  },
};
