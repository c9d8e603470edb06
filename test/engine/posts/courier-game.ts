// Couriers who walk over borders all the time, give each other gold wherever they are, and sometimes die. Gold is neither made nor
// lost: what a dead one had, and what came back to nobody, is in the globals of a zone.

import { defineGame } from '../../../src/game/define-game.js';

export const COURIERS = 48;
export const GOLD = 100;
export const OF_THE_DEAD = 0;
export const OF_NOBODY = 1;

/** What every courier is told by the test, since a module's variables are no state. */
export const orders = { mayGive: true, mayDie: true, mayWalk: true, refs: [] as number[] };

export const courierGame = defineGame({
  name: 'couriers',
  version: 1,
  kinds: ['courier'],
  fields: {
    gold: { type: 'u32' },
    got: { type: 'u32' },
    returned: { type: 'u32' },
    speedX: { type: 'f32' },
    speedY: { type: 'f32' },
    /** The last number that came from each of the first senders, and how often it was not the next one. */
    lastFrom: { type: 'u32', length: 4 },
    outOfOrder: { type: 'u32' },
  },
  messages: {
    give: {
      payload: { amount: { type: 'u16' }, from: { type: 'ref' } },
      apply(zone, row, { amount }) {
        zone.columns.gold[row] += amount;
        zone.columns.got[row]++;
      },
      undelivered(zone, row, { amount }) {
        if (row < 0) zone.globals[OF_NOBODY] += amount;
        else {
          zone.columns.gold[row] += amount;
          zone.columns.returned[row]++;
        }
      },
    },
    count: {
      payload: { sender: { type: 'u8' }, number: { type: 'u32' } },
      apply({ columns }, row, { sender, number }) {
        const at = row * 4 + sender;
        if (number !== columns.lastFrom[at] + 1) columns.outOfOrder[row]++;
        columns.lastFrom[at] = number;
      },
    },
  },
  systems: [
    {
      name: 'walk',
      run(zone) {
        const { alive, positionX, positionY, world, rowLimit } = zone;
        const { speedX, speedY, gold } = zone.columns;
        for (let row = 0; row < rowLimit; row++) {
          if (alive[row] === 0 || !orders.mayWalk) continue;
          positionX[row] += speedX[row];
          positionY[row] += speedY[row];
          if (positionX[row] < 2 || positionX[row] > world.width - 2) speedX[row] *= -1;
          if (positionY[row] < 2 || positionY[row] > world.height - 2) speedY[row] *= -1;
          if (orders.mayGive && gold[row] > 0 && zone.random() < 0.3) give(zone, row);
          if (orders.mayDie && zone.random() < 0.0005) {
            zone.globals[OF_THE_DEAD] += gold[row];
            zone.despawn(row);
          }
        }
      },
    },
  ],
  populate(zone, _bots, area) {
    const share = COURIERS / 4;
    for (let i = 0; i < share; i++) {
      const [x, y] = [1 + zone.random() * (area.width - 2), 1 + zone.random() * (area.height - 2)];
      const row = zone.spawn(0, area.x + x, area.y + y);
      zone.columns.gold[row] = GOLD;
      zone.columns.speedX[row] = (zone.random() - 0.5) * 6;
      zone.columns.speedY[row] = (zone.random() - 0.5) * 6;
    }
  },
  spawnPlayer: (zone, x, y) => zone.spawn(0, x, y),
});

function give(zone: Parameters<NonNullable<typeof courierGame.populate>>[0], row: number): void {
  const to = orders.refs[Math.floor(zone.random() * orders.refs.length)];
  const amount = 1 + Math.floor(zone.random() * zone.columns.gold[row]);
  if (to === undefined || to === zone.refOf(row)) return;
  if (zone.post(to, 'give', { amount, from: zone.refOf(row) }, row)) zone.columns.gold[row] -= amount;
}
