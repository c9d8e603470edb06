import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { entityRowKey, listWorlds, putWorld, readEntity } from '../../../src/durability/checkpoints/entity-rows.js';
import { CHECKPOINT_BATCH_ROWS_MAX, CHECKPOINT_WORLDS_KEPT } from '../../../src/durability/checkpoints/limits.js';
import { entityName, keyOfName } from '../../../src/durability/entity-name.js';
import { GENERATION_MASK, makeKey, WIRE_ID_MASK } from '../../../src/engine/entities/entity-key.js';
import { PersistError } from '../../../src/stores/store-ports.js';
import { until } from '../../folder.js';
import { away, BULLET, CRATE, FaultyStore, readAll, STAGE_PLAN, STAGE_ROWS, Stage } from './checkpoint-stage.js';

test('a key has the same name in a checkpoint whichever way it is read', () => {
  for (const key of [makeKey(0, 1), makeKey(5, 300), makeKey(WIRE_ID_MASK, GENERATION_MASK)]) {
    assert.equal(keyOfName(entityName(key)), key);
  }
  for (const wrong of ['', '1', '1.', '1.512', '8388608.1', '01.1', 'a.b', '1.1.1']) {
    assert.equal(keyOfName(wrong), undefined, wrong);
  }
});

test('the name of an entity comes again after 512 uses of its id, and not before', () => {
  const names = Array.from({ length: 512 }, (_, use) => entityName(makeKey(5, 300 + use)));
  assert.equal(new Set(names).size, 512);
  assert.equal(entityName(makeKey(5, 300 + 512)), names[0]);
});

test('rows hold what a game calls persistent of what lasts, and nothing else', async () => {
  const stage = new Stage();
  const store = new FaultyStore();
  const player = stage.place(0, 3, 0, 1, 4);
  const crate = stage.place(1, 0, 1, 9, 1, CRATE);
  stage.place(1, 1, 1, 10, 1, BULLET);
  stage.set(0, 3, { gold: 77, luck: 0.5, speed: 9 });
  stage.commit();
  const checkpointer = stage.checkpointer(store.port);
  checkpointer.take();
  await checkpointer.settled();
  const rows = await readAll(store.port, checkpointer.world);
  assert.deepEqual([...rows.keys()].sort(), [entityName(player), entityName(crate)].sort());
  assert.deepEqual(await readEntity(store.port, checkpointer.world, entityName(player)), {
    entity: entityName(player),
    kind: 'player',
    zone: 0,
    tick: 1,
    positionX: 1,
    positionY: 3,
    fields: { gold: 77, luck: 0.5 },
  });
  assert.equal(await readEntity(store.port, checkpointer.world, '1.1'), undefined);
});

test('a row has no field that its kind does not have, and is written when one changes that it has', async () => {
  const components = { ofKind: [7, 3, 1], ofField: { gold: 2, luck: 1 } };
  const stage = new Stage(components);
  const store = new FaultyStore();
  const crate = stage.place(1, 0, 1, 9, 1, CRATE);
  stage.set(1, 0, { luck: 3 });
  stage.commit();
  const checkpointer = stage.checkpointer(store.port, { components });
  checkpointer.take();
  await checkpointer.settled();
  const row = await readEntity(store.port, checkpointer.world, entityName(crate));
  assert.deepEqual(row?.fields, { luck: 3 });
  const writtenAfter = async (fields: Record<string, number>): Promise<number> => {
    const before = stage.counters.get('checkpointRowsWritten');
    stage.set(1, 0, fields);
    stage.commit();
    checkpointer.take();
    await checkpointer.settled();
    return stage.counters.get('checkpointRowsWritten') - before;
  };
  assert.equal(await writtenAfter({ gold: 8 }), 0);
  assert.equal(await writtenAfter({ luck: 4 }), 1);
  const now = await readEntity(store.port, checkpointer.world, entityName(crate));
  assert.deepEqual(now?.fields, { luck: 4 });
});

test('only rows that changed are written', async () => {
  const stage = new Stage();
  const store = new FaultyStore();
  const keys = [0, 1, 2, 3, 4].map((n) => stage.place(0, n, 0, n, 1));
  stage.set(0, 2, { luck: Number.NaN });
  stage.commit();
  const checkpointer = stage.checkpointer(store.port);
  const namesOfNext = async (): Promise<string[]> => {
    store.calls.length = 0;
    stage.commit();
    checkpointer.take();
    await checkpointer.settled();
    return store.calls.flatMap(({ keys: written }) => written);
  };
  assert.equal((await namesOfNext()).length, 5);
  assert.deepEqual(await namesOfNext(), [], 'not a number is no change either');
  stage.set(0, 1, { speed: 3 });
  assert.deepEqual(await namesOfNext(), [], 'speed is of the moment');
  stage.set(0, 1, { gold: 3 });
  stage.set(0, 4, { positionX: 99 });
  const name = (key: number): string => entityRowKey(checkpointer.world, entityName(key));
  assert.deepEqual(await namesOfNext(), [name(keys[1]), name(keys[4])]);
  assert.equal(stage.counters.get('checkpointRowsChanged'), 7);
  assert.equal(stage.counters.get('checkpointRowsWritten'), 7);
  assert.equal(stage.counters.get('checkpoints'), 4);
});

test('an entity that walks into another zone keeps its one row, also while it is in none or seen in both', async () => {
  const stage = new Stage();
  const store = new FaultyStore();
  const key = stage.place(0, 0, 0, 1, 1);
  stage.commit();
  const checkpointer = stage.checkpointer(store.port);
  const rowAfter = async () => {
    checkpointer.take();
    await checkpointer.settled();
    return (await readAll(store.port, checkpointer.world)).get(entityName(key));
  };
  assert.equal((await rowAfter())?.zone, 0);
  stage.set(0, 0, { alive: 0 });
  stage.commit(0);
  assert.equal((await rowAfter())?.zone, 0, 'on its way: the row stays');
  stage.set(0, 0, { alive: 1, gold: 1 });
  stage.place(1, 7, 0, 1, 1);
  stage.set(1, 7, { gold: 2 });
  for (let i = 0; i < 3; i++) stage.commit(1);
  assert.deepEqual((await rowAfter())?.fields.gold, 2, 'seen in both: the later tick has it');
  stage.set(0, 0, { gold: 3 });
  for (let i = 0; i < 9; i++) stage.commit(0);
  assert.deepEqual((await rowAfter())?.fields.gold, 3, 'whichever of the zones is looked at first');
  stage.set(0, 0, { alive: 0 });
  stage.commit(0);
  assert.equal((await rowAfter())?.zone, 1);
  assert.ok(!store.calls.some(({ sort }) => sort === 'delete'));
});

test('rows of entities that are gone are deleted, and one with the same id has a row of its own', async () => {
  const stage = new Stage();
  const store = new FaultyStore();
  const dead = stage.place(0, 0, 0, 1, 1);
  const disowned = stage.place(0, 1, 0, 2, 1);
  const first = stage.place(0, 2, 0, 3, 1);
  stage.commit();
  const checkpointer = stage.checkpointer(store.port);
  checkpointer.take();
  await checkpointer.settled();
  assert.equal(store.entityKeys.length, 3);
  stage.set(0, 0, { alive: 0 });
  stage.freeId(0, 1);
  stage.set(0, 1, { owner: 0 });
  const second = stage.place(0, 2, 0, 3, 2);
  stage.commit();
  checkpointer.take();
  await checkpointer.settled();
  const rows = await readAll(store.port, checkpointer.world);
  assert.deepEqual([...rows.keys()], [entityName(second)]);
  assert.deepEqual(
    [dead, disowned, first].map((key) => rows.has(entityName(key))),
    [false, false, false],
  );
  assert.equal(stage.counters.get('checkpointRowsDeleted'), 3);
});

test('batches are bounded, one at a time, and a checkpoint in the middle of them does not wait for them', async () => {
  const stage = new Stage();
  const store = new FaultyStore();
  const count = 2 * CHECKPOINT_BATCH_ROWS_MAX + 10;
  for (let n = 0; n < count; n++) stage.place(0, n, 0, n, 1);
  stage.commit();
  const checkpointer = stage.checkpointer(store.port);
  checkpointer.take();
  store.onCall = (sort) => {
    if (sort !== 'put' || store.calls.length !== 1) return;
    stage.set(0, 0, { gold: 5 });
    stage.set(0, count - 1, { gold: 6 });
    stage.commit();
    checkpointer.take();
  };
  await checkpointer.settled();
  assert.equal(store.underWayMax, 1);
  assert.deepEqual(
    store.calls.map(({ keys }) => keys.length),
    [CHECKPOINT_BATCH_ROWS_MAX, CHECKPOINT_BATCH_ROWS_MAX, 11],
    'the last row changed while it waited and is written once, the first one was under way and is written twice',
  );
  const rows = await readAll(store.port, checkpointer.world);
  assert.deepEqual([rows.get('0.1')?.fields.gold, rows.get(`${count - 1}.1`)?.fields.gold], [5, 6]);
  assert.equal(stage.counters.get('checkpointBatches'), 3);
  assert.equal(stage.counters.get('checkpointRowsWaiting'), 0);
});

test('a store that is away gets the same batch first when it is back, with the newest values, and nothing is lost', async () => {
  const stage = new Stage();
  const store = new FaultyStore();
  for (let n = 0; n < 20; n++) stage.place(0, n, 0, n, 1);
  stage.commit();
  const checkpointer = stage.checkpointer(store.port);
  checkpointer.take();
  await checkpointer.settled();
  store.calls.length = 0;
  store.onCall = away;
  for (let round = 1; round <= 5; round++) {
    for (let n = round; n < 20; n++) stage.set(0, n, { gold: round });
    stage.commit();
    checkpointer.take();
    const { length } = store.calls;
    await until('another try', () => store.calls.length > length);
  }
  assert.equal(stage.counters.get('checkpointRowsWaiting') <= 19, true, 'one entry per entity however long it takes');
  store.done.length = 0;
  store.onCall = () => {};
  await checkpointer.settled();
  const back = store.done.flat();
  assert.deepEqual(
    back.map((key) => key.split('/')[1]),
    Array.from({ length: 19 }, (_, i) => `${i + 1}.1`),
    'in the order in which they first changed, each once',
  );
  const rows = await readAll(store.port, checkpointer.world);
  for (let n = 0; n < 20; n++) assert.equal(rows.get(`${n}.1`)?.fields.gold, Math.min(n, 5));
  assert.equal(stage.said.filter((line) => line.includes('not written')).length, 1, 'said once per outage');
  assert.ok(stage.counters.get('checkpointFailures') >= 5);
});

test('a write that was given up and is done after its successor does not stay', async () => {
  const stage = new Stage();
  const store = new FaultyStore();
  for (let n = 0; n < 4; n++) stage.place(0, n, 0, n, 1);
  stage.commit();
  const checkpointer = stage.checkpointer(store.port);
  checkpointer.take();
  await checkpointer.settled();
  for (let n = 0; n < 4; n++) stage.set(0, n, { gold: 1 });
  stage.commit();
  store.isSilent = true;
  checkpointer.take();
  // While the first write is not answered: one row changes once more and then stands still, one goes, and one stays as it is.
  await until('it is not answered', () => stage.counters.get('checkpointFailures') === 1);
  stage.set(0, 0, { gold: 2 });
  stage.set(0, 1, { alive: 0 });
  stage.freeId(0, 1);
  stage.commit();
  checkpointer.take();
  await checkpointer.settled();
  assert.equal((await readAll(store.port, checkpointer.world)).get('0.1')?.fields.gold, 2);
  store.unanswered[0]();
  assert.equal(store.entityKeys.length, 4);
  assert.equal(
    (await readAll(store.port, checkpointer.world)).get('0.1')?.fields.gold,
    1,
    'there are the old rows again',
  );
  await until('they are written over', () => {
    checkpointer.take();
    return store.entityKeys.length === 3 && stage.counters.get('checkpointRowsWaiting') === 0;
  });
  await checkpointer.settled();
  const rows = await readAll(store.port, checkpointer.world);
  assert.deepEqual(
    ['0.1', '1.1', '2.1', '3.1'].map((name) => rows.get(name)?.fields.gold),
    [2, undefined, 1, 1],
  );
  store.calls.length = 0;
  checkpointer.take();
  await checkpointer.settled();
  assert.deepEqual(store.calls, [], 'once');
});

test('a store that is away from the beginning is waited for, and only then the world has a name', async () => {
  const stage = new Stage();
  const store = new FaultyStore();
  store.onCall = away;
  stage.place(0, 0, 0, 1, 1);
  stage.commit();
  const checkpointer = stage.checkpointer(store.port);
  checkpointer.take();
  await until('two tries', () => stage.counters.get('checkpointFailures') >= 2);
  assert.equal(checkpointer.world, '');
  store.onCall = () => {};
  await checkpointer.settled();
  assert.equal((await readAll(store.port, checkpointer.world)).size, 1);
});

for (const [what, error] of [
  ['refuses one row', new PersistError('rejected', 'this row is too sour')],
  ['throws at one row', new TypeError('this row is too sour')],
] as const) {
  test(`a store that ${what} gets all the others, and the one is dropped, counted and told of`, async () => {
    const stage = new Stage();
    const store = new FaultyStore();
    for (let n = 0; n < 100; n++) stage.place(0, n, 0, n, 1);
    stage.commit();
    const checkpointer = stage.checkpointer(store.port);
    const isBad = (key: string): boolean => key.endsWith('/37.1') || key.endsWith('/90.1');
    store.onCall = (sort, keys) => {
      if (sort === 'put' && keys.some(isBad)) throw error;
    };
    checkpointer.take();
    await checkpointer.settled();
    assert.equal(store.entityKeys.length, 98);
    assert.ok(!store.entityKeys.some(isBad));
    assert.equal(stage.counters.get('checkpointRowsDropped'), 2);
    assert.equal(stage.said.length, 2, stage.said.join('\n'));
    assert.match(stage.said[0], /37\.1 was dropped: this row is too sour/);
    assert.match(stage.said[1], /2 entities were dropped/);
    store.onCall = () => {};
    stage.set(0, 37, { gold: 1 });
    stage.commit();
    checkpointer.take();
    await checkpointer.settled();
    assert.equal(store.entityKeys.length, 99, 'a dropped row is tried again when it changes');
  });
}

test('a stop writes the last changes, and with a store that stalls it ends in time and says what is missing', async () => {
  const stage = new Stage();
  const store = new FaultyStore();
  stage.place(0, 0, 0, 1, 1);
  stage.commit();
  const good = stage.checkpointer(store.port);
  await good.stop(5000);
  assert.equal(store.entityKeys.length, 1);

  const stalled = stage.checkpointer(store.port);
  store.onCall = () => new Promise(() => {});
  const startedMs = performance.now();
  await stalled.stop(100);
  assert.ok(performance.now() - startedMs < 5000, 'a bounded time');
  assert.match(stage.said.join('\n'), /1 checkpoints of entities were not written/);
});

test('a stop within a pause tries at once, and again soon', async () => {
  for (const failuresAfterStop of [0, 2]) {
    const stage = new Stage();
    const store = new FaultyStore();
    stage.place(0, 0, 0, 1, 1);
    stage.commit();
    const checkpointer = stage.checkpointer(store.port, {}, { min: 30, max: 60000 });
    let failuresLeft = 6 + failuresAfterStop;
    store.onCall = (sort) => {
      if (sort === 'put' && failuresLeft-- > 0) away();
    };
    checkpointer.take();
    await until('it has failed', () => failuresLeft === failuresAfterStop);
    await checkpointer.stop(500); // of a pause of 960 ms, less a quarter at most
    assert.equal(stage.counters.get('checkpointRowsWaiting'), 0);
    assert.deepEqual(store.entityKeys, [`${checkpointer.world}/1.1`]);
    assert.doesNotMatch(stage.said.join('\n'), /before the end/);
  }
});

test('a stop writes over what may be overtaken by a write that was given up, while there is time', async () => {
  const stage = new Stage();
  const store = new FaultyStore();
  stage.place(0, 0, 0, 1, 1);
  stage.commit();
  const checkpointer = stage.checkpointer(store.port);
  store.isSilent = true;
  checkpointer.take();
  await until('it is not answered', () => stage.counters.get('checkpointFailures') === 1);
  await checkpointer.settled();
  stage.set(0, 0, { gold: 2 });
  stage.commit();
  checkpointer.take();
  await checkpointer.settled();
  const rowNow = async () => (await readAll(store.port, checkpointer.world)).get('1.1');
  store.unanswered[0]();
  assert.equal((await rowNow())?.fields.gold, 0);
  await checkpointer.stop(5000);
  assert.equal((await rowNow())?.fields.gold, 2);
});

test('a world that goes on keeps its rows and drops those of entities that it has no more', async () => {
  const stage = new Stage();
  const store = new FaultyStore();
  stage.place(0, 0, 0, 1, 1);
  stage.place(0, 1, 0, 2, 1);
  stage.place(0, 2, 0, 3, 1);
  stage.commit();
  const before = stage.checkpointer(store.port);
  await before.stop(5000);

  stage.set(0, 1, { alive: 0 });
  stage.freeId(0, 2);
  stage.place(0, 2, 0, 3, 2);
  stage.commit();
  const after = stage.checkpointer(store.port, { startedAtMs: 1_800_000_000_000 });
  after.take();
  await after.settled();
  after.take(); // what was found stored is looked for from now on
  await after.settled();
  assert.equal(after.world, before.world);
  assert.deepEqual([...(await readAll(store.port, after.world)).keys()].sort(), ['1.1', '3.2']);
});

test('a world that begins anew has rows of its own, and old worlds go in the end', async () => {
  const stage = new Stage();
  const store = new FaultyStore();
  stage.place(0, 0, 0, 1, 1);
  stage.commit();
  const names: string[] = [];
  for (let day = 0; day < CHECKPOINT_WORLDS_KEPT + 2; day++) {
    const checkpointer = stage.checkpointer(store.port, {
      worldId: randomUUID(),
      startedAtMs: 1_700_000_000_000 + day * 86400000,
    });
    await checkpointer.stop(5000);
    names.push(checkpointer.world);
  }
  const kept = names.slice(-CHECKPOINT_WORLDS_KEPT);
  await until('they are gone', async () => (await listWorlds(store.port)).length === CHECKPOINT_WORLDS_KEPT);
  assert.deepEqual(
    (await listWorlds(store.port)).map(({ world }) => world),
    kept,
  );
  assert.equal((await listWorlds(store.port)).at(-1)?.world, kept.at(-1));
  assert.deepEqual(
    store.entityKeys,
    kept.map((world) => `${world}/1.1`),
  );
});

test('old worlds that cannot be dropped now keep no checkpoint from being written, and go later', async () => {
  const stage = new Stage();
  const store = new FaultyStore();
  const { game, gameVersion, seed } = STAGE_PLAN;
  const names = Array.from({ length: CHECKPOINT_WORLDS_KEPT }, (_, n) => `1999-${n}`);
  for (const [startedAtMs, world] of names.entries()) {
    await putWorld(store.port, { world, game, gameVersion, seed, startedAtMs, worldId: randomUUID() });
    await store.port.putRows('entities', [{ key: `${world}/9.1`, value: new Uint8Array(1) }]);
  }
  stage.place(0, 0, 0, 1, 1);
  stage.commit();
  let isRefusing = true;
  let tries = 0;
  store.onCall = (sort, keys) => {
    if (sort !== 'delete' || !keys.includes(`${names[0]}/9.1`)) return;
    tries++;
    if (isRefusing) throw new PersistError('unavailable', 'not now');
  };
  const checkpointer = stage.checkpointer(store.port);
  const known = async (): Promise<string[]> => (await listWorlds(store.port)).map(({ world }) => world);
  checkpointer.take();
  await until('the checkpoint is there', () => store.entityKeys.includes(`${checkpointer.world}/1.1`));
  await until('it is tried', () => tries > 0);
  checkpointer.take();
  await until('it is tried again', () => tries > 1);
  assert.ok((await known()).includes(names[0]));
  isRefusing = false;
  await until('it is gone', async () => {
    checkpointer.take();
    return !(await known()).includes(names[0]);
  });
  assert.deepEqual(
    store.entityKeys,
    [...names.slice(1), checkpointer.world].map((world) => `${world}/${world.startsWith('1999') ? 9 : 1}.1`).sort(),
  );
  await checkpointer.stop(5000);
});

test('a world that goes on finds its own rows, whatever world of the same game and seed was stored since', async () => {
  const stage = new Stage();
  const store = new FaultyStore();
  stage.place(0, 0, 0, 1, 1);
  stage.commit();
  const first = stage.checkpointer(store.port);
  await first.stop(5000);
  const second = stage.checkpointer(store.port, { worldId: randomUUID() });
  await second.stop(5000);
  assert.notEqual(second.world, first.world, 'also when both began in one millisecond');
  await store.port.putRows('entities', [{ key: `${second.world}/9.1`, value: new Uint8Array(1) }]);
  const again = stage.checkpointer(store.port, { startedAtMs: 1_900_000_000_000 });
  again.take();
  await again.settled();
  again.take();
  await again.stop(5000);
  assert.equal(again.world, first.world);
  assert.ok(
    store.entityKeys.includes(`${second.world}/9.1`),
    'rows of the other one are not gone entities of this one',
  );
});

test('a world of another game or size is no place to go on', async () => {
  const stage = new Stage();
  const store = new FaultyStore();
  stage.place(0, 0, 0, 1, 1);
  stage.commit();
  const worldId = randomUUID();
  const other = stage.checkpointer(store.port, { game: 'other', worldId });
  await other.stop(5000);
  const mine = stage.checkpointer(store.port, { startedAtMs: 1_800_000_000_000 });
  await store.port.putRows('entities', [{ key: `${other.world}/${2 * STAGE_ROWS}.1`, value: new Uint8Array(1) }]);
  await mine.stop(5000);
  assert.notEqual(mine.world, other.world);
  assert.equal((await readAll(store.port, mine.world)).size, 1);
  const again = stage.checkpointer(store.port, { game: 'other', worldId });
  await again.stop(5000);
  assert.deepEqual(
    store.entityKeys.filter((key) => key.startsWith(other.world)),
    [`${other.world}/1.1`],
    'an id beyond this world is nobody',
  );
});
