// A small game whose systems, when the environment says so, do at one tick what they did not do when it was recorded, or
// take their time.

import { defineGame } from '../../../src/game/define-game.js';

const FIELDS = { steps: { type: 'u16', wire: { type: 'u16' } }, luck: { type: 'f32' } } as const;
const DRIFT_TICK = Number(process.env.DRIFT_TICK ?? -1);
/** Beside the luck of one walker: the luck, or the position, of the others too, or of others by chance. */
const DRIFT = process.env.DRIFT ?? '';
const SPIN_MS = Number(process.env.SPIN_MS ?? 0);

export default defineGame({
  name: 'drifting',
  version: 1,
  kinds: ['walker'],
  fields: FIELDS,
  events: ['stepped'],
  eventForms: { stepped: { topic: 'player', a: 'steps' } },
  commands: {
    Step: {
      payload: {},
      apply: (zone, row) => {
        zone.columns.steps[row]++;
        zone.columns.luck[row] = zone.random();
        zone.emit(0, row, -1, zone.columns.steps[row], 0);
      },
    },
  },
  systems: [
    {
      name: 'walk',
      run: (zone) => {
        const startMs = performance.now();
        while (performance.now() - startMs < SPIN_MS);
        for (let row = 0; row < zone.rowLimit; row++) {
          if (zone.alive[row] === 0) continue;
          zone.positionX[row] = (zone.positionX[row] + 0.25) % zone.world.width;
          if (zone.tick === DRIFT_TICK && (row === 1 || DRIFT === 'luck')) zone.columns.luck[row] += 0.5;
          if (zone.tick === DRIFT_TICK && DRIFT === 'position' && row > 1) zone.positionX[row] += 0.5;
          if (zone.tick === DRIFT_TICK && DRIFT === 'chance' && row > 1) zone.columns.luck[row] = Math.random();
        }
      },
    },
  ],
  populate: (zone, bots, area) => {
    for (let i = 0; i < bots; i++) zone.spawn(0, area.x + (i * area.width) / bots, area.y + area.height / 2);
  },
  spawnPlayer: (zone, x, y) => zone.spawn(0, x, y),
});
