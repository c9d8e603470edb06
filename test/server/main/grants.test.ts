import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { GameDefinition, Zone } from '../../../src/game/definition.js';
import { RejectCode } from '../../../src/game/reject-codes.js';
import arena from '../../../src/games/arena/game.js';
import { HP_MAX } from '../../../src/games/arena/rules.js';
import { COUNTER } from '../../../src/memory/tables/zone-counters.js';
import { Grants } from '../../../src/server/main/grants.js';
import type { HeadlessClient } from '../../../src/testing/headless-client.js';
import { HeadlessWorld } from '../../../src/testing/headless-world.js';

const FOUR_ZONES = { zoneColumns: 2, zoneRows: 2, worldWidth: 200, worldHeight: 200, seed: 5 };
const base = arena as unknown as GameDefinition;
/** The arena, and gold: a column that only grants change, so that it counts how often one was applied. */
const game: GameDefinition = {
  ...base,
  fields: { ...base.fields, gold: { type: 'f64' } },
  grants: [
    ...(base.grants ?? []),
    {
      name: 'gold',
      min: -5,
      max: 1000,
      apply(zone, row, amount) {
        if (amount === 666) throw new Error('the devil');
        if (amount === 13) return RejectCode.GameRule;
        goldOf(zone)[row] += amount;
        return RejectCode.None;
      },
    },
  ],
};

function goldOf(zone: Zone): Float64Array {
  return zone.columns.gold as Float64Array;
}

function createWorld(threads = 1) {
  const world = new HeadlessWorld(game, FOUR_ZONES, threads);
  const players = (who: { clientId?: number; name?: string }) =>
    [...world.clients.values()]
      .filter(({ index, generation }) => who.clientId === generation || who.name === `n${index % 10}`)
      .map(({ index, generation }) => ({ client: index, generation }));
  const grants = new Grants({ game, net: { playersOf: players }, router: world.router, answerMsMax: 100 });
  const give = (client: HeadlessClient, amount: number, grant = 'gold') =>
    grants.give({ type: 'grant', clientId: client.generation, name: '', grant, amount });
  return { world, grants, give };
}

function goldOfClient(world: HeadlessWorld, client: HeadlessClient): number {
  const entity = world.truth().get(client.entityId);
  assert.ok(entity !== undefined, 'its entity lives');
  return goldOf(world.hosts[entity.zone].zone)[entity.row];
}

test('a grant is applied in a tick, and answered when that is committed', async () => {
  const { world, give } = createWorld();
  const client = world.join(0);
  world.run(3);
  const asked = give(client, 5);
  let isAnswered = false;
  void asked.then(() => (isAnswered = true));
  await Promise.resolve();
  assert.ok(!isAnswered, 'not before a tick has run');
  world.run(1);
  assert.equal(await asked, '');
  assert.equal(goldOfClient(world, client), 5);
});

test('what cannot be granted is refused with a reason, and changes nothing', async () => {
  const { world, grants, give } = createWorld();
  const client = world.join(0);
  world.join(10);
  world.run(3);
  assert.match(await give(client, 5, 'silver'), /none of hp, gold/);
  assert.match(await give(client, 1001), /amount is 1001; the grant gold takes -5 to 1000/);
  assert.match(await give(client, -6), /amount is -6/);
  const byName = { type: 'grant', clientId: -1, grant: 'gold', amount: 1 } as const;
  assert.match(await grants.give({ ...byName, name: 'nobody' }), /no such client/);
  assert.match(await grants.give({ ...byName, name: 'n0' }), /2 clients have this name/);
  const ruled = give(client, 13);
  world.run(1);
  assert.match(await ruled, /rule of the game/);
  const nothing = new Grants({ game: {}, net: { playersOf: () => [] }, router: world.router });
  assert.match(await nothing.give({ ...byName, name: 'n0' }), /grants nothing/);
  assert.equal(goldOfClient(world, client), 0);
});

test('of the arena: hp heals up to the maximum, and neither the dead nor the healthy', async () => {
  const { world, give } = createWorld();
  const client = world.join(0);
  world.run(3);
  const { zone, row } = world.truth().get(client.entityId)!;
  const hp = world.hosts[zone].zone.columns.hp as Uint8Array;
  const healed = async (amount: number) => {
    const asked = give(client, amount, 'hp');
    world.run(1);
    return asked;
  };
  assert.match(await healed(10), /rule of the game/);
  hp[row] = HP_MAX - 30;
  assert.equal(await healed(10), '');
  assert.equal(hp[row], HP_MAX - 20);
  assert.equal(await healed(100), '');
  assert.equal(hp[row], HP_MAX);
  hp[row] = 0;
  (world.hosts[zone].zone.columns.ticksLeft as Uint16Array)[row] = 100;
  assert.match(await healed(10), /dead/);
  assert.equal(hp[row], 0);
});

/** As threads do: what one zone says is heard, and answered, before the next one begins the same tick. */
function runApart(world: HeadlessWorld, ticks: number, each: () => void): void {
  for (let i = 0; i < ticks; i++) {
    world.tick++;
    for (const host of i % 2 === 0 ? world.hosts : [...world.hosts].reverse()) {
      host.runTick(world.tick);
      world.router.deliverAll();
      each();
    }
  }
}

/** Clients beside the border in the middle of the world, who walk over it and back. */
function joinAtBorder(world: HeadlessWorld, count: number): HeadlessClient[] {
  const clients = Array.from({ length: count }, (_, index) => world.join(index));
  world.run(3);
  for (const { entityId } of clients) {
    const { zone, row } = world.truth().get(entityId)!;
    const { positionX, area } = world.hosts[zone].zone;
    positionX[row] = area.x === 0 ? 99 : 101;
  }
  return clients;
}

function turnBack(world: HeadlessWorld, client: HeadlessClient): void {
  const { x } = world.truth().get(client.entityId) ?? { x: 100 };
  if (x < 98.5) world.send(client, 'Move', { x: 127, y: 0 });
  if (x > 101.5) world.send(client, 'Move', { x: -127, y: 0 });
}

test('grants follow a player over borders: each is applied once, whatever the moment', async () => {
  const { world, give } = createWorld(3);
  const clients = joinAtBorder(world, 12);
  for (const client of clients) world.send(client, 'Move', { x: 127, y: 0 });
  const asked: Promise<string>[] = [];
  let rounds = 0;
  runApart(world, 400, () => {
    if (rounds++ % 4 === 0) for (const client of clients) turnBack(world, client);
    for (const client of clients) asked.push(give(client, 1));
  });
  world.run(20);
  assert.deepEqual([...new Set(await Promise.all(asked))], ['']);
  assert.ok(world.router.counters.moved > 50, `${world.router.counters.moved} moves`);
  assert.deepEqual(
    clients.map((client) => goldOfClient(world, client)),
    clients.map(() => rounds),
  );
});

test('who leaves in the middle of a border leaves no entity behind', () => {
  const { world } = createWorld(3);
  const clients = joinAtBorder(world, 40);
  const before = world.truth().size - clients.length;
  for (const client of clients) world.send(client, 'Move', { x: 127, y: 0 });
  let leftOnTheWay = 0;
  let moved = 0;
  runApart(world, 200, () => {
    for (const client of clients) if (world.clients.has(client.index)) turnBack(world, client);
    if (world.router.counters.moved === moved) return;
    moved = world.router.counters.moved;
    for (const client of clients) {
      if (!world.clients.has(client.index) || world.truth().has(client.entityId)) continue;
      world.leave(client);
      leftOnTheWay++;
    }
  });
  assert.ok(leftOnTheWay > 5, `${leftOnTheWay} left on their way`);
  for (const client of [...world.clients.values()]) world.leave(client);
  world.run(20);
  assert.equal(world.truth().size, before);
});

test('a grant before a leave is applied, and one behind it has nobody', async () => {
  const { world, give } = createWorld(2);
  const client = world.join(0);
  world.run(3);
  const asked = give(client, 1);
  world.leave(client);
  world.run(20);
  // The grant was before the leave, so it was applied to an entity that is gone.
  assert.equal(await asked, '');
  const second = world.join(1);
  world.run(3);
  world.router.leave(second.index, second.generation, 'left');
  const late = give(second, 1);
  world.run(2);
  assert.match(await late, /no more words|no such client/);
});

test('a grant that waits while a thread is replaced is applied by its successor', async () => {
  const { world, give } = createWorld(2);
  const clients = Array.from({ length: 8 }, (_, index) => world.join(index));
  world.run(3);
  const asked = clients.map((client) => give(client, 2));
  world.replaceThread(0, 3);
  world.replaceThread(1, 3);
  world.run(20);
  assert.deepEqual(new Set(await Promise.all(asked)), new Set(['']));
  for (const client of clients) assert.equal(goldOfClient(world, client), 2);
});

test('a grant whose zone gives no answer is of unknown outcome, and is not asked for again', async () => {
  const { world, give } = createWorld();
  const client = world.join(0);
  world.run(3);
  const asked = give(client, 666);
  assert.throws(() => world.run(1), /the devil/);
  world.replaceThread(0);
  world.run(5);
  assert.match(await asked, /nobody knows/);
  assert.equal(goldOfClient(world, client), 0);
  assert.equal(world.counter(COUNTER.commandsStale), 0);
});
