import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { JobPool } from '../../../src/durability/snapshots/job-pool.js';
import { COLD_HISTORY_KEPT, SNAPSHOT_COPIES_BYTES_MAX } from '../../../src/durability/snapshots/limits.js';
import { coldId, hotKey, Snapshotter } from '../../../src/durability/snapshots/snapshotter.js';
import { decodeZone, type WorldIdentity } from '../../../src/durability/snapshots/zone-snapshot.js';
import { IoCounters } from '../../../src/memory/tables/io-counters.js';
import { LIVE_BLOCK, WorldBuffer } from '../../../src/memory/world/world-buffer.js';
import { layOutWorld, SCALAR_ROW_LIMIT, SCALAR_TICK } from '../../../src/memory/world/world-layout.js';
import { openStores, type Stores } from '../../../src/stores/open-stores.js';
import { type Fence, PersistError } from '../../../src/stores/store-ports.js';
import { openFolder, until } from '../../folder.js';
import { listHistory } from '../../stores/cold-history.js';
import { TICK_DIES, TICK_THROWS } from './faulty-job-thread.js';

const FAULTY_ENTRY = new URL('./faulty-job-thread.js', import.meta.url);
const REAL_ENTRY = new URL('../../../workers/job-thread.js', import.meta.url);
const ROW_CAPACITY = 1024;
const EPOCH = 5;
const SHAPE: WorldIdentity = {
  game: 'toy',
  seed: 1,
  bots: 0,
  zoneColumns: 1,
  zoneCount: 3,
  worldWidth: 64,
  worldHeight: 64,
  rowCapacity: ROW_CAPACITY,
  worldId: '7b0cf7a8-6b1f-4d0a-9a53-0d6d1c5f6b11',
  cellSize: 0,
};

class Stage {
  readonly worlds: WorldBuffer[];
  readonly counters = new IoCounters(IoCounters.create());
  readonly lines: string[] = [];
  readonly stores: Stores;
  readonly jobs: JobPool;
  readonly snapshotter: Snapshotter;

  /** Snapshots carry it. */
  fence: Fence | undefined;
  /** Snapshots wait for it. */
  kept: Promise<void> = Promise.resolve();

  constructor(t: TestContext, entry: URL, jobMsMax?: number) {
    const layout = layOutWorld([{ name: 'x', type: 'f32' }], ROW_CAPACITY);
    this.worlds = [0, 1, 2].map((zone) => new WorldBuffer(WorldBuffer.create(layout, zone), layout));
    this.stores = openStores({ folder: openFolder(t), kafka: '', redis: '', mongodb: '' });
    this.jobs = new JobPool({ entry, ...(jobMsMax === undefined ? {} : { jobMsMax }) });
    const { hot, cold } = this.stores;
    const say = (line: string): void => void this.lines.push(line);
    const { worlds, jobs, counters } = this;
    const requireFence = (): Fence | undefined => this.fence;
    const whenKept = (): Promise<void> => this.kept;
    this.snapshotter = new Snapshotter(worlds, SHAPE, EPOCH, hot, cold, jobs, counters, say, requireFence, whenKept);
    t.after(() => Promise.all([this.stores.close(), this.jobs.close()]));
    this.commit(5);
  }

  commit(tick: number, zone?: number): void {
    for (const [index, world] of this.worlds.entries()) {
      if (zone !== undefined && index !== zone) continue;
      const live = world.blocks[LIVE_BLOCK];
      live.scalars[SCALAR_TICK] = tick;
      live.scalars[SCALAR_ROW_LIMIT] = ROW_CAPACITY;
      live.columns.x.fill(tick + index);
      world.commit();
    }
  }

  async hotTicks(): Promise<(number | undefined)[]> {
    const values = await this.stores.hot.get([0, 1, 2].map(hotKey));
    return values.map((bytes) => bytes && decodeZone(bytes).header.tick);
  }

  async coldTicks(zone: number): Promise<number[]> {
    return (await listHistory(this.stores.cold, coldId(zone))).map(({ tick }) => tick);
  }
}

test('a snapshot of each zone goes to both stores, compressed, and is what was committed', async (t) => {
  const stage = new Stage(t, REAL_ENTRY);
  await Promise.all([stage.snapshotter.takeHot(1000), stage.snapshotter.takeCold(1000)]);
  assert.deepEqual(stage.lines, []);
  assert.deepEqual(await stage.hotTicks(), [5, 5, 5]);
  for (const zone of [0, 1, 2]) {
    const { snapshot } = await stage.stores.cold.latest(coldId(zone));
    assert.ok(snapshot);
    assert.equal(snapshot.meta.compression, 'brotli');
    assert.deepEqual(decodeZone(snapshot.bytes).columns.get('x'), new Float32Array(ROW_CAPACITY).fill(5 + zone));
  }
  const { counters } = stage;
  assert.equal(counters.get('hotSnapshots'), 1);
  assert.equal(counters.get('coldSnapshots'), 1);
  assert.equal(counters.get('snapshotRawBytes'), 3 * (1024 + ROW_CAPACITY * 4));
  assert.ok(counters.get('snapshotBytes') > 0 && counters.get('snapshotBytes') < counters.get('snapshotRawBytes'));
  assert.ok(counters.get('snapshotMs') > 0 && counters.get('snapshotJobMs') > 0);
});

test('a snapshot is not stored before the events of its ticks are kept', async (t) => {
  const stage = new Stage(t, REAL_ENTRY);
  await Promise.all([stage.snapshotter.takeHot(1000), stage.snapshotter.takeCold(1000)]);
  stage.commit(9);
  let keep = (): void => {};
  stage.kept = new Promise((resolve) => {
    keep = resolve;
  });
  const { jobs } = stage;
  const run = jobs.run.bind(jobs) as (...job: unknown[]) => Promise<unknown>;
  let packed = 0;
  Object.assign(jobs, { run: (...job: unknown[]) => run(...job).finally(() => packed++) });
  const taken = Promise.all([stage.snapshotter.takeHot(2000), stage.snapshotter.takeCold(2000)]);
  await until('both to be packed', () => packed === 6);
  await turn();
  assert.deepEqual(await stage.hotTicks(), [5, 5, 5]);
  assert.deepEqual(await stage.coldTicks(0), [5]);
  keep();
  await taken;
  assert.deepEqual(await stage.hotTicks(), [9, 9, 9]);
  assert.deepEqual(await stage.coldTicks(0), [9, 5]);
});

test('a zone that commits while it is in the pool is stored as it was copied', async (t) => {
  const stage = new Stage(t, REAL_ENTRY);
  const taken = stage.snapshotter.takeHot(1000);
  stage.commit(6, 0);
  stage.commit(7, 0);
  await taken;
  assert.equal((await stage.hotTicks())[0], 5);
});

for (const { what, tick, reason } of [
  { what: 'a job that throws', tick: TICK_THROWS, reason: /this job always fails/ },
  { what: 'a job thread that dies', tick: TICK_DIES, reason: /worker exited with code: 7/ },
]) {
  test(`${what} fails one snapshot, is told once, and the next is taken`, { timeout: 30000 }, async (t) => {
    const stage = new Stage(t, FAULTY_ENTRY);
    await stage.snapshotter.takeHot(1000);
    stage.commit(tick, 1);
    await stage.snapshotter.takeHot(2000);
    assert.equal(stage.counters.get('hotFailures'), 1);
    assert.equal(stage.lines.length, 1, stage.lines.join('\n'));
    assert.match(stage.lines[0], /a hot snapshot was not taken: the job packZoneJob/);
    assert.match(stage.lines[0], reason);
    assert.deepEqual(await stage.hotTicks(), [5, 5, 5], 'what was stored before is untouched');
    stage.commit(8);
    await Promise.all([stage.snapshotter.takeHot(3000), stage.snapshotter.takeCold(3000)]);
    assert.deepEqual(await stage.hotTicks(), [8, 8, 8]);
    assert.equal(stage.counters.get('hotSnapshots'), 2);
    assert.equal(stage.counters.get('coldFailures'), 0);
    assert.equal(stage.lines.length, 2);
  });
}

test('one that is still under way lets the next pass', async (t) => {
  const stage = new Stage(t, REAL_ENTRY);
  await Promise.all([1, 2, 3].map((n) => stage.snapshotter.takeHot(n)));
  assert.equal(stage.counters.get('hotSnapshots'), 1);
});

test('the last snapshot is taken though others are under way, and is the newest in both stores', async (t) => {
  const stage = new Stage(t, REAL_ENTRY);
  const earlier = [stage.snapshotter.takeHot(1000), stage.snapshotter.takeCold(1000)];
  await new Promise((resolve) => setTimeout(resolve, 1));
  stage.commit(9);
  await Promise.all([...earlier, stage.snapshotter.takeLast(2000)]);
  assert.deepEqual(stage.lines, []);
  assert.deepEqual(await stage.hotTicks(), [9, 9, 9]);
  for (const zone of [0, 1, 2]) {
    const ticks = await stage.coldTicks(zone);
    assert.equal(ticks.length, 2);
    assert.equal(ticks[0], 9);
  }
});

test('the last cold snapshot waits for a slow one before it: the history stays in order', async (t) => {
  const stage = new Stage(t, REAL_ENTRY);
  const { cold } = stage.stores;
  const save = cold.save.bind(cold);
  let release: () => void = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const begun = new Promise<void>((resolve) => {
    cold.save = async (id, snapshot) => {
      resolve();
      if (snapshot.takenAtMs === 1000) await released;
      return save(id, snapshot);
    };
  });
  const slow = stage.snapshotter.takeCold(1000);
  await begun;
  stage.commit(9);
  const finished = stage.snapshotter.takeLast(2000);
  await until('the last hot snapshot', async () => (await stage.hotTicks())[0] === 9);
  release();
  await Promise.all([slow, finished]);
  for (const zone of [0, 1, 2]) assert.deepEqual(await stage.coldTicks(zone), [9, 5]);
});

test('the last hot snapshot waits for a slow one before it, which would be written over it', async (t) => {
  const stage = new Stage(t, REAL_ENTRY);
  const { hot } = stage.stores;
  const set = hot.set.bind(hot);
  let release: () => void = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const begun = new Promise<void>((resolve) => {
    hot.set = async (entries) => {
      hot.set = set; // the next one is not slow
      resolve();
      await released;
      await set(entries);
    };
  });
  const slow = stage.snapshotter.takeHot(1000);
  await begun;
  stage.commit(9);
  const finished = stage.snapshotter.takeLast(2000);
  await until('the last cold snapshot', async () => (await stage.coldTicks(2))[0] === 9);
  release();
  await Promise.all([slow, finished]);
  assert.deepEqual(await stage.hotTicks(), [9, 9, 9]);
});

test('a job thread that dies under the last snapshot does not lose it', { timeout: 30000 }, async (t) => {
  const stage = new Stage(t, FAULTY_ENTRY);
  stage.commit(TICK_DIES, 2);
  const finished = stage.snapshotter.takeLast(2000);
  await new Promise((resolve) => setImmediate(() => setImmediate(() => setImmediate(resolve))));
  stage.commit(9);
  await finished;
  assert.deepEqual(await stage.hotTicks(), [9, 9, 9]);
  assert.deepEqual(stage.lines, []);
});

test('a store that refuses fails its own snapshots only', async (t) => {
  const stage = new Stage(t, REAL_ENTRY);
  stage.stores.hot.set = async () => {
    throw new PersistError('unavailable', 'nobody there');
  };
  await stage.snapshotter.takeLast(1000);
  assert.deepEqual(stage.lines, ['a hot snapshot was not taken: nobody there']);
  assert.equal(stage.counters.get('hotFailures'), 1);
  assert.deepEqual(await stage.coldTicks(2), [5]);
});

test('old cold snapshots that are not removed keep no zone from being saved, and are said once', async (t) => {
  const stage = new Stage(t, REAL_ENTRY);
  const { cold } = stage.stores;
  const prune = cold.prune.bind(cold);
  cold.prune = () => Promise.reject(new PersistError('timeout', 'no answer'));
  for (const tick of [6, 7]) {
    stage.commit(tick);
    await stage.snapshotter.takeCold(1000);
    for (const zone of [0, 1, 2]) assert.equal((await stage.coldTicks(zone))[0], tick);
  }
  assert.deepEqual(stage.lines, ['old cold snapshots are not removed: no answer']);
  assert.equal(stage.counters.get('coldSnapshots'), 2);
  assert.equal(stage.counters.get('coldFailures'), 0);
  cold.prune = prune;
  for (let tick = 8; tick < 20; tick++) {
    stage.commit(tick);
    await stage.snapshotter.takeCold(1000);
  }
  assert.equal((await listHistory(cold, coldId(2))).length, COLD_HISTORY_KEPT);
  assert.equal(stage.lines.length, 1);
});

test('a store that is away for long is said once, and once again when it is back; the last failure is said by itself', async (t) => {
  const stage = new Stage(t, REAL_ENTRY);
  const { hot } = stage.stores;
  const set = hot.set.bind(hot);
  const away = (): Promise<void> => Promise.reject(new PersistError('unavailable', 'nobody there'));
  hot.set = away;
  for (let i = 0; i < 3; i++) await stage.snapshotter.takeHot(1000);
  assert.deepEqual(stage.lines, ['a hot snapshot was not taken: nobody there']);
  assert.equal(stage.counters.get('hotFailures'), 3);
  hot.set = set;
  await stage.snapshotter.takeHot(1000);
  await stage.snapshotter.takeHot(1000);
  assert.deepEqual(stage.lines.slice(1), ['hot snapshots are taken again']);
  hot.set = away;
  await stage.snapshotter.takeHot(1000);
  await stage.snapshotter.takeLast(1000);
  assert.equal(stage.lines.length, 4);
});

test('a snapshot of a server that lost its lease is refused by the store, whatever that server believes', async (t) => {
  const stage = new Stage(t, REAL_ENTRY);
  const { hot, cold } = stage.stores;
  const claim = { about: '', ttlMs: 60000 };
  const mine = await hot.claimLease('zones', { ...claim, holder: 'a' });
  await cold.claimLease('zones', { ...claim, holder: 'a' });
  stage.fence = { lease: 'zones', holder: 'a', number: mine.fence };
  await stage.snapshotter.takeHot(1000);
  await stage.snapshotter.takeCold(1000);
  for (const store of [hot, cold]) await store.claimLease('zones', { ...claim, holder: 'b', over: mine });
  stage.commit(9);
  await stage.snapshotter.takeHot(2000);
  await stage.snapshotter.takeCold(2000);
  assert.deepEqual(await stage.hotTicks(), [5, 5, 5]);
  assert.deepEqual(await stage.coldTicks(0), [5]);
  const why = "another server holds the lease 'zones': its fencing token is 2, this write carries 1";
  assert.deepEqual(stage.lines, [`a hot snapshot was not taken: ${why}`, `a cold snapshot was not taken: ${why}`]);
});

test('copies beyond what may wait at once are made when those before them are packed', async (t) => {
  const stage = new Stage(t, REAL_ENTRY);
  const steps: string[] = [];
  const parts = stage.snapshotter as unknown as { copy: unknown; pack: unknown };
  parts.copy = ({ zoneId }: WorldBuffer) => {
    steps.push(`copy ${zoneId}`);
    return { zoneId, body: { length: 0.6 * SNAPSHOT_COPIES_BYTES_MAX } };
  };
  parts.pack = async ({ zoneId }: { zoneId: number }) => {
    for (let n = 0; n < 5; n++) await turn();
    steps.push(`pack ${zoneId}`);
    throw new Error('not stored');
  };
  await stage.snapshotter.takeHot(0);
  assert.deepEqual(steps.slice(0, 3), ['copy 0', 'copy 1', 'pack 0']);
});
