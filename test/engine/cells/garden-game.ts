// A garden of stones and beetles that rest in cells: each has a serial number, so that a census finds who is lost or there
// twice. Beetles crawl straight on, over the borders of cells; walkers go where their players send them, and fast.

import { defineGame } from '../../../src/game/define-game.js';
import type { FieldDefinitions, Zone } from '../../../src/game/definition.js';

export const KIND_WALKER = 0;
export const KIND_STONE = 1;
export const KIND_BEETLE = 2;
export const STONES_PER_CELL = 3;
export const BEETLES_PER_CELL = 5;
export const RESTING_PER_CELL = STONES_PER_CELL + BEETLES_PER_CELL;
/** Kinds of what is told to cells. */
export const RAIN = 7;

const FIELDS = {
  serial: { type: 'u32', wire: { type: 'u32' } },
  velocityX: { type: 'f32' },
  velocityY: { type: 'f32' },
  /** What rained on it, as digits in the order in which they fell. */
  rain: { type: 'f64' },
  rains: { type: 'u16' },
  mood: { type: 'u16', persistent: false },
} as const satisfies FieldDefinitions;

export type GardenZone = Zone<typeof FIELDS>;

/** The first serial of the cell at a place: any place of a cell gives another number. */
export function firstSerial(x: number, y: number): number {
  return (Math.round(y) * 10000 + Math.round(x)) * 10 + 1;
}

function crawl(zone: GardenZone): void {
  const { alive, positionX, positionY, dt, world } = zone;
  const { velocityX, velocityY } = zone.columns;
  for (let row = 0; row < zone.rowLimit; row++) {
    if (alive[row] === 0) continue;
    const x = positionX[row] + velocityX[row] * dt;
    const y = positionY[row] + velocityY[row] * dt;
    if (x < 1 || x > world.width - 1) velocityX[row] = -velocityX[row];
    else positionX[row] = x;
    if (y < 1 || y > world.height - 1) velocityY[row] = -velocityY[row];
    else positionY[row] = y;
  }
}

export default defineGame({
  name: 'garden',
  version: 1,
  kinds: ['walker', 'stone', 'beetle'],
  fields: FIELDS,
  commands: {
    Go: {
      kind: 300,
      payload: { x: { type: 'i8' }, y: { type: 'i8' } },
      apply(zone, row, { x, y }) {
        zone.columns.velocityX[row] = x;
        zone.columns.velocityY[row] = y;
      },
    },
    Rain: {
      kind: 301,
      payload: { x: { type: 'u16' }, y: { type: 'u16' }, digit: { type: 'u8' } },
      apply: (zone, _row, { x, y, digit }) => (zone.tellCell(x, y, RAIN, digit, 0) ? 0 : 300),
    },
  },
  systems: [{ name: 'crawl', run: crawl }],
  spawnPlayer: (zone, x, y) => zone.spawn(KIND_WALKER, x, y),
  restingKinds: ['stone', 'beetle'],
  populateCell(zone, area, _bots, random) {
    for (let i = 0; i < RESTING_PER_CELL; i++) {
      const kind = i < STONES_PER_CELL ? KIND_STONE : KIND_BEETLE;
      const row = zone.spawn(kind, area.x + random() * area.width, area.y + random() * area.height);
      if (row < 0) return;
      zone.columns.serial[row] = firstSerial(area.x, area.y) + i;
      zone.columns.mood[row] = 1;
      if (kind === KIND_BEETLE) {
        zone.columns.velocityX[row] = random() * 8 - 4;
        zone.columns.velocityY[row] = random() * 8 - 4;
      }
    }
  },
  /** Falls on every stone within 20. */
  applyToCell(zone, { x, y, kind, a }) {
    if (kind !== RAIN) throw new Error(`what is ${kind}?`);
    for (let row = 0; row < zone.rowLimit; row++) {
      if (zone.alive[row] === 0 || zone.kind[row] !== KIND_STONE) continue;
      if (Math.hypot(zone.positionX[row] - x, zone.positionY[row] - y) > 20) continue;
      zone.columns.rain[row] = zone.columns.rain[row] * 10 + a;
      zone.columns.rains[row]++;
    }
  },
});
