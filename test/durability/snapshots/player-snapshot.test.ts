import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { createRandom } from '../../../src/base/chance.js';
import {
  decodePlayer,
  type PlayerForm,
  PlayerSnapshotter,
  playerKey,
  seal,
  sessionKey,
  unseal,
} from '../../../src/durability/snapshots/player-snapshot.js';
import { specifyColumns } from '../../../src/engine/entities/columns.js';
import { IoCounters } from '../../../src/memory/tables/io-counters.js';
import { LIVE_BLOCK, WorldBuffer } from '../../../src/memory/world/world-buffer.js';
import { layOutWorld, SCALAR_ROW_LIMIT, SCALAR_TICK } from '../../../src/memory/world/world-layout.js';
import { openEmbeddedHotStore } from '../../../src/stores/embedded/embedded-hot-store.js';
import { type HotStore, PersistError } from '../../../src/stores/store-ports.js';
import { openFolder } from '../../folder.js';
import { readPlayerAsStranger } from './stranger.js';

const WORLD_ID = '7b0cf7a8-6b1f-4d0a-9a53-0d6d1c5f6b11';
const FORM = { kinds: ['player', 'npc'], fields: ['hp', 'gold'] };
const ADA = { client: 4, generation: 9, playerId: 'player-ada', sessionId: 'session-ada', name: 'Ada', joinedAtMs: 5 };

interface Setup {
  snapshotter: PlayerSnapshotter;
  hot: HotStore;
  world: WorldBuffer;
  counters: IoCounters;
  said: string[];
}

/** Row 2 is Ada's entity, row 3 that of somebody unknown, row 4 nobody's, row 5 is dead. */
function setUp(
  t: TestContext,
  hot: HotStore = openEmbeddedHotStore({ folder: openFolder(t) }),
  form: PlayerForm = FORM,
): Setup {
  t.after(() => hot.close());
  const layout = layOutWorld(specifyColumns({ hp: { type: 'u8' }, gold: { type: 'f64' }, secret: { type: 'u8' } }), 64);
  const world = new WorldBuffer(WorldBuffer.create(layout, 3), layout);
  const { columns, scalars } = world.blocks[LIVE_BLOCK];
  scalars[SCALAR_TICK] = 77;
  scalars[SCALAR_ROW_LIMIT] = 8;
  for (const [row, owner] of [
    [2, 5],
    [3, 6],
    [4, 0],
    [5, 5],
  ]) {
    columns.alive[row] = row === 5 ? 0 : 1;
    columns.owner[row] = owner;
    columns.ownerGeneration[row] = 9;
    columns.key[row] = 0xf0000000 + row;
    columns.positionX[row] = 10.5;
    columns.positionY[row] = 20.25;
    columns.hp[row] = 41;
    columns.gold[row] = 0.1;
    columns.secret[row] = 7;
  }
  world.commit();
  const counters = new IoCounters(IoCounters.create());
  const said: string[] = [];
  const snapshotter = new PlayerSnapshotter([world], WORLD_ID, form, hot, counters, (line) => said.push(line));
  return { snapshotter, hot, world, counters, said };
}

/** Of Ada's and Bob's players and sessions. */
async function countStored(hot: HotStore): Promise<number> {
  const keys = ['ada', 'bob'].flatMap((name) => [playerKey(`player-${name}`), sessionKey(`session-${name}`)]);
  return (await hot.get(keys)).filter((value) => value !== undefined).length;
}

test('a player is stored without what its kind does not have', async (t) => {
  const components = { ofKind: [3, 5], ofField: { hp: 1, gold: 2 } };
  const { snapshotter, hot } = setUp(t, openEmbeddedHotStore({ folder: openFolder(t) }), { ...FORM, components });
  snapshotter.joined(ADA);
  await snapshotter.take(1000);
  const [stored] = await hot.get([playerKey('player-ada')]);
  assert.deepEqual(decodePlayer(stored as Uint8Array)?.fields, { hp: 41 });
});

test('who plays and is alive is stored by name, with the session; nobody and nothing else is', async (t) => {
  const { snapshotter, hot, counters } = setUp(t);
  await snapshotter.take(1000);
  assert.equal(await countStored(hot), 0, 'nobody plays');
  snapshotter.joined(ADA);
  snapshotter.joined({ ...ADA, client: 5, generation: 8, playerId: 'late' }); // its row is of another generation
  await snapshotter.take(1000);
  assert.equal(await countStored(hot), 2);
  assert.equal((await hot.get([playerKey('late')]))[0], undefined);
  const expected = {
    worldId: WORLD_ID,
    zone: 3,
    tick: 77,
    takenAtMs: 1000,
    key: 0xf0000002,
    playerId: 'player-ada',
    kind: 'player',
    x: 10.5,
    y: 20.25,
    fields: { hp: 41, gold: 0.1 },
  };
  assert.deepEqual(await snapshotter.find('player-ada'), expected);
  const [session] = await hot.get([sessionKey('session-ada')]);
  const { kind: _, x: __, y: ___, fields: ____, playerId: _____, ...where } = expected;
  assert.deepEqual(unseal(session as Uint8Array), { ...where, ...ADA });
  assert.equal(counters.get('playerSnapshots'), 1);
  assert.equal(await snapshotter.find('nobody'), undefined);
});

test('a stranger reads what is stored of a player from the drawing alone', async (t) => {
  const { snapshotter, hot } = setUp(t);
  snapshotter.joined(ADA);
  await snapshotter.take(1000);
  const [player, session] = await hot.get(['snapshot:player:player-ada', 'snapshot:session:session-ada']);
  assert.ok(player && session);
  const where = { worldId: WORLD_ID, zone: 3, tick: 77, takenAtMs: 1000, key: 0xf0000002 };
  assert.deepEqual(readPlayerAsStranger(Buffer.from(player)), {
    ...{ ...where, playerId: 'player-ada', kind: 'player', x: 10.5, y: 20.25 },
    fields: { hp: 41, gold: 0.1 },
  });
  assert.deepEqual(readPlayerAsStranger(Buffer.from(session)), { ...ADA, ...where });
});

test('who leaves for good is deleted, also when a snapshot is under way; who was waited for in vain is kept', async (t) => {
  const { snapshotter, hot } = setUp(t);
  snapshotter.joined(ADA);
  await snapshotter.take(1000);
  snapshotter.left(4, 8, true);
  assert.equal(await countStored(hot), 2, 'another generation is somebody else');
  snapshotter.left(4, 9, false);
  await snapshotter.take(1000);
  assert.equal(await countStored(hot), 2);
  snapshotter.joined(ADA);
  const taking = snapshotter.take(2000);
  snapshotter.left(4, 9, true);
  await taking;
  assert.equal(await countStored(hot), 0);
});

for (const seed of [1, 2]) {
  test(`a value with a flipped bit, or cut short, is refused with a reason, seed ${seed}`, () => {
    const random = createRandom(seed);
    const player = { kind: 'player', x: 1, y: 2, fields: { hp: 3, gold: 0.1 } };
    const bytes = seal(player);
    assert.deepEqual({ ...decodePlayer(bytes) }, player);
    for (let round = 0; round < 500; round++) {
      const flipped = Uint8Array.from(bytes);
      flipped[Math.floor(random() * bytes.length)] ^= 1 << Math.floor(random() * 8);
      assert.throws(() => decodePlayer(flipped), /^Error: its? /, `round ${round}`);
      assert.throws(() => decodePlayer(bytes.subarray(0, Math.floor(random() * bytes.length))), /^Error: its? /);
    }
  });
}

test('a whole value that is no player is refused', () => {
  const player = { kind: 'player', x: 1, y: 2, fields: {} };
  for (const wrong of [{ kind: 1 }, { x: 'a' }, { y: Number.NaN }, { fields: null }, { fields: { hp: true } }]) {
    assert.throws(() => decodePlayer(seal({ ...player, ...wrong })), /it is no player/, JSON.stringify(wrong));
  }
});

test('a store that refuses is counted and said, and the next snapshot is taken all the same', async (t) => {
  const hot = openEmbeddedHotStore({ folder: openFolder(t) });
  const { snapshotter, counters, said } = setUp(t, hot);
  snapshotter.joined(ADA);
  const set = hot.set.bind(hot);
  hot.set = () => Promise.reject(new PersistError('unavailable', 'no connection'));
  await snapshotter.take(1000);
  assert.equal(counters.get('playerFailures'), 1);
  assert.match(said[0], /players were not stored: no connection/);
  hot.set = set;
  await snapshotter.take(2000);
  assert.equal((await snapshotter.find('player-ada'))?.takenAtMs, 2000);
  hot.get = () => Promise.reject(new PersistError('timeout', 'no answer'));
  await assert.rejects(snapshotter.find('player-ada'), /no answer/);
});

test('a store that is away for long is said once, and once again when it is back', async (t) => {
  const { snapshotter, hot, said, counters } = setUp(t);
  snapshotter.joined(ADA);
  const set = hot.set.bind(hot);
  hot.set = () => Promise.reject(new PersistError('unavailable', 'no connection'));
  for (let i = 0; i < 3; i++) await snapshotter.take(1000);
  assert.deepEqual(said, ['players were not stored: no connection']);
  assert.equal(counters.get('playerFailures'), 3);
  hot.set = set;
  await snapshotter.take(1000);
  await snapshotter.take(1000);
  assert.deepEqual(said.slice(1), ['players are stored again']);
});

test('who leaves for good while the store is away is deleted when it is back, with nobody left, and that is said once', async (t) => {
  const { snapshotter, hot, said } = setUp(t);
  const bob = { ...ADA, client: 5, playerId: 'player-bob', sessionId: 'session-bob' };
  snapshotter.joined(ADA);
  await snapshotter.take(1000);
  assert.equal(await countStored(hot), 2);
  const remove = hot.delete.bind(hot);
  hot.delete = () => Promise.reject(new PersistError('unavailable', 'no connection'));
  snapshotter.joined(bob);
  snapshotter.left(4, 9, true);
  snapshotter.left(5, 9, true);
  await snapshotter.take(2000);
  assert.deepEqual(said, ['what is stored of players who left was not deleted: no connection']);
  assert.equal(await snapshotter.find('player-ada'), undefined, 'nor is it given out meanwhile');
  hot.delete = remove;
  await snapshotter.take(3000);
  assert.equal(await countStored(hot), 0);
  assert.deepEqual(said.slice(1), ['players are stored again']);
});

test('who comes back before the store deleted the former state keeps the new one', async (t) => {
  const { snapshotter, hot } = setUp(t);
  snapshotter.joined(ADA);
  await snapshotter.take(1000);
  const remove = hot.delete.bind(hot);
  hot.delete = () => Promise.reject(new PersistError('unavailable', 'no connection'));
  snapshotter.left(4, 9, true);
  await snapshotter.take(2000);
  snapshotter.joined(ADA);
  hot.delete = remove;
  await snapshotter.take(3000);
  assert.equal((await snapshotter.find('player-ada'))?.takenAtMs, 3000);
  assert.equal(await countStored(hot), 2);
});

test('a zone that commits all the time fails the snapshot of players, and does not hold this thread', async (t) => {
  const { snapshotter, world, said } = setUp(t);
  snapshotter.joined(ADA);
  Object.defineProperty(world, 'isHeld', { value: () => false });
  const { columns } = world.committed;
  // A reader that never gives up would read this without end.
  let reads = 0;
  Object.defineProperty(columns, 'alive', {
    get: () => {
      assert.ok(++reads < 1000, 'it gives up');
      return new Uint8Array(64);
    },
  });
  await snapshotter.take(1000);
  assert.match(said.join(), /players were not stored: zone 3 commits faster than it can be read/);
});
