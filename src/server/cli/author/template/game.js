// {{name}}: players walk, dash and collect coins.
//
// The world is cut into zones, and everything here runs for one zone at a time: rows are entities of this zone. A player who
// walks over a border takes its fields along. Near a border zone.queryCircle also finds entities of the neighbouring zone;
// their rows are from zone.rowLimit on and may only be read.

import { defineGame, RejectCode } from 'tessera/game';
import { COMMANDS } from './web/commands.js';

export const PLAYER = 0;
export const COIN = 1;
export const PICKED = 0;

const SPEED = 6;
const DASH_SPEED = 18;
const DASH_SECONDS = 0.25;
const DASH_PAUSE_SECONDS = 2;
const REACH = 1.2;
/** Area for one coin. */
const UNITS_PER_COIN = 80;

const fields = /** @type {const} */ ({
  // With `wire`, whoever sees the entity gets the value. Without it, it stays on the server.
  score: { type: 'u16', wire: { type: 'u16' } },
  // Not persistent: only of the moment, and not kept with the player.
  stepX: { type: 'i8', persistent: false },
  stepY: { type: 'i8', persistent: false },
  dashLeft: { type: 'f32', persistent: false, wire: { type: 'u8', scale: 0.01 } },
  dashPause: { type: 'f32', persistent: false },
});

/** @typedef {import('tessera/game').Zone<typeof fields>} Zone */

const nearby = new Int32Array(64);

/** @param {Zone} zone */
function walk(zone) {
  const { alive, kind, positionX, positionY, dt, world } = zone;
  const { stepX, stepY, dashLeft, dashPause } = zone.columns;
  for (let row = 0; row < zone.rowLimit; row++) {
    if (alive[row] === 0 || kind[row] !== PLAYER) continue;
    dashLeft[row] = Math.max(0, dashLeft[row] - dt);
    dashPause[row] = Math.max(0, dashPause[row] - dt);
    const length = Math.sqrt(stepX[row] * stepX[row] + stepY[row] * stepY[row]);
    if (length === 0) continue;
    const way = ((dashLeft[row] > 0 ? DASH_SPEED : SPEED) * dt) / length;
    positionX[row] = Math.min(world.width - 1, Math.max(1, positionX[row] + stepX[row] * way));
    positionY[row] = Math.min(world.height - 1, Math.max(1, positionY[row] + stepY[row] * way));
  }
}

/** @param {Zone} zone */
function collect(zone) {
  const { alive, kind, positionX, positionY } = zone;
  for (let row = 0; row < zone.rowLimit; row++) {
    if (alive[row] === 0 || kind[row] !== PLAYER) continue;
    const count = zone.queryCircle(positionX[row], positionY[row], REACH, nearby);
    for (let i = 0; i < count; i++) {
      const coin = nearby[i];
      // A coin beyond the border is collected from its own side of it.
      if (coin >= zone.rowLimit || alive[coin] === 0 || kind[coin] !== COIN) continue;
      zone.despawn(coin);
      zone.columns.score[row] += 1;
      zone.emit(PICKED, row, -1, zone.columns.score[row], 0);
      placeCoin(zone);
    }
  }
}

/** @param {Zone} zone */
function placeCoin(zone) {
  const { x, y, width, height } = zone.area;
  zone.spawn(COIN, x + zone.random() * width, y + zone.random() * height);
}

export default defineGame({
  name: '{{gameName}}',
  version: 1,
  kinds: ['player', 'coin'],
  fields,
  commands: {
    Walk: {
      payload: COMMANDS.Walk.payload,
      apply(zone, row, { x, y }) {
        zone.columns.stepX[row] = x;
        zone.columns.stepY[row] = y;
      },
    },
    Dash: {
      payload: COMMANDS.Dash.payload,
      apply(zone, row) {
        if (zone.columns.dashPause[row] > 0) return RejectCode.Cooldown;
        zone.columns.dashLeft[row] = DASH_SECONDS;
        zone.columns.dashPause[row] = DASH_PAUSE_SECONDS;
        return RejectCode.None;
      },
    },
  },
  events: ['picked'],
  eventForms: { picked: { topic: 'player', a: 'score' } },
  systems: [
    { name: 'walk', run: walk },
    { name: 'collect', run: collect },
  ],
  spawnPlayer: (zone, x, y) => zone.spawn(PLAYER, x, y),
  populate(zone) {
    const coins = (zone.area.width * zone.area.height) / UNITS_PER_COIN;
    for (let i = 0; i < coins; i++) placeCoin(zone);
  },
});
