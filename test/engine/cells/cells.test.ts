import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRandom } from '../../../src/base/chance.js';
import { decodeCell } from '../../../src/durability/cells/cell-record.js';
import { findCellsInView } from '../../../src/durability/cells/cells-in-view.js';
import { CELLS_PER_CALL } from '../../../src/durability/cells/limits.js';
import { shapeOf } from '../../../src/durability/recovery/recovery.js';
import { fillZone, finishWorld } from '../../../src/durability/recovery/world-fill.js';
import { decodeZone } from '../../../src/durability/snapshots/zone-snapshot.js';
import { CELL_LOOK_TICKS } from '../../../src/engine/cells/limits.js';
import { planWorld } from '../../../src/engine/plan/world-plan.js';
import type { GameDefinition } from '../../../src/game/definition.js';
import { areaOfCell, worldCellOf } from '../../../src/memory/cells/cell-grid.js';
import {
  CHUNK_BODY,
  CHUNK_CELL,
  CHUNK_FIRST,
  CHUNK_ROWS,
  CHUNK_TOTAL,
  CHUNK_VERSION,
  FROM_STORE_NOTHING,
  FROM_STORE_ROWS,
} from '../../../src/memory/cells/cell-plan.js';
import { CELL_COLD, CELL_EVICTING, CELL_LIVE, CELL_LOADING } from '../../../src/memory/cells/cell-table.js';
import { ByteRing } from '../../../src/memory/rings/byte-ring.js';
import { COUNTER } from '../../../src/memory/tables/zone-counters.js';
import { WorldBuffer } from '../../../src/memory/world/world-buffer.js';
import { SCALAR_CELL_QUEUE } from '../../../src/memory/world/world-layout.js';
import type { HeadlessClient } from '../../../src/testing/headless-client.js';
import { encodeZone } from '../../durability/snapshots/plain-snapshot.js';
import { CELLS_WORLD, CellWorld, GARDEN } from './cell-world.js';
import { checkCensus, takeCensus } from './census.js';
import { KIND_STONE, RESTING_PER_CELL } from './garden-game.js';

const SEED = Number(process.env.TESSERA_SEED ?? 1);

function go(cells: CellWorld, client: HeadlessClient, x: number, y: number): void {
  cells.world.send(client, 'Go', { x, y });
}

async function join(cells: CellWorld, index: number): Promise<HeadlessClient> {
  const client = cells.world.join(index);
  await cells.until('it joins', () => client.frameCount > 0);
  return client;
}

/** Everybody is somewhere, but for who is on the way between two zones, and that no longer than a few ticks. */
async function census(cells: CellWorld, context: string): Promise<number> {
  let missing = new Set<number>();
  const { delay, isDown } = cells.store;
  for (let attempt = 0; attempt < 8; attempt++) {
    Object.assign(cells.store, { delay: 0, isDown: false }); // the census does not wait for beats
    const taken = await takeCensus(cells.world.plan, cells.worlds, cells.store, CELLS_WORLD);
    Object.assign(cells.store, { delay, isDown });
    const gone = checkCensus(taken, context);
    missing = new Set(gone.filter((serial) => attempt === 0 || missing.has(serial)));
    if (missing.size === 0) return taken.expected.size;
    await cells.run(1);
  }
  assert.fail(`${context}: nowhere are ${[...missing].join(', ')}`);
}

/** Stones within the view of a client that are known to be there, and that it does not see. */
function unseenStones(cells: CellWorld, client: HeadlessClient): number {
  const self = client.self;
  if (self === undefined) return 0;
  let unseen = 0;
  for (const { zone } of cells.world.hosts) {
    for (let row = 0; row < zone.rowLimit; row++) {
      if (zone.alive[row] === 0 || zone.kind[row] !== KIND_STONE) continue;
      const distance = Math.hypot(zone.positionX[row] - self.x, zone.positionY[row] - self.y);
      if (distance < 18 && !client.decoder.entities.has(zone.wireIdOf(row))) unseen++;
    }
  }
  return unseen;
}

function statesOf(cells: CellWorld, state: number): number {
  return cells.world.hosts.reduce(
    (sum, { cells: host }) => sum + (host?.cells.state.filter((one) => one === state).length ?? 0),
    0,
  );
}

for (const [name, settings] of [
  ['one zone', {}],
  ['four zones', { zoneColumns: 2, zoneRows: 2 }],
] as const) {
  test(`who walks never sees a cell that is not live, ${name}`, async () => {
    const cells = new CellWorld({ ...settings, seed: SEED }, name === 'one zone' ? 1 : 3);
    cells.store.delay = 6;
    const random = createRandom(SEED);
    const clients: HeadlessClient[] = [];
    for (let i = 0; i < 4; i++) clients.push(await join(cells, i));
    for (const client of clients) go(cells, client, Math.floor(random() * 24 - 12), Math.floor(random() * 24 - 12));
    let seen = 0;
    await cells.run(2400, () => {
      for (const client of clients) {
        if (random() < 0.02) go(cells, client, Math.floor(random() * 24 - 12), Math.floor(random() * 24 - 12));
        seen += client.decoder.entities.size;
        if (cells.world.tick % 30 === 0) assert.equal(unseenStones(cells, client), 0, `tick ${cells.world.tick}`);
      }
    });
    assert.ok(seen > 2400, 'there was something to see');
    assert.ok(cells.counter(COUNTER.cellEvictions) > 10, 'cells went');
    assert.ok(cells.counters.get('cellsLoaded') > 5, 'and some came back');
    assert.equal(cells.counter(COUNTER.cellsLate), 0, `seed ${SEED}`);
    assert.ok((await census(cells, `seed ${SEED}`)) > 100);
  });
}

test('a cell that nobody is near goes to the store with what rests in it, and comes back the same', async () => {
  const cells = new CellWorld({});
  const client = await join(cells, 0);
  const { zone } = cells.world.hosts[0];
  const stonesNow = (): string[] => {
    const stones: string[] = [];
    for (let row = 0; row < zone.rowLimit; row++) {
      if (zone.alive[row] === 0 || zone.kind[row] !== KIND_STONE) continue;
      stones.push(`${zone.columns.serial[row]} ${zone.positionX[row]} ${zone.positionY[row]}`);
    }
    return stones.sort();
  };
  await cells.run(30);
  const before = stonesNow();
  assert.ok(before.length > 3);
  cells.world.leave(client);
  await cells.until('all is cold', () => statesOf(cells, CELL_COLD) === 400);
  assert.equal(zone.entityCount, 0, 'no row is left');
  const ids = zone.engine.idTaken.reduce((sum, taken) => sum + taken, 0);
  assert.equal(ids, 0, 'no id is left');
  const puts = cells.store.puts;
  assert.ok(puts > 0);
  await join(cells, 1);
  await cells.run(30);
  assert.deepEqual(stonesNow(), before);
  const moods = (zone.columns.mood as Uint16Array).filter((_, row) => zone.alive[row] !== 0 && zone.kind[row] !== 0);
  assert.ok(moods.length > 3 && moods.every((mood) => mood === 1), 'every field comes back');
});

test('rows far larger than usual go to the store and come back the same', async () => {
  const wide = Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`wide${i}`, { type: 'f64' }]));
  const game = {
    ...GARDEN,
    fields: { ...GARDEN.fields, ...wide },
    systems: [],
    populateCell(zone, area, bots, random) {
      for (let i = 0; i < 20; i++) GARDEN.populateCell?.(zone, area, bots, random);
      for (let row = 0; row < zone.rowLimit; row++) zone.columns.wide199[row] = row * 1.5;
    },
  } as GameDefinition;
  const cells = new CellWorld({ worldWidth: 40, worldHeight: 40 }, 1, game);
  const { zone } = cells.world.hosts[0];
  const rowsNow = (): number[] =>
    [...zone.columns.wide199].filter((_, row) => zone.alive[row] !== 0 && zone.owner[row] === 0).sort((a, b) => a - b);
  const client = await join(cells, 0);
  await cells.run(10);
  const before = rowsNow();
  assert.equal(before.length, 20 * RESTING_PER_CELL);
  cells.world.leave(client);
  await cells.until('all is cold', () => statesOf(cells, CELL_COLD) === 1);
  await join(cells, 1);
  await cells.until('it is back', () => statesOf(cells, CELL_LIVE) === 1);
  assert.deepEqual(rowsNow(), before);
  assert.deepEqual(cells.said, []);
});

test('a cell in which nothing has moved is not written again', async () => {
  const cells = new CellWorld({ cellSize: 40, worldWidth: 80, worldHeight: 80 });
  const stones = { ...cells.world.game, systems: [] };
  const still = new CellWorld({ cellSize: 40, worldWidth: 80, worldHeight: 80 }, 1, stones);
  for (let round = 0; round < 3; round++) {
    const client = await join(still, round);
    await still.run(10);
    still.world.leave(client);
    await still.until('all is cold', () => statesOf(still, CELL_COLD) === 4);
  }
  assert.equal(still.store.puts, 4);
  assert.equal(still.counters.get('cellsSpared'), 8);
});

test('live cells and resting entities stay within their limits, the longest unneeded go first', async () => {
  const cells = new CellWorld({ cellTtlMs: 600000, cellsLiveMax: 12, cellEntitiesMax: 60 });
  const client = await join(cells, 0);
  go(cells, client, 12, 0);
  const needed: number[] = [];
  await cells.run(1200, () => {
    needed.push(cells.host().cells.heldCount);
  });
  assert.ok(Math.max(...needed) <= 12, `${Math.max(...needed)} cells`);
  assert.ok(cells.counter(COUNTER.cellEvictions) > 5);
  assert.equal(cells.counter(COUNTER.cellsLate), 0, 'what goes makes room for what is needed');
  await cells.run(8);
  assert.ok(cells.host().cells.restingTotal <= 60 + 16, `${cells.host().cells.restingTotal} entities`);
  await census(cells, 'limits');
});

test('a store that is slow: cells come late, that is counted and no tick waits', async () => {
  const cells = new CellWorld({});
  const client = await join(cells, 0);
  await cells.run(20);
  cells.world.leave(client);
  await cells.until('all is cold', () => statesOf(cells, CELL_COLD) === 400);
  cells.store.delay = 200;
  const again = cells.world.join(1);
  await cells.run(80);
  assert.ok(again.frameCount > 0, 'it has joined without them');
  assert.ok(statesOf(cells, CELL_LOADING) > 0);
  assert.equal(again.decoder.entities.size, 1, 'it sees itself alone');
  assert.ok(cells.counter(COUNTER.cellsLate) > 0);
  await cells.run(200);
  assert.equal(statesOf(cells, CELL_LOADING), 0);
  assert.ok(again.decoder.entities.size > 1, 'and then the others');
  await census(cells, 'late');
  const told = (): number => cells.said.filter((line) => line.includes('came into view')).length;
  await cells.until('they are told of', () => told() > 0);
  cells.replaceKeeper();
  await cells.run(700);
  assert.equal(told(), 1, 'once, also where another I/O thread has begun since');
});

test('a store that is down: nothing is given up, and when it is back all goes on', async () => {
  const cells = new CellWorld({});
  const client = await join(cells, 0);
  go(cells, client, 40, 0);
  await cells.run(60);
  cells.store.isDown = true;
  await cells.run(600);
  const held = cells.host().cells.heldCount + cells.host().cells.evictingCount;
  assert.ok(held > 20, 'cells pile up in memory');
  assert.equal(statesOf(cells, CELL_EVICTING) + statesOf(cells, CELL_LIVE), held);
  assert.equal(cells.counter(COUNTER.cellsLate), 0, 'what was never stored needs no store');
  assert.match(cells.said.join('\n'), /cells cannot be stored and stay in memory \(\d+ wait\): the store is down/);
  await census(cells, 'down');
  cells.store.isDown = false;
  await cells.run(300);
  assert.ok(cells.host().cells.heldCount + cells.host().cells.evictingCount < 20);
  await census(cells, 'back');
});

test('a cell that leaves and stays a hundred times while the store is down is stored once when it is back', async () => {
  const cells = new CellWorld({ cellTtlMs: 100 });
  const client = await join(cells, 0);
  await cells.run(20);
  cells.world.leave(client);
  await cells.until('one cell is left', () => statesOf(cells, CELL_COLD) === 400);
  await cells.until('all is answered', () => cells.counters.get('cellsWaiting') === 0);
  const zone = cells.host().cells;
  const cell = zone.version.findIndex((version) => version > 0);
  zone.startLoad(cell);
  await cells.until('it is here', () => zone.state[cell] === CELL_LIVE);
  cells.store.isDown = true;
  const waiting: number[] = [];
  for (let i = 0; i < 100; i++) {
    await cells.until('it leaves', () => zone.state[cell] === CELL_EVICTING);
    await cells.run(2);
    zone.cancelEvict([cell]);
    waiting.push(cells.counters.get('cellsWaiting'));
  }
  assert.equal(Math.max(...waiting), 1, 'one waits, however often it was asked for');
  await cells.run(1);
  assert.equal(cells.counters.get('cellsWaiting'), 0, 'and none while it stays');
  await cells.until('it leaves for good', () => zone.state[cell] === CELL_EVICTING);
  const { puts } = cells.store;
  cells.store.isDown = false;
  await cells.until('it is gone', () => zone.state[cell] === CELL_COLD, 300);
  await cells.run(60);
  assert.equal(cells.store.puts - puts, 1);
  await census(cells, 'left once');
});

test('cells that nobody wants any more are not loaded when the store is back', async () => {
  const cells = new CellWorld({ worldWidth: 1600, worldHeight: 80, cellTtlMs: 100 });
  const client = await join(cells, 0);
  go(cells, client, 100, 0);
  await cells.run(2400); // all along, so that every cell is in the store
  cells.world.leave(client);
  await cells.until('all is cold', () => statesOf(cells, CELL_COLD) === 80);
  assert.ok(cells.host().cells.version.every((version) => version > 0));
  cells.store.isDown = true;
  const again = await join(cells, 1);
  go(cells, again, 100, 0);
  let waiting = 0;
  let loading = 0;
  await cells.run(2400, () => {
    waiting = Math.max(waiting, cells.counters.get('cellsWaiting'));
    loading = Math.max(loading, statesOf(cells, CELL_LOADING));
  });
  assert.ok(waiting <= loading + 8, `${waiting} wait, of at most ${loading} that are wanted`);
  const loaded = cells.counters.get('cellsLoaded');
  const wanted = statesOf(cells, CELL_LOADING);
  cells.store.isDown = false;
  go(cells, again, 0, 0);
  await cells.run(200);
  assert.ok(
    cells.counters.get('cellsLoaded') - loaded <= wanted + 8,
    'as many as were wanted, and what came into view since',
  );
  await census(cells, 'back');
});

test('of more loads than go with one call, what players see goes first', async () => {
  const cells = new CellWorld({ cellSize: 20 });
  const client = await join(cells, 0);
  const zone = cells.host().cells;
  for (let cell = 0; cell < 200; cell++) zone.startLoad(cell);
  cells.world.leave(client);
  await cells.until('all is cold', () => statesOf(cells, CELL_COLD) === zone.count);
  cells.store.isDown = true;
  await join(cells, 1);
  await cells.until('it waits for what it sees', () => statesOf(cells, CELL_LOADING) > 3);
  const seen = [...zone.state.keys()].filter((cell) => zone.state[cell] === CELL_LOADING);
  await cells.until('the zone has just looked', () => cells.world.tick % CELL_LOOK_TICKS === 0);
  for (let cell = 0; cell < 200; cell++) zone.startLoad(cell);
  cells.replaceKeeper();
  cells.store.reads.length = 0;
  await cells.run(1);
  assert.equal(cells.counters.get('cellsWaiting'), 200 + seen.length);
  const inView = findCellsInView(cells.worlds, cells.world.plan.cells!);
  const expected = seen.filter((cell) => inView.has(cell));
  assert.ok(expected.length > 1 && expected[0] >= 200, `${expected}`);
  const [first] = cells.store.reads;
  assert.equal(first.length, CELLS_PER_CALL);
  assert.deepEqual(
    first.slice(0, expected.length).map((key) => Number.parseInt(key.slice(key.indexOf('/') + 1), 10)),
    expected,
  );
});

test('a full queue whose store is down asks for its cells once, and for few of them', async () => {
  const cells = new CellWorld({ worldWidth: 1600, worldHeight: 80, cellTtlMs: 100 });
  const client = await join(cells, 0);
  go(cells, client, 100, 0);
  await cells.run(2400);
  cells.world.leave(client);
  await cells.until('all is cold', () => statesOf(cells, CELL_COLD) === 80);
  cells.store.isDown = true;
  const { zone } = cells.world.hosts[0];
  for (let i = 0; i < 1200; i++) assert.ok(zone.tellCell((i % 40) * 40 + 1, 1, 7, 0, 0));
  const { state, since, queue } = cells.host().cells;
  const begun = new Set<string>();
  await cells.run(2000, () => {
    for (const [cell, is] of state.entries()) if (is === CELL_LOADING) begun.add(`${cell} ${since[cell]}`);
  });
  assert.ok(begun.size > 0 && begun.size <= 8, `${begun.size} loads were begun`);
  assert.ok(cells.counters.get('cellsWaiting') <= 8);
  cells.store.isDown = false;
  await cells.until('half of it is applied', () => queue.count <= queue.capacity / 2);
  await census(cells, 'queue');
});

test('a cell that the store never takes, or never gives back, is alone with that', async () => {
  const cells = new CellWorld({ cellTtlMs: 100 });
  const client = await join(cells, 0);
  await cells.run(20);
  const { state, version } = cells.host().cells;
  const cell = state.lastIndexOf(CELL_LIVE);
  const isIts = (key: string): boolean => key.includes(`/${cells.host().cells.worldCellOf(cell)}@`);
  const live = statesOf(cells, CELL_LIVE);
  assert.ok(live > 2);
  cells.store.fails = isIts;
  cells.world.leave(client);
  await cells.until('all others are cold', () => statesOf(cells, CELL_COLD) === 399, 3000);
  assert.equal(state[cell], CELL_EVICTING, 'it stands still in memory');
  assert.match(cells.said.join('\n'), /cells cannot be stored and stay in memory \(\d+ wait\): a row is too large/);
  cells.store.fails = () => false;
  await cells.until('it goes too', () => state[cell] === CELL_COLD, 300);
  cells.store.fails = isIts;
  assert.ok(version[cell] > 0);
  await join(cells, 1);
  await cells.until('the others are here', () => statesOf(cells, CELL_LIVE) >= live - 1, 3000);
  assert.equal(state[cell], CELL_LOADING);
  cells.store.fails = () => false;
  await cells.until('it is here too', () => state[cell] === CELL_LIVE, 300);
  await census(cells, 'alone');
});

test('after a call that timed out the store is left alone for the whole pause, and longer after the next', async () => {
  const cells = new CellWorld({ cellTtlMs: 100 });
  const client = await join(cells, 0);
  await cells.until('what is cleaned is', () => cells.store.rows.size > 0); // only cells call from then on
  cells.store.isDown = true;
  cells.store.delay = 240;
  cells.world.leave(client);
  const failures = (): number => cells.counters.get('cellFailures');
  for (const pauseMsMin of [75, 150, 300, 600]) {
    const before = failures();
    await cells.until('a call fails', () => failures() > before);
    const { putCalls } = cells.store;
    const pauseTicksMin = Math.floor((pauseMsMin * cells.world.settings.tickHz) / 1000);
    await cells.run(pauseTicksMin - 1);
    assert.equal(cells.store.putCalls, putCalls, `not within ${pauseMsMin} ms`);
  }
});

test('a cell that is wanted again on its way to the store never leaves', async () => {
  const cells = new CellWorld({});
  const client = await join(cells, 0);
  await cells.run(20);
  cells.store.delay = 100;
  cells.world.leave(client);
  await cells.until('cells are on their way', () => statesOf(cells, CELL_EVICTING) > 2);
  const back = await join(cells, 1);
  assert.equal(cells.counter(COUNTER.cellsLate), 0);
  await cells.run(150); // the store has answered for what did not leave
  assert.ok(back.decoder.entities.size > 1);
  assert.equal(unseenStones(cells, back), 0);
  await census(cells, 'wanted again');
});

test('without a time to live, cells that a player sees in another zone stay and go with him', async () => {
  const cells = new CellWorld({ zoneColumns: 2, cellTtlMs: 0 });
  const client = await join(cells, 0);
  const inZone = (): number => cells.world.hosts.findIndex(({ zone }) => zone.owner.includes(1));
  // To within sight of the border.
  const here = inZone();
  go(cells, client, here === 0 ? 40 : -40, 0);
  await cells.until('it is near', () => Math.abs((client.self?.x ?? 0) - 400) < 5, 3000);
  go(cells, client, 0, 0);
  await cells.run(60);
  const other = cells.host(1 - inZone()).cells;
  const began = other.state.filter((state) => state !== CELL_COLD).length;
  assert.ok(began > 2);
  const since = [...other.since];
  await cells.run(120);
  assert.deepEqual([...other.since], since, 'none of them has moved');
  assert.equal(cells.counter(COUNTER.cellsLate), 0);
});

test('what is told to a cold cell waits there, and is applied once and in order', async () => {
  const cells = new CellWorld({});
  const client = await join(cells, 0);
  await cells.run(20);
  const { zone } = cells.world.hosts[0];
  const { x, y } = client.self!;
  for (const digit of [1, 2]) cells.world.send(client, 'Rain', { x: Math.round(x), y: Math.round(y), digit });
  await cells.run(4);
  cells.world.leave(client);
  await cells.until('all is cold', () => statesOf(cells, CELL_COLD) === 400);
  for (const digit of [3, 4, 5]) assert.ok(zone.tellCell(x, y, 7, digit, 0));
  assert.equal(zone.tellCell(-5, 3, 7, 9, 0), false, 'a place outside is told of');
  await cells.run(5);
  cells.world.replaceThread(0); // the queue is part of what is committed
  await join(cells, 1);
  await cells.run(40);
  const now = cells.world.hosts[0].zone;
  const rains = new Set<number>();
  for (let row = 0; row < now.rowLimit; row++) {
    if (now.alive[row] !== 0 && now.columns.rains[row] === 5) rains.add(now.columns.rain[row]);
  }
  assert.deepEqual([...rains], [12345]);
  assert.equal(cells.host().cells.queue.waitingFor(cells.host().cells.cellAt(x, y)), 0);
});

test('who walks into a cold cell rests there', async () => {
  const cells = new CellWorld({ cellSize: 80, viewRadius: 10 });
  await join(cells, 0);
  await cells.run(3600);
  assert.ok(cells.host().cells.queue.count > 0 || cells.counter(COUNTER.cellLoads) > 9, 'some have left');
  await census(cells, 'walked away');
});

test('a full queue brings its cells in; a queue that cannot be emptied takes no more, and nobody is lost', async () => {
  const cells = new CellWorld({});
  const client = await join(cells, 0);
  await cells.run(10);
  const { zone } = cells.world.hosts[0];
  const cold = cells.host().cells.state.indexOf(CELL_COLD);
  const { x, y } = areaOfCell(cells.world.plan.cells!.grid, worldCellOf(cells.world.plan.cells!.grid, 0, cold));
  for (let i = 0; i < 3000; i++) zone.tellCell(x + 1, y + 1, 7, 0, 0);
  assert.equal(cells.host().cells.queue.count, 2048);
  assert.equal(cells.counter(COUNTER.cellQueueFull), 3000 - 2048);
  await cells.run(60);
  assert.equal(cells.host().cells.queue.waitingFor(cold), 0, 'it was brought in for them');
  cells.world.leave(client);
  await cells.run(10);
  await census(cells, 'full queue');
});

test("what waits is moved up once when a cell is loaded, however much of it is that cell's", async () => {
  const applied: number[] = [];
  const game = {
    ...GARDEN,
    applyToCell(zone, { x, y, kind, a }) {
      applied.push(a);
      if (a === 1) zone.tellCell(x, y, kind, 5000, 0); // behind all that waits
    },
  } as GameDefinition;
  const cells = new CellWorld({}, 1, game);
  await join(cells, 0);
  await cells.run(10);
  const { zone } = cells.world.hosts[0];
  const { queue, state, worldCellOf } = cells.host().cells;
  const { grid } = cells.world.plan.cells!;
  const [cold, other] = [...state.keys()].filter((cell) => state[cell] === CELL_COLD);
  const [at, elsewhere] = [cold, other].map((cell) => areaOfCell(grid, worldCellOf.call(cells.host().cells, cell)));
  for (let i = 0; i < 1000; i++) {
    assert.ok(zone.tellCell(at.x + 1, at.y + 1, 7, i, 0));
    if (i % 4 === 0) assert.ok(zone.tellCell(elsewhere.x + 1, elsewhere.y + 1, 7, 10000 + i, 0));
  }
  let moved = 0;
  queue.bytes.copyWithin = (target, start, end = 0) => {
    moved += end - start;
    return Uint8Array.prototype.copyWithin.call(queue.bytes, target, start, end) as typeof queue.bytes;
  };
  cells.host().cells.startLoad(cold);
  assert.deepEqual(applied, [...Array(1000).keys(), 5000]);
  assert.ok(moved <= 2 * 1250 * queue.recordBytes, `${moved} bytes were moved`);
  assert.deepEqual([queue.count, queue.waitingFor(cold), queue.waitingFor(other)], [250, 0, 250]);
  applied.length = 0;
  cells.host().cells.startLoad(other);
  assert.deepEqual(
    applied,
    Array.from({ length: 250 }, (_, i) => 10000 + 4 * i),
  );
  assert.equal(queue.count, 0);

  // Full: what the first of them makes wait has its place.
  applied.length = 0;
  const full = state.indexOf(CELL_COLD);
  const { x, y } = areaOfCell(grid, worldCellOf.call(cells.host().cells, full));
  for (let i = 0; i < queue.capacity; i++) assert.ok(zone.tellCell(x + 1, y + 1, 7, i + 1, 0));
  cells.host().cells.startLoad(full);
  assert.deepEqual(applied, [...Array.from({ length: queue.capacity }, (_, i) => i + 1), 5000]);
  assert.equal(cells.counter(COUNTER.cellQueueFull), 0);
  assert.equal(queue.count, 0);
});

test('threads that end at any moment lose nobody and double nobody', async () => {
  for (const seed of [SEED, SEED + 1, SEED + 2]) {
    const cells = new CellWorld({ seed, zoneColumns: 2, zoneRows: 2, cellTtlMs: 200 }, 2);
    const random = createRandom(seed);
    cells.store.delay = 3;
    const clients: HeadlessClient[] = [];
    for (let i = 0; i < 3; i++) clients.push(await join(cells, i));
    let ended = 0;
    await cells.run(900, () => {
      for (const client of clients) {
        if (random() < 0.03) go(cells, client, Math.floor(random() * 60 - 30), Math.floor(random() * 60 - 30));
      }
      if (random() < 0.04) {
        cells.world.replaceThread(random() < 0.5 ? 0 : 1);
        ended++;
      }
      if (random() < 0.02) cells.replaceKeeper();
      cells.store.isDown = random() < 0.1;
    });
    cells.store.isDown = false;
    assert.ok(ended > 10 && cells.counter(COUNTER.cellEvictions) > 20, `seed ${seed}`);
    await census(cells, `seed ${seed}`);
  }
});

test('a record that is damaged or gone is told of, and its cell begins from an older one, or anew', async () => {
  const cells = new CellWorld({});
  const client = await join(cells, 0);
  await cells.run(20);
  cells.world.leave(client);
  await cells.until('all is cold', () => statesOf(cells, CELL_COLD) === 400);
  const [first, second] = cells.store.recordKeys;
  cells.store.rows.get(first)![30] ^= 1;
  cells.store.rows.delete(second);
  await join(cells, 1);
  await cells.run(40);
  assert.equal(cells.counters.get('cellsDamaged'), 2);
  assert.match(cells.said.join('\n'), /its checksum does not match; it begins anew/);
  assert.match(cells.said.join('\n'), /it is not there; it begins anew/);
  await census(cells, 'damaged');
});

test('records that nothing names any more go, after snapshots have forgotten them', async () => {
  const cells = new CellWorld({ cellTtlMs: 100 });
  for (let round = 0; round < 4; round++) {
    const client = await join(cells, round);
    await cells.run(30);
    cells.world.leave(client);
    await cells.until('all is cold', () => statesOf(cells, CELL_COLD) === 400);
  }
  const records = cells.store.recordKeys.length;
  const coldCells = cells.host().cells.version.filter((version) => version > 0).length;
  assert.ok(records > coldCells, 'older ones are kept');
  await cells.run(700);
  assert.equal(cells.store.recordKeys.length, records, 'as long as no snapshot was taken');
  cells.counters.add('coldSnapshots', 3);
  await cells.run(700);
  assert.equal(cells.store.recordKeys.length, coldCells);
  await census(cells, 'cleaned');
});

test('records of another world in the same store are neither taken nor cleaned away; those of one given up here are', async () => {
  const other = '0c3d2a50-8f0f-4c0e-9d43-3f6f3b1d9a22';
  const earlier = '11111111-8f0f-4c0e-9d43-3f6f3b1d9a22';
  const cells = new CellWorld({ cellTtlMs: 100 });
  const { rows } = cells.store;
  cells.earlierWorlds = [earlier];
  cells.replaceKeeper();
  const countOf = (world: string): number => [...rows.keys()].filter((key) => key.startsWith(`cells/${world}/`)).length;
  const client = await join(cells, 0);
  await cells.run(20);
  cells.world.leave(client);
  await cells.until('all is cold', () => statesOf(cells, CELL_COLD) === 400);
  const own = [...rows].filter(([key]) => key.startsWith('cells/'));
  for (const [key, value] of own) {
    const [name, version] = key.slice(`cells/${CELLS_WORLD}/`.length).split('@');
    for (const world of [other, earlier]) {
      rows.set(`cells/${world}/${name}@${version}`, value);
      rows.set(`cells/${world}/${name}@1`, value);
    }
  }
  rows.delete(own[0][0]);
  await join(cells, 1);
  await cells.run(40);
  assert.match(cells.said.join('\n'), /it is not there; it begins anew/);
  cells.counters.add('coldSnapshots', 2);
  await cells.run(700);
  assert.equal(countOf(earlier), 2 * own.length, 'as long as snapshots name them');
  cells.counters.add('coldSnapshots', 1);
  await cells.run(700);
  assert.equal(countOf(earlier), 0);
  assert.equal(countOf(other), 2 * own.length);
  await census(cells, 'another world');
});

test('records of worlds that nobody has gone on with for a month go, but for the last of them', async () => {
  const worlds = Array.from({ length: 6 }, (_, i) => `${i}0000000-8f0f-4c0e-9d43-3f6f3b1d9a22`);
  const cells = new CellWorld({ cellTtlMs: 100 });
  const { rows } = cells.store;
  for (const world of worlds) {
    for (let cell = 0; cell < 120; cell++) rows.set(`cells/${world}/${cell}@7`, Uint8Array.of(1));
  }
  const left = (): string[] =>
    worlds.filter((world) => [...rows.keys()].some((key) => key.startsWith(`cells/${world}`)));
  const runDays = async (days: number): Promise<void> => {
    cells.startedMs += days * 24 * 3600 * 1000;
    cells.replaceKeeper();
    await cells.run(3600);
  };
  cells.counters.add('coldSnapshots', 3);
  await runDays(0);
  rows.set(`cell-worlds/${worlds[4]}`, rows.get(`cell-worlds/${CELLS_WORLD}`)!);
  await runDays(20);
  rows.set(`cell-worlds/${worlds[2]}`, rows.get(`cell-worlds/${CELLS_WORLD}`)!); // is gone on with for a day
  await runDays(9);
  assert.deepEqual(left(), worlds);
  cells.mayDrop = false;
  await runDays(2);
  assert.deepEqual(left(), worlds, 'while another server may live in the store');
  cells.mayDrop = true;
  await runDays(0);
  assert.equal(left().length, 2, left().join(' '));
  assert.ok(left().includes(worlds[2]), 'the last of them');
  await runDays(60);
  assert.equal(left().length, 2, 'two are kept for ever beside the one that lives');
  const noted = [...rows.keys()].filter((key) => key.startsWith('cell-worlds/')).length;
  assert.equal(noted, 3);
});

test('a runner who is faster than the store is asked ahead of', async () => {
  const cells = new CellWorld({ worldHeight: 80, worldWidth: 1600 });
  const client = await join(cells, 0);
  cells.store.delay = 20; // in which he runs 13 units; cells are live 7.5 beyond what he sees
  go(cells, client, 40, 0);
  await cells.run(9600); // to one end of the world, to the other, and over cells again that were stored
  assert.ok(cells.counters.get('cellsLoaded') > 20);
  assert.equal(cells.counter(COUNTER.cellsLate), 0);
});

test('a snapshot taken while cells come, go and wait for events holds everybody', async () => {
  const cells = new CellWorld({ cellTtlMs: 200 });
  const { world } = cells;
  const client = await join(cells, 0);
  await cells.run(20);
  world.leave(client);
  await cells.until('all is cold', () => statesOf(cells, CELL_COLD) === 400);
  const again = await join(cells, 1);
  go(cells, again, 40, 0);
  await cells.run(120);
  const { plan } = world;
  const { state, version } = cells.host().cells;
  const cold = state.findIndex((is, cell) => is === CELL_COLD && version[cell] > 0);
  const area = areaOfCell(plan.cells!.grid, worldCellOf(plan.cells!.grid, 0, cold));
  cells.store.delay = 1000;
  world.hosts[0].zone.tellCell(area.x + 1, area.y + 1, 7, 3, 0);
  go(cells, again, -100, 0);
  await cells.run(60);
  const states = [CELL_EVICTING, CELL_LOADING].map((is) => statesOf(cells, is));
  assert.ok(states[0] > 0 && states[1] > 0 && cells.host().cells.queue.count > 0, states.join(' '));

  const shape = { ...shapeOf(world.settings, world.game, plan), worldId: CELLS_WORLD };
  const snapshot = decodeZone(encodeZone(cells.worlds[0], shape, 1, 0) as Buffer);
  const later = planWorld(world.settings, world.game, 1, 0);
  const worlds = later.worlds.map((buffer) => new WorldBuffer(buffer, later.layout));
  fillZone(worlds[0], snapshot);
  finishWorld(worlds, later.layout.rowCapacity, world.tick);
  cells.store.delay = 0;
  const taken = await takeCensus(later, worlds, cells.store, CELLS_WORLD);
  assert.deepEqual(checkCensus(taken, 'a snapshot'), []);
  assert.ok(taken.expected.size > 40);
  assert.ok(!worlds[0].committed.cells!.state.includes(CELL_EVICTING), 'what was leaving is here');
  assert.equal(worlds[0].committed.scalars[SCALAR_CELL_QUEUE], cells.host().cells.queue.count);
});

/** A world of which a cell loads whose answer this test gives in the place of the I/O thread. */
async function answerByHand(cells: CellWorld) {
  const client = await join(cells, 0);
  await cells.run(20);
  cells.world.leave(client);
  await cells.until('all is cold', () => statesOf(cells, CELL_COLD) === 400);
  cells.store.delay = 50;
  cells.world.join(1);
  await cells.until('cells load', () => statesOf(cells, CELL_LOADING) === 4);
  const { plan } = cells.world;
  const { state, version, worldCellOf } = cells.host().cells;
  const cell = state.indexOf(CELL_LOADING);
  const worldCell = worldCellOf.call(cells.host().cells, cell);
  const [value] = [...cells.store.rows].filter(([key]) => key.startsWith(`cells/${CELLS_WORLD}/${worldCell}@`));
  const { rowColumns, rowBytes, rings } = plan.cells!;
  const rows = decodeCell(value[1], worldCell, rowColumns);
  const ring = new ByteRing(rings[0]);
  const send = (kind: number, shift: number, first: number, count: number, total: number): void => {
    const size = CHUNK_BODY + count * rowBytes;
    const at = ring.claim(kind, size);
    ring.view.setFloat64(at + CHUNK_VERSION, version[cell] + shift, true);
    ring.view.setInt32(at + CHUNK_CELL, cell, true);
    ring.view.setInt32(at + CHUNK_FIRST, first, true);
    ring.view.setInt32(at + CHUNK_ROWS, count, true);
    ring.view.setInt32(at + CHUNK_TOTAL, total, true);
    ring.bytes.set(rows.bytes.subarray(first * rowBytes, (first + count) * rowBytes), at + CHUNK_BODY);
    ring.commit(size);
    ring.publish();
  };
  return { cell, rows, send };
}

test('rows that come twice, or of another version, are passed over', async () => {
  const cells = new CellWorld({});
  const { cell, rows, send } = await answerByHand(cells);
  // Of another version; the second half before the first; the first half, twice; the second half, twice.
  for (const [shift, first] of [
    [1, 0],
    [0, 4],
    [0, 0],
    [0, 0],
    [0, 4],
    [0, 4],
  ]) {
    send(FROM_STORE_ROWS, shift, first, 4, rows.count);
  }
  cells.replaceKeeper();
  cells.world.run(1);
  assert.equal(cells.host().cells.state[cell], CELL_LIVE);
  assert.equal(cells.world.hosts[0].zone.entityCount, rows.count);
  cells.store.delay = 0;
  await cells.run(70);
  await census(cells, 'twice');
});

test('a record that cannot be read again after some of its rows have come leaves the cell with those', async () => {
  for (const total of [0, 3]) {
    const cells = new CellWorld({});
    const { cell, send, rows } = await answerByHand(cells);
    send(FROM_STORE_ROWS, 0, 0, 4, rows.count);
    cells.world.run(1);
    assert.equal(cells.host().cells.state[cell], CELL_LOADING);
    // By another I/O thread: there is no record, or an older one has fewer rows.
    if (total === 0) send(FROM_STORE_NOTHING, 0, 0, 0, 0);
    else send(FROM_STORE_ROWS, 0, 0, total, total);
    cells.world.run(1);
    assert.equal(cells.host().cells.state[cell], CELL_LIVE, `${total} rows`);
    assert.equal(cells.world.hosts[0].zone.entityCount, 4);
  }
});
