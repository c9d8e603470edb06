// Coins: runners turn and run, and pick up coins that lie about. The second game, to show that the engine knows nothing
// of the first: other kinds, a quantised field, a command with a float in it.

import { defineGame } from '../../../src/game/define-game.js';
import type { FieldDefinitions, Zone } from '../../../src/game/definition.js';
import { RejectCode } from '../../../src/game/reject-codes.js';

export const KIND_RUNNER = 0;
export const KIND_COIN = 1;
export const EVENT_PICKED = 0;

export const COIN_COUNT = 50;
const SPEED = 5;
const PICK_RADIUS = 1;
const STAMINA_PER_SECOND = 0.1;
const NEARBY_MAX = 64;

const FIELDS = {
  score: { type: 'u16', wire: { type: 'u16' } },
  /** 0 to 1; falls while running, comes back while standing. */
  stamina: { type: 'f32', wire: { type: 'u8', scale: 1 / 255 }, persistent: false },
  stepX: { type: 'f32' },
  stepY: { type: 'f32' },
} as const satisfies FieldDefinitions;

type CoinsZone = Zone<typeof FIELDS>;

const nearby = new Int32Array(NEARBY_MAX);

function placeCoin(zone: CoinsZone): void {
  zone.spawn(KIND_COIN, zone.random() * zone.world.width, zone.random() * zone.world.height);
}

function run(zone: CoinsZone): void {
  const { alive, kind, positionX, positionY, dt, world } = zone;
  const { stamina, stepX, stepY } = zone.columns;
  for (let row = 0; row < zone.rowLimit; row++) {
    if (alive[row] === 0 || kind[row] !== KIND_RUNNER) continue;
    const running = stepX[row] !== 0 || stepY[row] !== 0;
    stamina[row] = Math.min(1, Math.max(0, stamina[row] + (running ? -dt : dt) * STAMINA_PER_SECOND));
    const speed = stamina[row] > 0 ? SPEED : SPEED / 2;
    // The world is a ring for runners: who leaves it at one side comes in at the other.
    positionX[row] = (positionX[row] + stepX[row] * speed * dt + world.width) % world.width;
    positionY[row] = (positionY[row] + stepY[row] * speed * dt + world.height) % world.height;
  }
}

function pickUp(zone: CoinsZone): void {
  const { alive, kind, positionX, positionY } = zone;
  for (let row = 0; row < zone.rowLimit; row++) {
    if (alive[row] === 0 || kind[row] !== KIND_RUNNER) continue;
    const count = zone.queryCircle(positionX[row], positionY[row], PICK_RADIUS, nearby);
    for (let i = 0; i < count; i++) {
      const coin = nearby[i];
      if (coin >= zone.rowLimit || alive[coin] === 0 || kind[coin] !== KIND_COIN) continue;
      // The index is a tick old: the row may be another coin by now, somewhere else.
      const dx = positionX[coin] - positionX[row];
      const dy = positionY[coin] - positionY[row];
      if (dx * dx + dy * dy > PICK_RADIUS * PICK_RADIUS) continue;
      zone.columns.score[row]++;
      zone.emit(EVENT_PICKED, row, coin, zone.columns.score[row], 0);
      zone.despawn(coin);
      placeCoin(zone);
    }
  }
}

export default defineGame({
  name: 'coins',
  version: 1,
  kinds: ['runner', 'coin'],
  fields: FIELDS,
  commands: {
    Run: {
      kind: 300,
      payload: {
        go: { type: 'bool' },
        x: { type: 'f32', min: -1, max: 1 },
        y: { type: 'f32', min: -1, max: 1 },
      },
      ratePerSecond: 20,
      apply(zone, row, { go, x, y }) {
        const length = Math.sqrt(x * x + y * y);
        if (go && length === 0) return RejectCode.GameRule;
        zone.columns.stepX[row] = go ? x / length : 0;
        zone.columns.stepY[row] = go ? y / length : 0;
        return RejectCode.None;
      },
    },
  },
  events: ['picked'],
  systems: [
    { name: 'run', run },
    { name: 'pick up', run: pickUp },
  ],
  spawnPlayer(zone, x, y) {
    const row = zone.spawn(KIND_RUNNER, x, y);
    if (row >= 0) zone.columns.stamina[row] = 1;
    return row;
  },
  populate(zone) {
    for (let i = 0; i < COIN_COUNT; i++) placeCoin(zone);
  },
});
