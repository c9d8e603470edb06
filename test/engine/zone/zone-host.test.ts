import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { GameDefinition, Zone } from '../../../src/game/definition.js';
import arena from '../../../src/games/arena/game.js';
import { EVENT_A, EVENT_TICK } from '../../../src/memory/records/thread-records.js';
import { RecordRing } from '../../../src/memory/rings/record-ring.js';
import { SCALAR_TICK } from '../../../src/memory/world/world-layout.js';
import { HeadlessWorld } from '../../../src/testing/headless-world.js';

const EVENT = 0;
/** A game in which each tick says so, twice. */
const game = {
  ...(arena as unknown as GameDefinition),
  systems: [
    {
      name: 'telling',
      run: (zone: Zone) => {
        zone.emit(EVENT, -1, -1, 1, 0);
        zone.emit(EVENT, -1, -1, 2, 0);
      },
    },
  ],
} as GameDefinition;

/** A tick as far as the step that ends with its commit; `isShort`: as far as the step before. */
function runToCommit(world: HeadlessWorld, isShort = false): void {
  const [host] = world.hosts;
  const { buffer } = host.zone;
  const commit = buffer.commit.bind(buffer);
  let isReached = false;
  buffer.commit = () => {
    isReached = true;
    if (!isShort) commit();
  };
  host.beginTick(++world.tick);
  for (let step = 0; !isReached; step++) host.runStep(step);
}

function readEvents(ring: RecordRing): string[] {
  const count = ring.readable();
  const events = Array.from({ length: count }, (_, i) => {
    const offset = ring.offsetOf(i);
    return `${ring.view.getInt32(offset + EVENT_TICK, true)}.${ring.view.getFloat64(offset + EVENT_A, true)}`;
  });
  ring.release(count);
  return events;
}

test('the events of a committed tick are published by the successor of a thread that died before it did', () => {
  const world = new HeadlessWorld(game, { bots: 0 });
  const ring = new RecordRing(world.plan.events[0]);
  world.run(1);
  assert.deepEqual(readEvents(ring), ['1.1', '1.2']);
  runToCommit(world);
  assert.deepEqual(readEvents(ring), []);
  world.renewThread(0);
  assert.deepEqual(readEvents(ring), ['2.1', '2.2']);
  world.renewThread(0);
  world.run(1);
  assert.deepEqual(readEvents(ring), ['3.1', '3.2'], 'and once');
});

test('the events of a tick that was not committed are never published', () => {
  const world = new HeadlessWorld(game, { bots: 0 });
  const ring = new RecordRing(world.plan.events[0]);
  world.run(1);
  runToCommit(world, true);
  world.renewThread(0);
  assert.equal(world.hosts[0].zone.tick, 1);
  world.run(1);
  assert.deepEqual(readEvents(ring), ['1.1', '1.2', '3.1', '3.2']);
});

test('the events of a first life are published, whoever gives it', () => {
  const populate = (zone: Zone): void => zone.emit(EVENT, -1, -1, 7, 0);
  const world = new HeadlessWorld({ ...game, populate } as GameDefinition, { bots: 0 });
  const ring = new RecordRing(world.plan.events[0]);
  assert.equal(world.hosts[0].zone.buffer.committed.scalars[SCALAR_TICK], 0);
  world.renewThread(0);
  world.run(1);
  assert.deepEqual(readEvents(ring), ['0.7', '1.1', '1.2']);
});
