import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { JOURNAL_FOLDER, STORES_FOLDER } from '../../../src/base/data-folder.js';
import { DEFAULTS, type Settings } from '../../../src/config/settings.js';
import { SEGMENT_SUFFIX } from '../../../src/durability/journal/journal-file.js';
import {
  type RecoveryReport,
  type RecoverySources,
  recoverWorld,
  shapeOf,
} from '../../../src/durability/recovery/recovery.js';
import { keepWorld, openWorldFolder, settle, WORLD_FILE } from '../../../src/durability/recovery/world-folder.js';
import { coldId, hotKey } from '../../../src/durability/snapshots/snapshotter.js';
import type { WorldIdentity } from '../../../src/durability/snapshots/zone-snapshot.js';
import { planWorld, type WorldPlan } from '../../../src/engine/plan/world-plan.js';
import { ZoneHost } from '../../../src/engine/zone/zone-host.js';
import type { FieldDefinitions, GameDefinition } from '../../../src/game/definition.js';
import { ByteRing } from '../../../src/memory/rings/byte-ring.js';
import { LIVE_BLOCK, WorldBuffer } from '../../../src/memory/world/world-buffer.js';
import { openStores, type StoreSettings, type Stores } from '../../../src/stores/open-stores.js';
import { PersistError } from '../../../src/stores/store-ports.js';
import { openFolder } from '../../folder.js';
import coins from '../../games/toy/game.js';
import { encodeZone } from '../snapshots/plain-snapshot.js';

const ROW = 4;

/** The toy game with other fields; its systems do not run here. */
function gameWith(fields: FieldDefinitions): GameDefinition {
  return { ...(coins as unknown as GameDefinition), fields, systems: [] };
}

const GAME = gameWith({ score: { type: 'u16' }, stamina: { type: 'f32' } });

function settingsOf(folder: string, changed: Partial<Settings> = {}): Settings {
  return {
    ...DEFAULTS,
    data: folder,
    zoneColumns: 2,
    zoneRows: 1,
    worldWidth: 256,
    worldHeight: 128,
    entitiesPerZone: 256,
    clientsMax: 8,
    ...changed,
  };
}

function plan(settings: Settings, game: GameDefinition): WorldPlan {
  return planWorld(settings, game, 1, 0);
}

const WORLD_ID = '7b0cf7a8-6b1f-4d0a-9a53-0d6d1c5f6b11';

interface Stored {
  worldId?: string;
  writer?: string;
  epoch?: number;
  tick?: number;
}

/** A world that has lived for a tick, in the hot or the cold store, with one score in each zone. */
async function storeWorld(
  settings: Settings,
  where: 'hot' | 'cold',
  score: number,
  takenAtMs: number,
  { worldId, writer, epoch, tick = 9 }: Stored = { worldId: WORLD_ID },
): Promise<void> {
  const world = plan(settings, GAME);
  const written = writer === undefined ? {} : { writer };
  const shape = { ...shapeOf(settings, GAME, world), worldId, ...written } as WorldIdentity;
  const stores = open(settings);
  for (const [zone, buffer] of world.worlds.entries()) {
    const frames = new ByteRing(world.frames[0]);
    const host = new ZoneHost(world, zone, GAME, frames, new Float64Array(6), () => 0);
    host.zone.columns.score[ROW] = score;
    host.runTick(tick);
    const bytes = encodeZone(new WorldBuffer(buffer, world.layout), shape, epoch ?? world.epoch, takenAtMs);
    assert.ok(bytes);
    if (where === 'hot') await stores.hot.set([{ key: hotKey(zone), value: bytes, ttlMs: 60000 }]);
    else
      await stores.cold.save(coldId(zone), {
        bytes,
        tick,
        takenAtMs,
        meta: worldId === undefined ? {} : { worldId, ...written, epoch: epoch ?? world.epoch },
      });
  }
  await stores.close();
}

function open({ data }: Settings): Stores {
  return openStores({ folder: join(data, STORES_FOLDER), kafka: '', redis: '', mongodb: '' });
}

async function damageHot(settings: Settings, zone: number): Promise<void> {
  const { hot, close } = open(settings);
  const [bytes] = await hot.get([hotKey(zone)]);
  assert.ok(bytes);
  const damaged = Buffer.from(bytes);
  damaged[damaged.length >> 1] ^= 1;
  await hot.set([{ key: hotKey(zone), value: damaged, ttlMs: 60000 }]);
  await close();
}

interface Recovered {
  report: RecoveryReport;
  epochMin: number;
  lines: string[];
  /** Of the row of each zone. */
  cells: (name: string) => number[];
}

async function recover(settings: Settings, game: GameDefinition, sources: RecoverySources = {}): Promise<Recovered> {
  const world = plan(settings, game);
  const lines: string[] = [];
  const keep = (_: object, line: string): void => void lines.push(line);
  const log = { debug: keep, info: keep, warn: keep, error: keep };
  const shape = shapeOf(settings, game, world);
  const { report, epochMin } = await recoverWorld(world, game, shape, log, sources);
  const cells = (name: string): number[] =>
    world.worlds.map((buffer) => new WorldBuffer(buffer, world.layout).blocks[LIVE_BLOCK].columns[name][ROW]);
  return { report, epochMin, lines, cells };
}

function stage(t: TestContext): Settings {
  return settingsOf(openFolder(t));
}

test('a column whose type has grown keeps its values, and what changed is one line', async (t) => {
  const settings = stage(t);
  await storeWorld(settings, 'hot', 65535, 1000);
  const { report, lines, cells } = await recover(settings, gameWith({ score: { type: 'f64' }, level: { type: 'u8' } }));
  assert.equal(report.source, 'hot');
  assert.equal(report.snapshotTick, 9);
  assert.deepEqual(report.skipped, []);
  assert.deepEqual(cells('score'), [65535, 65535]);
  assert.deepEqual(cells('level'), [0, 0]);
  assert.deepEqual(
    lines.filter((line) => line.includes('columns')),
    ['recovery: columns changed: score was u16 and is f64; level is new and zero; stamina is no longer there'],
  );
});

test('a game that has not changed says nothing of columns', async (t) => {
  const settings = stage(t);
  await storeWorld(settings, 'hot', 7, 1000);
  const { lines, cells } = await recover(settings, GAME);
  assert.deepEqual(cells('score'), [7, 7]);
  assert.ok(!lines.some((line) => line.includes('columns')), lines.join('\n'));
});

test('a snapshot with a value that no longer fits is passed over for an older one that does', async (t) => {
  const settings = stage(t);
  await storeWorld(settings, 'cold', 200, 1000);
  await storeWorld(settings, 'hot', 300, 2000);
  const { report, cells } = await recover(settings, gameWith({ score: { type: 'u8' } }));
  assert.equal(report.source, 'cold');
  assert.deepEqual(cells('score'), [200, 200]);
  assert.equal(report.skipped.length, 2);
  assert.match(
    report.skipped[0],
    /^the hot snapshot of zone \d: column score was u16 and is u8 now, which 300 of row 4 does not fit$/,
  );
});

test('where none fits the world begins anew, or refuses where it was to be resumed', async (t) => {
  const settings = stage(t);
  await storeWorld(settings, 'hot', 300, 1000);
  const narrow = gameWith({ score: { type: 'u8' } });
  const { report } = await recover(settings, narrow);
  assert.equal(report.source, 'initial');
  assert.equal(report.skipped.length, 2);
  await assert.rejects(
    recover({ ...settings, start: 'resume' }, narrow),
    /^Error: start is resume, but the world in .* does not fit the game: in zone 0, column score was u16 and is u8 now/,
  );
});

test('a world to be resumed of which nothing can be read is refused, and begins anew only where that was asked for', async (t) => {
  const settings = stage(t);
  const resumed: Settings = { ...settings, start: 'resume' };
  await assert.rejects(recover(resumed, GAME), /^Error: start is resume, but nothing is stored of a world in /);

  await storeWorld(settings, 'hot', 7, 1000);
  await damageHot(settings, 1);
  await assert.rejects(
    recover(resumed, GAME),
    /^Error: start is resume, but zone 1 of the world in .* cannot be had: the hot snapshot of zone 1: its checksum does not match; /,
  );
  const stores = open(settings);
  await stores.hot.delete([hotKey(1)]);
  await stores.close();
  await assert.rejects(recover(resumed, GAME), /nothing is stored of zone 1 of the world in /);
  const { report, cells } = await recover(settings, GAME);
  assert.equal(report.source, 'hot');
  assert.deepEqual(cells('score'), [7, 0]);

  await storeWorld(settings, 'cold', 5, 500);
  assert.deepEqual((await recover(resumed, GAME)).cells('score'), [7, 5]);
});

test('a world of another shape is refused by the name of the setting and both values', async (t) => {
  const settings = stage(t);
  await storeWorld(settings, 'hot', 1, 1000);
  for (const [changed, reason] of [
    [{ entitiesPerZone: 512 }, /its entitiesPerZone is 256, and 512 is asked for/],
    [{ entitiesPerZone: 8192 }, /its entitiesPerZone is 256, and 8192 is asked for/],
    [{ entitiesPerZone: 128 }, /its entitiesPerZone is 256, and 128 is asked for/],
    [{ zoneColumns: 1, zoneRows: 2 }, /its number of columns of zones \(zones\) is 2, and 1 is asked for/],
    [{ zoneRows: 2 }, /its number of zones \(zones\) is 2, and 4 is asked for/],
    [{ worldWidth: 512 }, /its width \(world\) is 256, and 512 is asked for/],
    [{ seed: 3 }, /its seed is 1, and 3 is asked for/],
    [{ bots: 3 }, /its bots is 0, and 3 is asked for/],
  ] as const) {
    const asked = { ...settings, ...changed };
    await assert.rejects(recover({ ...asked, start: 'resume' }, GAME), reason);
    const { report } = await recover(asked, GAME);
    assert.equal(report.source, 'initial');
    assert.match(report.skipped.join('\n'), reason);
  }
});

test('a large zone is named by its setting too, whose mirrored rows are a quarter', async (t) => {
  const settings = settingsOf(openFolder(t), { entitiesPerZone: 10000 });
  await storeWorld(settings, 'hot', 1, 1000);
  await assert.rejects(
    recover({ ...settings, entitiesPerZone: 20000, start: 'resume' }, GAME),
    // Up to the next multiple of 64.
    /its entitiesPerZone is 10048, and 20032 is asked for/,
  );
});

/** Whose hot store gives no answer for its first questions. */
function openSilent(silentAnswers: number): (settings: StoreSettings) => Stores {
  let left = silentAnswers;
  return (settings) => {
    const stores = openStores(settings);
    const { hot } = stores;
    const get = (keys: readonly string[]): ReturnType<typeof hot.get> =>
      left-- > 0 ? Promise.reject(new PersistError('unavailable', 'get: no connection to redis:6379')) : hot.get(keys);
    return { ...stores, hot: { ...hot, get }, close: () => stores.close() };
  };
}

test('a store that answers a little later is waited for, and the world goes on', async (t) => {
  const settings = stage(t);
  await storeWorld(settings, 'hot', 77, 1000);
  const { report, lines, cells } = await recover(settings, GAME, { open: openSilent(5) });
  assert.equal(report.source, 'hot');
  assert.deepEqual(report.skipped, []);
  assert.deepEqual(cells('score'), [77, 77]);
  assert.equal(lines.filter((line) => line.includes('asked again')).length, 1);
});

test('where a store is silent and nothing else knows of a world, none begins in the place of what it may keep', async (t) => {
  const settings = stage(t);
  await storeWorld(settings, 'hot', 77, 1000);
  const silent = { open: openSilent(Infinity), waitMs: 300 };
  await assert.rejects(recover(settings, GAME, silent), /cannot be told: .*no connection to redis:6379.*--start fresh/);
  await assert.rejects(recover({ ...settings, start: 'resume' }, GAME, silent), /start is resume, but zone 0/);
  assert.equal((await recover({ ...settings, start: 'fresh' }, GAME, silent)).report.source, 'initial');
});

test('the refusal of a start says of a journal that it cannot be used, not that there is none', async (t) => {
  const settings = stage(t);
  const folder = join(settings.data, JOURNAL_FOLDER, '5');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `1${SEGMENT_SUFFIX}`), '');
  await assert.rejects(
    recover(settings, GAME, { open: openSilent(Infinity), waitMs: 300 }),
    /no connection to redis:6379, and the journal in .* cannot be used: the journal of session 5: .*--start fresh/,
  );
});

test('where a store is silent and the other one has the world, that one is taken', async (t) => {
  const settings = stage(t);
  await storeWorld(settings, 'cold', 78, 1000);
  const { report, cells } = await recover(settings, GAME, { open: openSilent(Infinity), waitMs: 300 });
  assert.equal(report.source, 'cold');
  assert.deepEqual(cells('score'), [78, 78]);
  assert.equal(report.skipped.length, 2);
});

const OTHER_ID = '0c3d2a50-8f0f-4c0e-9d43-3f6f3b1d9a22';

test("a store that another server has written to meanwhile does not make a folder that server's world", async (t) => {
  const settings = stage(t);
  const folder = { worldId: WORLD_ID, earlier: [], writers: [] };
  await storeWorld(settings, 'cold', 7, 1000, { worldId: WORLD_ID, epoch: 10 });
  for (let n = 0; n < 2; n++) await storeWorld(settings, 'cold', 8, 2000, { worldId: OTHER_ID, epoch: 11 });
  await storeWorld(settings, 'hot', 9, 3000, { worldId: OTHER_ID, epoch: 11 });
  const { report, cells } = await recover(settings, GAME, { folder });
  assert.deepEqual([report.source, report.worldId], ['cold', WORLD_ID]);
  assert.deepEqual(cells('score'), [7, 7]);
  assert.deepEqual(report.skipped.sort(), [
    `the cold store keeps world ${OTHER_ID}, but ${settings.data} is world ${WORLD_ID}: what is of the other one is passed over`,
    `the hot store keeps world ${OTHER_ID}, but ${settings.data} is world ${WORLD_ID}: what is of the other one is passed over`,
  ]);
  // A folder that is nobody's yet takes up the newest: the machine of that world may be gone.
  assert.equal((await recover(settings, GAME, { folder: { ...folder, worldId: '' } })).report.worldId, OTHER_ID);
});

const MY_SERVER = '1d3c2a50-8f0f-4c0e-9d43-3f6f3b1d9a22';
const COPYS_SERVER = '2e3c2a50-8f0f-4c0e-9d43-3f6f3b1d9a22';

test('what a server on a copy of the folder wrote later is passed over, and said so', async (t) => {
  const settings = stage(t);
  const folder = { worldId: WORLD_ID, earlier: [], writers: [MY_SERVER] };
  const ofCopy = { worldId: WORLD_ID, writer: COPYS_SERVER, epoch: 12 };
  await storeWorld(settings, 'cold', 7, 1000, { worldId: WORLD_ID, writer: MY_SERVER, epoch: 10 });
  await storeWorld(settings, 'cold', 8, 2000, { ...ofCopy, tick: 20 });
  await storeWorld(settings, 'cold', 8, 2000, { ...ofCopy, tick: 30 });
  await storeWorld(settings, 'hot', 9, 3000, { ...ofCopy, tick: 40 });
  const { report, cells, epochMin } = await recover(settings, GAME, { folder });
  assert.equal(report.source, 'cold');
  assert.deepEqual(cells('score'), [7, 7]);
  assert.equal(epochMin, 13, 'no two sessions of one world have the same number');
  const { data } = settings;
  const passedOver = `that a server on a copy of ${data} wrote (session 12): it is passed over for what ${data} wrote itself`;
  assert.deepEqual(report.skipped.sort(), [
    `the cold store has a snapshot of tick 30 ${passedOver}`,
    `the hot store has a snapshot of tick 40 ${passedOver}`,
  ]);
});

test('where nothing of its own is left, a folder goes on from what its copy wrote, and says so', async (t) => {
  const settings = stage(t);
  const folder = { worldId: WORLD_ID, earlier: [], writers: [MY_SERVER] };
  await storeWorld(settings, 'hot', 9, 3000, { worldId: WORLD_ID, writer: COPYS_SERVER, epoch: 12, tick: 40 });
  const { report, cells } = await recover(settings, GAME, { folder });
  assert.equal(report.source, 'hot');
  assert.deepEqual(cells('score'), [9, 9]);
  const { data } = settings;
  assert.deepEqual(report.skipped, [
    `the hot store has a snapshot of tick 40 that a server on a copy of ${data} wrote (session 12): it is taken up, as ${data} does not have every zone itself`,
  ]);
});

test('a snapshot of before worlds had ids is still taken up', async (t) => {
  const settings = stage(t);
  await storeWorld(settings, 'hot', 7, 1000, {});
  await storeWorld(settings, 'cold', 6, 500, {});
  const folder = { worldId: WORLD_ID, earlier: [], writers: [] };
  const { report, cells } = await recover(settings, GAME, { folder });
  assert.equal(report.source, 'hot');
  assert.deepEqual(cells('score'), [7, 7]);
  assert.deepEqual(report.skipped, []);
});

test('a folder remembers the worlds that it was, and the servers that ran on it', (t) => {
  const data = openFolder(t);
  const lines: string[] = [];
  const log = { debug() {}, info() {}, warn: (_: object, line: string) => void lines.push(line), error() {} };
  const first = openWorldFolder(data, log);
  assert.deepEqual([first.worldId, first.earlier], ['', []]);
  for (const worldId of [WORLD_ID, OTHER_ID]) keepWorld(data, settle(openWorldFolder(data, log), worldId, worldId));
  const writers = [WORLD_ID, OTHER_ID];
  assert.deepEqual(openWorldFolder(data, log), { worldId: OTHER_ID, earlier: [WORLD_ID], writers });
  assert.deepEqual(lines, []);
  writeFileSync(join(data, WORLD_FILE), '{"worldId":');
  assert.equal(openWorldFolder(data, log).worldId, '');
  assert.match(lines[0], /world\.json cannot be read: .*; it is written anew$/);
});

test('a world whose ticks come near to the end of their numbers is refused in one line, in good time', async (t) => {
  const last = 2 ** 31 - 7 * 24 * 3600 * DEFAULTS.tickHz;
  for (const tick of [last, last + 1, 2 ** 31 - 1, 2 ** 31 + 5]) {
    const settings = stage(t);
    await storeWorld(settings, 'hot', 7, 1000, { worldId: WORLD_ID, tick });
    if (tick === last) {
      assert.equal((await recover(settings, GAME)).report.snapshotTick, last);
      continue;
    }
    for (const start of ['auto', 'resume'] as const) {
      await assert.rejects(recover({ ...settings, start }, GAME), ({ message }: Error) => {
        assert.ok(message.startsWith(`the world in ${settings.data} is ${tick} ticks old`), message);
        assert.match(message, /it can be begun up to 2111195648.*--start fresh/);
        return true;
      });
    }
    assert.equal((await recover({ ...settings, start: 'fresh' }, GAME)).report.source, 'initial');
  }
});
