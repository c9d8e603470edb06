// Traders who walk over all borders and send each other gold all the time, until the shared record says that they stand still.
// Who they are is known to the shared record, so that each can give to each.

import { defineGame } from '../../../src/game/define-game.js';

const PER_ZONE = 10;
export const TRADERS = 4 * PER_ZONE;
export const GOLD = 1000;

export default defineGame({
  name: 'trade',
  version: 1,
  kinds: ['trader', 'eye'],
  // Whoever looks counts them all.
  seenFrom: { trader: 'everywhere' },
  fields: {
    gold: { type: 'u32', wire: {} },
    given: { type: 'u32', wire: {} },
    speedX: { type: 'f32' },
    speedY: { type: 'f32' },
  },
  commands: {
    Halt: {
      payload: { on: { type: 'bool' } },
      apply: (zone, _row, { on }) => void zone.postShared('halt', { on }),
    },
  },
  messages: {
    give: {
      payload: { amount: { type: 'u16' } },
      apply(zone, row, { amount }) {
        zone.columns.gold[row] += amount;
      },
      // Nobody dies here: what comes back has been lost on its way.
      undelivered: (zone, _row, { amount }) => void zone.postShared('lost', { amount }),
    },
  },
  shared: {
    fields: {
      halted: { type: 'bool', wire: {} },
      lost: { type: 'u32', wire: {} },
      count: { type: 'u16', wire: {} },
      traders: { type: 'u32', length: TRADERS },
    },
    messages: {
      halt: {
        payload: { on: { type: 'bool' } },
        apply: ({ shared }, { on }) => void Object.assign(shared, { halted: on ? 1 : 0 }),
      },
      lost: {
        payload: { amount: { type: 'u16' } },
        apply({ shared }, { amount }) {
          shared.lost += amount;
        },
      },
      born: {
        payload: { who: { type: 'ref' } },
        apply({ shared }, { who }) {
          shared.traders[shared.count] = who;
          shared.count++;
        },
      },
    },
  },
  systems: [
    {
      name: 'trade',
      run(zone) {
        const { alive, kind, positionX, positionY, world, shared } = zone;
        const { gold, given, speedX, speedY } = zone.columns;
        if (shared.halted || shared.count < TRADERS) return;
        for (let row = 0; row < zone.rowLimit; row++) {
          if (alive[row] === 0 || kind[row] !== 0) continue;
          positionX[row] += speedX[row];
          positionY[row] += speedY[row];
          if (positionX[row] < 2 || positionX[row] > world.width - 2) speedX[row] *= -1;
          if (positionY[row] < 2 || positionY[row] > world.height - 2) speedY[row] *= -1;
          const to = shared.traders[Math.floor(zone.random() * TRADERS)];
          const amount = Math.min(gold[row], 1 + Math.floor(zone.random() * 60));
          if (amount === 0 || to === zone.refOf(row) || zone.random() > 0.4) continue;
          if (!zone.post(to, 'give', { amount }, row)) continue;
          gold[row] -= amount;
          given[row]++;
        }
      },
    },
  ],
  populate(zone, _bots, { x, y, width, height }) {
    for (let i = 0; i < PER_ZONE; i++) {
      const row = zone.spawn(0, x + 1 + zone.random() * (width - 2), y + 1 + zone.random() * (height - 2));
      zone.columns.gold[row] = GOLD;
      zone.columns.speedX[row] = (zone.random() - 0.5) * 2;
      zone.columns.speedY[row] = (zone.random() - 0.5) * 2;
      zone.postShared('born', { who: zone.refOf(row) });
    }
  },
  spawnPlayer: (zone, x, y) => zone.spawn(1, x, y),
});
