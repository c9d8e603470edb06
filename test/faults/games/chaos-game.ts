// A game whose commands break the thread they run on, each in another way.

import { defineGame } from '../../../src/game/define-game.js';

const FIELDS = { steps: { type: 'u16', wire: { type: 'u16' } } } as const;
/** A global that outlives the thread: set, it makes every tick throw. */
const GLOBAL_CURSED = 0;

export default defineGame({
  name: 'chaos',
  version: 1,
  kinds: ['walker'],
  fields: FIELDS,
  commands: {
    Step: {
      payload: {},
      apply: (zone, row) => {
        zone.columns.steps[row]++;
      },
    },
    Throw: {
      payload: {},
      apply: () => {
        throw new Error('thrown on purpose');
      },
    },
    Spin: {
      payload: {},
      apply: () => {
        for (;;);
      },
    },
    Exit: { payload: {}, apply: () => process.exit(7) },
    Curse: {
      payload: {},
      apply: (zone) => {
        zone.globals[GLOBAL_CURSED] = 1;
      },
    },
  },
  systems: [
    {
      name: 'curse',
      run: (zone) => {
        // The tick of the curse itself is committed; the ones after it are not.
        if (zone.globals[GLOBAL_CURSED] > 0 && zone.globals[GLOBAL_CURSED]++ > 1)
          throw new Error('this world is cursed');
      },
    },
  ],
  spawnPlayer: (zone, x, y) => zone.spawn(0, x, y),
});
