// Where players are, as the log is told.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRandom } from '../../../src/base/chance.js';
import { formEvent } from '../../../src/durability/events/event-form.js';
import type { GameDefinition } from '../../../src/game/definition.js';
import game from '../../../src/games/arena/game.js';
import { MOVE_STEPS_PER_UNIT } from '../../../src/games/arena/rules.js';
import * as R from '../../../src/memory/records/thread-records.js';
import { RecordRing } from '../../../src/memory/rings/record-ring.js';
import { parseTrusted } from '../../../src/protocol/plain/plain-codec.js';
import { HeadlessWorld } from '../../../src/testing/headless-world.js';
import { HeadlessZone, type ZoneEvent } from '../../../src/testing/headless-zone.js';

const TICK_HZ = 60;
const EMPTY = { ...game, populate: () => {} };

type Arena = HeadlessZone<typeof game.fields>;

function movesOf(events: readonly ZoneEvent[]): ZoneEvent[] {
  return events.filter(({ name }) => name === 'moved');
}

function runMoves(arena: Arena, ticks: number): ZoneEvent[] {
  const moves: ZoneEvent[] = [];
  arena.run(ticks, (events) => moves.push(...movesOf(events)));
  return moves;
}

test('a walking player is told of once per second, where it stands; a standing one not at all', () => {
  const arena = new HeadlessZone(EMPTY, { seed: 2 });
  const row = game.spawnPlayer(arena.zone, 20, 20);
  const first = runMoves(arena, TICK_HZ);
  assert.equal(first.length, 1, 'where it began');
  assert.deepEqual([first[0].a, first[0].b], [20 * MOVE_STEPS_PER_UNIT, 20 * MOVE_STEPS_PER_UNIT]);
  assert.equal(runMoves(arena, 5 * TICK_HZ).length, 0);

  arena.command(row, 'Move', 127, 0);
  const moves: ZoneEvent[] = [];
  for (let tick = 0; tick < 5 * TICK_HZ; tick++) {
    for (const move of movesOf(arena.step())) {
      const { positionX, positionY } = arena.zone;
      assert.equal(move.a, Math.round(positionX[row] * MOVE_STEPS_PER_UNIT));
      assert.equal(move.b, Math.round(positionY[row] * MOVE_STEPS_PER_UNIT));
      moves.push(move);
    }
  }
  assert.equal(moves.length, 5);
  for (const [i, { tick }] of moves.entries()) assert.equal(tick, moves[0].tick + i * TICK_HZ);

  arena.command(row, 'Move', 0, 0);
  const last = runMoves(arena, 3 * TICK_HZ);
  assert.ok(last.length <= 1, 'where it came to rest, if it was not there when it was told of last');
  const told = last[0] ?? moves.at(-1);
  assert.equal(told.a, Math.round(arena.zone.positionX[row] * MOVE_STEPS_PER_UNIT));
});

test('a player that walks against the end of the world does not move', () => {
  const arena = new HeadlessZone(EMPTY, { seed: 2 });
  const row = game.spawnPlayer(arena.zone, 2, 20);
  arena.command(row, 'Move', -127, 0);
  arena.run(2 * TICK_HZ);
  assert.equal(runMoves(arena, 5 * TICK_HZ).length, 0);
});

test('NPCs and projectiles are not told of', () => {
  const arena = new HeadlessZone(game, { seed: 3, bots: 50 });
  const row = game.spawnPlayer(arena.zone, 20, 20);
  const entities = new Set<number>();
  arena.run(5 * TICK_HZ, (events) => {
    arena.command(row, 'Shoot', 1000);
    for (const { entity } of movesOf(events)) entities.add(entity);
  });
  assert.equal(entities.size, 1);
});

test('who joins in one tick is told of in ticks of their own', () => {
  const arena = new HeadlessZone(game, { seed: 4 });
  const players = 5 * TICK_HZ;
  for (let i = 0; i < players; i++) {
    const row = game.spawnPlayer(arena.zone, 64, 64);
    arena.command(row, 'Move', i % 2 === 0 ? 127 : -127, 20);
  }
  const perTick: number[] = [];
  arena.run(4 * TICK_HZ, (events) => perTick.push(movesOf(events).length));
  const total = perTick.reduce((sum, count) => sum + count, 0);
  assert.ok(total >= 3 * players, String(total));
  assert.ok(Math.max(...perTick) <= players / TICK_HZ + 1, `at most ${Math.max(...perTick)} in one tick`);
});

test('the same play states the same moves', () => {
  const play = (): ZoneEvent[] => {
    const arena = new HeadlessZone(game, { seed: 9, bots: 20 });
    const random = createRandom(9);
    const rows = Array.from({ length: 30 }, () => game.spawnPlayer(arena.zone, random() * 128, random() * 128));
    const moves: ZoneEvent[] = [];
    arena.run(400, (events) => {
      for (const row of rows) if (random() < 0.1) arena.command(row, 'Move', Math.floor(random() * 255) - 127, 9);
      moves.push(...movesOf(events));
    });
    return moves;
  };
  const first = play();
  assert.ok(first.length > 100);
  assert.deepEqual(play(), first);
});

test('over the border of zones a player keeps its second, and its moves say where it is in units', () => {
  const settings = { zoneColumns: 2, zoneRows: 1, worldWidth: 200, worldHeight: 100, seed: 5 };
  const world = new HeadlessWorld(game as unknown as GameDefinition, settings, 2);
  const client = world.join(0);
  world.run(3);
  const rings = world.plan.events.map((buffer) => new RecordRing(buffer));
  const context = { names: game.events, forms: game.eventForms ?? {}, epoch: 1, originMs: 0, tickHz: TICK_HZ };
  const zones = new Set<number>();
  let lastTick: number | undefined;
  for (let tick = 0; tick < 60 * TICK_HZ; tick++) {
    // Back and forth, with a side step where a pillar may stand in the way.
    const heading = Math.floor(tick / 1200) % 2 === 0 ? 127 : -127;
    if (tick % 300 === 0) world.send(client, 'Move', { x: heading, y: tick % 600 === 0 ? 40 : -40 });
    world.run(1);
    for (const ring of rings) {
      const count = ring.readable();
      for (let i = 0; i < count; i++) {
        if (game.events[ring.view.getUint16(ring.offsetOf(i) + R.EVENT_TYPE, true)] !== 'moved') continue;
        const { topic, isLow, value } = formEvent(ring.view, ring.offsetOf(i), context);
        const event = parseTrusted('msgpack', value) as {
          zoneId: number;
          tick: number;
          payload: Record<string, number>;
        };
        assert.deepEqual([topic, isLow], ['game.events.player', true]);
        const truth = world.truth().get(client.entityId)!;
        const far = Math.hypot(event.payload.x - truth.x, event.payload.y - truth.y);
        assert.ok(far < 0.2, `told (${event.payload.x}, ${event.payload.y}), is at (${truth.x}, ${truth.y})`);
        if (lastTick !== undefined) assert.ok(event.tick - lastTick >= TICK_HZ, `${lastTick}, then ${event.tick}`);
        lastTick = event.tick;
        zones.add(event.zoneId);
      }
      ring.release(count);
    }
  }
  assert.deepEqual([...zones].sort(), [0, 1]);
});
