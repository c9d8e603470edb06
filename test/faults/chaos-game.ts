// A game whose commands break the thread they run on, each in another way.

import { defineGame } from '../../src/game/definition.js';
import { GAME_KIND_MIN } from '../../src/protocol/limits.js';

const FIELDS = { steps: { type: 'u16', wire: { type: 'u16' } } } as const;
const NONE = 0;
/** A global that outlives the thread: set, it makes every tick throw. */
const GLOBAL_CURSED = 0;

export default defineGame({
  name: 'chaos',
  version: 1,
  kinds: ['walker'],
  fields: FIELDS,
  events: [],
  commands: [
    {
      name: 'Step',
      kind: GAME_KIND_MIN,
      payload: [],
      apply: (zone, row) => {
        zone.columns.steps[row]++;
        return NONE;
      },
    },
    {
      name: 'Throw',
      kind: GAME_KIND_MIN + 1,
      payload: [],
      apply: () => {
        throw new Error('thrown on purpose');
      },
    },
    {
      name: 'Spin',
      kind: GAME_KIND_MIN + 2,
      payload: [],
      apply: () => {
        for (;;);
      },
    },
    {
      name: 'Exit',
      kind: GAME_KIND_MIN + 3,
      payload: [],
      apply: () => process.exit(7),
    },
    {
      name: 'Curse',
      kind: GAME_KIND_MIN + 4,
      payload: [],
      apply: (zone) => {
        zone.globals[GLOBAL_CURSED] = 1;
        return NONE;
      },
    },
  ],
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
