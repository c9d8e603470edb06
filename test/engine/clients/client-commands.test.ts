// What becomes of a command in its zone, and which counter and code say so.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { GameDefinition } from '../../../src/game/definition.js';
import { RejectCode } from '../../../src/game/reject-codes.js';
import arena from '../../../src/games/arena/game.js';
import { COUNTER, type CounterName } from '../../../src/memory/tables/zone-counters.js';
import type { HeadlessClient } from '../../../src/testing/headless-client.js';
import { HeadlessWorld } from '../../../src/testing/headless-world.js';

const game: GameDefinition = { ...(arena as unknown as GameDefinition), systems: [], populate: () => {} };
const ONE_ZONE = { zoneColumns: 1, zoneRows: 1, bots: 0, seed: 3 };
const COUNTERS: readonly CounterName[] = ['commandsApplied', 'commandsRejected', 'commandsOverloaded', 'commandsStale'];

interface Stage {
  world: HeadlessWorld;
  client: HeadlessClient;
}

/** One client, whose entity is the first row of its zone. */
function stage(settings: Record<string, number> = {}): Stage {
  const world = new HeadlessWorld(game, { ...ONE_ZONE, ...settings });
  const client = world.join(0);
  world.run(3);
  assert.equal(world.find(client.entityId).row, 0);
  return { world, client };
}

function move({ world, client }: Stage): void {
  assert.ok(world.send(client, 'Move', { x: 1, y: 0 }));
}

function assertCounted({ world }: Stage, expected: Partial<Record<CounterName, number>>): void {
  for (const name of COUNTERS) assert.equal(world.counter(COUNTER[name]), expected[name] ?? 0, name);
}

test('a command of the client whose entity is in the first row is applied, and counted', () => {
  const on = stage();
  move(on);
  on.world.run(2);
  assert.deepEqual(on.client.rejects, []);
  assert.equal(on.client.ack, 1);
  assertCounted(on, { commandsApplied: 1 });
});

test('the command of a dead entity is rejected, and counted', () => {
  const on = stage();
  on.world.hosts[0].zone.despawn(0);
  move(on);
  on.world.run(2);
  assert.deepEqual(
    on.client.rejects.map(({ seq, code }) => ({ seq, code })),
    [{ seq: 1, code: RejectCode.NotAlive }],
  );
  assertCounted(on, { commandsRejected: 1 });
});

test('a number that was applied is not applied again', () => {
  const on = stage();
  move(on);
  on.world.run(2);
  on.client.seq--;
  move(on);
  on.world.run(2);
  assert.deepEqual(
    on.client.rejects.map(({ seq, code }) => ({ seq, code })),
    [{ seq: 1, code: RejectCode.QueueFull }],
  );
  assertCounted(on, { commandsApplied: 1, commandsRejected: 1 });
});

test('a command for which there is no room to wait is rejected as overload, and counted', () => {
  const on = stage({ commandsPerClientTick: 1 });
  const { waiting } = (
    on.world.hosts[0].intake as unknown as { commands: { waiting: { add(...record: unknown[]): boolean } } }
  ).commands;
  waiting.add = () => false;
  move(on);
  move(on);
  on.world.run(2);
  assert.deepEqual(
    on.client.rejects.map(({ seq, code }) => ({ seq, code })),
    [{ seq: 2, code: RejectCode.Overloaded }],
  );
  assertCounted(on, { commandsApplied: 1, commandsOverloaded: 1, commandsRejected: 1 });
});

test('a command of a connection that was replaced is stale, and counted', () => {
  const on = stage();
  move(on);
  on.world.lose(on.client);
  on.world.resume(0, on.client.generation);
  on.world.run(3);
  assertCounted(on, { commandsStale: 1 });
});
