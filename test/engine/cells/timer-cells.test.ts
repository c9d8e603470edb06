// Timers of what rests in cells: they stand still while it does.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fillZone, finishWorld } from '../../../src/durability/recovery/world-fill.js';
import { decodeZone } from '../../../src/durability/snapshots/zone-snapshot.js';
import type { GameDefinition, Zone } from '../../../src/game/definition.js';
import { CELL_COLD, CELL_EVICTING, CELL_LIVE } from '../../../src/memory/cells/cell-table.js';
import { WorldBuffer } from '../../../src/memory/world/world-buffer.js';
import { HeadlessWorld } from '../../../src/testing/headless-world.js';
import { encodeZone } from '../../durability/snapshots/plain-snapshot.js';
import { CellWorld, GARDEN } from './cell-world.js';

const SECONDS = 600;

/** Of all that rests; the short ones fire while somebody is near. */
const GAME = {
  ...GARDEN,
  timers: {
    sprout: { fire: () => assert.fail('far too soon') },
    breathe: {
      fire(zone: Zone, row: number) {
        (zone.columns as Record<string, Uint16Array>).mood[row]++;
        zone.after(row, 'breathe', 0.5);
      },
    },
  },
  populateCell(zone: Zone, area: never, bots: number, random: () => number) {
    const born = new Set<number>();
    for (let row = 0; row < zone.rowLimit; row++) if (zone.alive[row] === 0) born.add(row);
    const limit = zone.rowLimit;
    GARDEN.populateCell?.(zone, area, bots, random);
    for (let row = 0; row < zone.rowLimit; row++) {
      if (zone.alive[row] === 0 || zone.kind[row] === 0 || (row < limit && !born.has(row))) continue;
      zone.after(row, 'sprout', SECONDS);
      zone.after(row, 'breathe', 0.5);
    }
  },
} as unknown as GameDefinition;

/** By serial number, the ticks that are left of `sprout`. */
function ticksLeft({ world }: Pick<CellWorld, 'world'>): Map<number, number> {
  const left = new Map<number, number>();
  const zone = world.zones[0];
  for (let row = 0; row < zone.rowLimit; row++) {
    if (zone.alive[row] === 0 || zone.kind[row] === 0) continue;
    const { serial } = zone.columns as unknown as Record<string, Uint32Array>;
    left.set(serial[row], Math.round(zone.timeLeft(row, 'sprout') * world.settings.tickHz));
  }
  return left;
}

test('the time of what rests stands still in the store and goes on when it is back', async () => {
  const cells = new CellWorld({}, 1, GAME);
  const client = cells.world.join(0);
  await cells.run(40);
  const before = ticksLeft(cells);
  const began = cells.world.tick;
  assert.ok(before.size > 10 && [...before.values()].every((left) => left > 0));
  cells.world.leave(client);
  const { state } = cells.host().cells;
  await cells.until('all is cold', () => state.every((one) => one === CELL_COLD));
  const cold = cells.world.tick;
  await cells.run(200);
  const back = cells.world.tick;
  cells.world.join(1);
  await cells.run(60);
  const lived = cold - began + (cells.world.tick - back);
  const after = ticksLeft(cells);
  let compared = 0;
  for (const [serial, left] of after) {
    const was = before.get(serial);
    if (was === undefined) continue;
    assert.ok(left < was && left >= was - lived, `${serial}: ${was} before, ${left} after ${lived} ticks`);
    compared++;
  }
  assert.ok(compared > 10, String(compared));
  const zone = cells.world.zones[0];
  const { mood } = zone.columns as unknown as Record<string, Uint16Array>;
  for (let row = 0; row < zone.rowLimit; row++) {
    if (zone.alive[row] === 0 || zone.kind[row] === 0) continue;
    assert.ok(zone.timeLeft(row, 'breathe') > 0 && mood[row] > 1, 'it fires again and again');
  }
});

test('a cell that is wanted again while it leaves has lost the ticks between, and nothing else', async () => {
  const cells = new CellWorld({ cellTtlMs: 60000 }, 1, GAME);
  cells.world.join(0);
  await cells.run(40);
  const zone = cells.host().cells;
  const row = cells.world.zones[0].kind.findIndex((kind, i) => kind === 1 && cells.world.zones[0].alive[i] !== 0);
  const { positionX, positionY } = cells.world.zones[0];
  const cell = zone.cellAt(positionX[row], positionY[row]);
  const left = cells.world.zones[0].timeLeft(row, 'sprout');
  cells.store.isDown = true;
  zone.beginEvict([cell]);
  assert.deepEqual([zone.state[cell], cells.world.zones[0].timeLeft(row, 'sprout')], [CELL_EVICTING, -1]);
  zone.cancelEvict([cell]);
  assert.equal(cells.world.zones[0].timeLeft(row, 'sprout'), left);
});

test('a restart while a cell leaves keeps the time that was left of what rests there', async () => {
  const cells = new CellWorld({ cellTtlMs: 60000 }, 1, GAME);
  cells.world.join(0);
  await cells.run(40);
  const zone = cells.host().cells;
  const before = ticksLeft(cells);
  cells.store.isDown = true;
  zone.beginEvict([...zone.state.keys()].filter((cell) => zone.state[cell] === CELL_LIVE));
  assert.equal(ticksLeft(cells).size, 0, 'all stand still');
  cells.world.hosts[0].zone.buffer.commit(); // in the next tick those near the player are wanted again
  const { plan, settings } = cells.world;
  const { rowCapacity } = plan.layout;
  const bytes = encodeZone(cells.worlds[0], { rowCapacity } as never, 1, 0);
  const again = new HeadlessWorld(GAME, settings, 1, (next) => {
    const worlds = next.worlds.map((buffer) => new WorldBuffer(buffer, next.layout));
    fillZone(worlds[0], decodeZone(bytes));
    finishWorld(worlds, rowCapacity, 9000);
  });
  const after = ticksLeft({ world: again });
  assert.ok(before.size > 10, String(before.size));
  for (const [serial, left] of before) assert.equal(after.get(serial), left, `serial ${serial}`);
});
