// The arena with gold that only the platform gives, on the wire, so that a player sees every piece.

import type { GameDefinition } from '../../../src/game/definition.js';
import arena from '../../../src/games/arena/game.js';

const base = arena as unknown as GameDefinition;

export default {
  ...base,
  name: 'gold',
  fields: { ...base.fields, gold: { type: 'u16', wire: { type: 'u16' } } },
  events: [...base.events, 'got'],
  grants: [
    {
      name: 'gold',
      min: 1,
      max: 100,
      apply(zone, row, amount) {
        (zone.columns.gold as Uint16Array)[row] += amount;
        zone.emit(base.events.length, row, row, 0, 0);
        return 0;
      },
    },
  ],
} satisfies GameDefinition;
