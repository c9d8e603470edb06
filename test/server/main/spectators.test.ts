// What main tells zones of spectators, with the test in the place of the zones.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { POSITION_QUANTUM } from '../../../src/engine/plan/world-plan.js';
import { RejectCode } from '../../../src/game/reject-codes.js';
import * as R from '../../../src/memory/records/thread-records.js';
import { ClientRoutes } from '../../../src/server/main/client-routes.js';
import { Spectators } from '../../../src/server/main/spectators.js';
import type { WatchOrder } from '../../../src/server/main/zone-orders.js';

const SIDE = 200;
const PLAYER = 1;
const SPECTATOR = 2;
/** Of the player's entity, of generation 3. */
const KEY = (3 << 23) | 40;
const steps = (place: number) => Math.round(place / POSITION_QUANTUM);

/** Two zones, side by side. */
function stage() {
  const routes = new ClientRoutes(8);
  const told: { zone: number; client: number; order: Partial<WatchOrder> }[] = [];
  const sought: { zone: number; key: number }[] = [];
  const dropped: number[] = [];
  const rings = { areFull: false };
  const spectators = new Spectators({
    routes,
    orders: {
      watch: (zone, client, _generation, order) => {
        if (!rings.areFull) told.push({ zone, client, order });
        return !rings.areFull;
      },
      seek: (zone, _client, _generation, key) => {
        sought.push({ zone, key });
        return true;
      },
    },
    worldWidth: SIDE,
    worldHeight: SIDE,
    zoneAt: (x) => (x < SIDE / 2 ? 0 : 1),
    begin: (client, generation, zone, updateHz) => routes.begin(client, generation, zone, updateHz),
    drop: (client) => {
      spectators.forget(client);
      dropped.push(client);
    },
  });
  const play = (zone: number) => {
    routes.begin(PLAYER, 10, zone, 20);
    spectators.notePlayer(PLAYER, KEY);
  };
  const watch = (wanted: Parameters<Spectators['begin']>[3]) => spectators.begin(SPECTATOR, 11, 20, wanted);
  const last = () => told.at(-1)!;
  return { routes, spectators, told, sought, dropped, rings, play, watch, last };
}

test('a place is watched in its zone, and outside of the world there is none', () => {
  const { watch, last, told, spectators } = stage();
  for (const [x, y] of [
    [-1, 5],
    [5, SIDE],
    [Number.NaN, 5],
  ])
    assert.equal(watch({ x, y }), RejectCode.OutOfRange);
  assert.deepEqual([told.length, spectators.has(SPECTATOR)], [0, false]);
  assert.equal(watch({ x: 150, y: 5 }), RejectCode.None);
  assert.deepEqual(last(), {
    zone: 1,
    client: SPECTATOR,
    order: { updateHz: 20, key: 0, x: 150, y: 5, crossings: 0, how: R.WATCH_BEGIN },
  });
});

test('a player is watched by the id of its entity, where its zone is, and only as long as it is there', () => {
  const { watch, last, play, spectators, routes } = stage();
  assert.equal(watch({ player: 40 }), RejectCode.NotAlive);
  play(1);
  assert.equal(watch({ player: 41 }), RejectCode.NotAlive);
  assert.equal(watch({ player: 40 }), RejectCode.None);
  assert.deepEqual([last().zone, last().order.key, last().order.how], [1, KEY, R.WATCH_FIND]);
  spectators.forget(PLAYER);
  routes.end(PLAYER);
  assert.equal(watch({ player: 40 }), RejectCode.NotAlive);
});

test('one that has left a zone is named to that of the place, and goes on with what it has', () => {
  const { watch, last, play, spectators, routes } = stage();
  play(0);
  watch({ player: 40 });
  spectators.hear(SPECTATOR, steps(60), steps(5), R.WATCHED_HERE);
  spectators.hear(SPECTATOR, steps(101), steps(7), R.WATCHED_LEFT);
  const order = { updateHz: 20, key: KEY, x: 101, y: 7, crossings: 1, how: R.WATCH_GO_ON };
  assert.deepEqual(last(), { zone: 1, client: SPECTATOR, order });
  assert.deepEqual([routes.zone[SPECTATOR], routes.crossings[SPECTATOR]], [1, 1]);
  // A place on the edge of the world is inside of it.
  spectators.hear(SPECTATOR, steps(SIDE), steps(SIDE), R.WATCHED_LEFT);
  assert.ok((last().order.x as number) < SIDE && (last().order.y as number) < SIDE);
});

test('a restored thread is told where it looked from last, or to find the player where nobody has said', () => {
  const { watch, last, play, spectators } = stage();
  play(0);
  watch({ player: 40 });
  spectators.attach(SPECTATOR);
  assert.equal(last().order.how, R.WATCH_FIND);
  spectators.hear(SPECTATOR, steps(60), steps(5), R.WATCHED_HERE);
  spectators.attach(SPECTATOR);
  assert.deepEqual([last().order.how, last().order.x, last().order.y], [R.WATCH_BEGIN, 60, 5]);
});

test('a player that is not seen is looked for in its zone, and the spectator sent to where it is found', () => {
  const { watch, last, told, play, spectators, routes, sought } = stage();
  play(0);
  watch({ player: 40 });
  spectators.hear(SPECTATOR, steps(60), steps(5), R.WATCHED_HERE);
  spectators.hear(SPECTATOR, steps(60), steps(5), R.WATCHED_LOST);
  assert.deepEqual([sought, told.length], [[], 1], 'it is hidden where it is');
  routes.move(PLAYER, 1, 1);
  spectators.hear(SPECTATOR, steps(60), steps(5), R.WATCHED_LOST);
  assert.deepEqual(sought, [{ zone: 1, key: KEY }]);
  spectators.hear(SPECTATOR, steps(160), steps(9), R.WATCHED_FOUND);
  assert.deepEqual([last().zone, last().order.x, last().order.how], [0, 160, R.WATCH_GO_ON]);
});

test('a player that has left is asked about once: its spectator stays at the place', () => {
  const { watch, last, told, play, spectators, routes } = stage();
  play(0);
  watch({ player: 40 });
  spectators.hear(SPECTATOR, steps(60), steps(5), R.WATCHED_HERE);
  spectators.forget(PLAYER);
  routes.end(PLAYER);
  spectators.hear(SPECTATOR, steps(64), steps(5), R.WATCHED_LOST);
  assert.deepEqual([last().zone, last().order.key, last().order.x], [0, 0, 64]);
  assert.equal(told.length, 2);
});

test('a ring that is full refuses one that comes, and drops one that is on its way', () => {
  const { watch, spectators, rings, dropped } = stage();
  rings.areFull = true;
  assert.equal(watch({ x: 5, y: 5 }), RejectCode.ServerFull);
  assert.equal(spectators.has(SPECTATOR), false);
  rings.areFull = false;
  watch({ x: 5, y: 5 });
  rings.areFull = true;
  spectators.hear(SPECTATOR, steps(101), steps(7), R.WATCHED_LEFT);
  assert.deepEqual(dropped, [SPECTATOR]);
  spectators.hear(SPECTATOR, steps(101), steps(7), R.WATCHED_LEFT);
  assert.equal(spectators.has(SPECTATOR), false, 'what is said of it afterwards changes nothing');
});
