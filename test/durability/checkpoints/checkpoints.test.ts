// What has checkpoints, by the rules of real games in worlds of several zones.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { DEFAULTS } from '../../../src/config/settings.js';
import { planCheckpoints } from '../../../src/durability/checkpoints/checkpoint-plan.js';
import { Checkpointer } from '../../../src/durability/checkpoints/checkpointer.js';
import type { GameDefinition } from '../../../src/game/definition.js';
import arena from '../../../src/games/arena/game.js';
import { IoCounters } from '../../../src/memory/tables/io-counters.js';
import { COUNTER } from '../../../src/memory/tables/zone-counters.js';
import { WorldBuffer } from '../../../src/memory/world/world-buffer.js';
import { HeadlessWorld } from '../../../src/testing/headless-world.js';
import coins from '../../games/toy/game.js';
import { startServer } from '../../server.js';
import { FaultyStore, readAll } from './checkpoint-stage.js';

const NEW_WORLD = { worldId: '', startedAtMs: 0 };

test('fields last unless they say otherwise, kinds only where a game says so', () => {
  const plan = planCheckpoints(coins as unknown as GameDefinition, DEFAULTS, NEW_WORLD);
  assert.deepEqual(plan.fields, ['score', 'stepX', 'stepY']);
  assert.deepEqual(plan.isLasting, [false, false]);
  const withCoins = { ...coins, persistentKinds: ['coin'] } as unknown as GameDefinition;
  assert.deepEqual(planCheckpoints(withCoins, DEFAULTS, NEW_WORLD).isLasting, [false, true]);
  assert.deepEqual(planCheckpoints(arena as unknown as GameDefinition, DEFAULTS, NEW_WORLD).fields, ['hp']);
});

test('a game that names a kind it does not have is refused in one line', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tessera-kinds-'));
  const file = join(folder, 'game.mjs');
  writeFileSync(
    file,
    `export default { name: 'g', version: 1, kinds: ['a', 'b'], persistentKinds: ['c'], fields: {},
      events: [], systems: [], spawnPlayer: (zone, x, y) => zone.spawn(0, x, y) };`,
  );
  try {
    await assert.rejects(startServer(['--game', file]), /persistentKinds names 'c', which is no kind; allowed: a, b/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

for (const seed of [1, 2, 3]) {
  test(`players who walk, shoot, leave and come back have one row each, as they are; seed ${seed}`, async () => {
    const world = new HeadlessWorld(arena as unknown as GameDefinition, { seed, bots: 40, viewRadius: 12 });
    const store = new FaultyStore();
    const checkpointer = new Checkpointer({
      worlds: world.plan.worlds.map((buffer) => new WorldBuffer(buffer, world.plan.layout)),
      plan: planCheckpoints(world.game, world.settings, NEW_WORLD),
      store: store.port,
      counters: new IoCounters(IoCounters.create()),
      say: (line) => assert.fail(line),
    });
    for (let i = 0; i < 30; i++) world.join(i);
    for (let round = 0; round < 40; round++) {
      for (const client of [...world.clients.values()]) {
        const x = ((client.index * 53 + round * 31 + seed * 17) % 255) - 127;
        const y = ((client.index * 97 + round * 71 + seed * 29) % 255) - 127;
        world.send(client, 'Move', { x, y });
        world.send(client, 'Shoot', { angle: (x + 127) * 257 });
        if ((client.index + round) % 37 === 0) world.leave(client);
      }
      if (round % 5 === 4) for (let i = 0; i < 30; i++) if (!world.clients.has(i)) world.join(i);
      world.run(30);
      checkpointer.take();
      await checkpointer.settled();
    }
    // A dead player's id may still be on its way home, and that one's row with it.
    world.run(5);
    checkpointer.take();
    await checkpointer.settled();

    const wanted = new Map<string, [string, number, number, number, number]>();
    for (const { zone } of world.hosts) {
      for (let row = 0; row < zone.rowLimit; row++) {
        if (zone.alive[row] === 0 || zone.owner[row] === 0) continue;
        const name = `${zone.wireIdOf(row)}.${zone.engine.key[row] >>> 23}`;
        wanted.set(name, ['player', zone.id, zone.positionX[row], zone.positionY[row], zone.columns.hp[row]]);
      }
    }
    const rows = await readAll(store.port, checkpointer.world);
    const found = [...rows].map(([name, row]) => [
      name,
      [row.kind, row.zone, row.positionX, row.positionY, row.fields.hp],
    ]);
    assert.equal(wanted.size, world.clients.size);
    assert.ok(world.counter(COUNTER.entitiesDeparted) > 0, `seed ${seed}: some walk over a border`);
    assert.deepEqual(new Map(found as never), wanted, `seed ${seed}`);
  });
}
