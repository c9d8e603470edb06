// Small worlds in the stores of a folder, and what a start makes of them.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { STORES_FOLDER } from '../../../src/base/data-folder.js';
import { DEFAULTS, type Settings } from '../../../src/config/settings.js';
import {
  type Recovery,
  type RecoverySources,
  recoverWorld,
  shapeOf,
} from '../../../src/durability/recovery/recovery.js';
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

/** Of the entity whose score is told apart, in each zone. */
export const ROW = 4;

/** The toy game with other fields; its systems do not run here. */
export function gameWith(fields: FieldDefinitions): GameDefinition {
  return { ...(coins as unknown as GameDefinition), fields, systems: [] };
}

export const GAME = gameWith({ score: { type: 'u16' }, stamina: { type: 'f32' } });

export function settingsOf(folder: string, changed: Partial<Settings> = {}): Settings {
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

export function plan(settings: Settings, game: GameDefinition): WorldPlan {
  return planWorld(settings, game, 1, 0);
}

export const WORLD_ID = '7b0cf7a8-6b1f-4d0a-9a53-0d6d1c5f6b11';

export interface StoredWorld {
  worldId?: string;
  epoch?: number;
  tick?: number;
  writer?: string;
  /** All, unless given. */
  zones?: number[];
}

/** A world that has lived for a tick, in the hot or the cold store, with one score in each zone. */
export async function storeWorld(
  settings: Settings,
  where: 'hot' | 'cold',
  score: number,
  takenAtMs: number,
  { worldId, writer, epoch, tick = 9, zones }: StoredWorld = { worldId: WORLD_ID },
): Promise<void> {
  const world = plan(settings, GAME);
  const written = writer === undefined ? {} : { writer };
  const shape = { ...shapeOf(settings, GAME, world), worldId, ...written } as WorldIdentity;
  const stores = open(settings);
  for (const [zone, buffer] of world.worlds.entries()) {
    if (zones?.includes(zone) === false) continue;
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

export function open({ data }: Settings): Stores {
  return openStores({ folder: join(data, STORES_FOLDER), kafka: '', redis: '', mongodb: '' });
}

export async function damageHot(settings: Settings, zone: number): Promise<void> {
  const { hot, close } = open(settings);
  const [bytes] = await hot.get([hotKey(zone)]);
  assert.ok(bytes);
  const damaged = Buffer.from(bytes);
  damaged[damaged.length >> 1] ^= 1;
  await hot.set([{ key: hotKey(zone), value: damaged, ttlMs: 60000 }]);
  await close();
}

export interface Recovered extends Recovery {
  lines: string[];
  /** Of the row of each zone. */
  cells: (name: string) => number[];
}

export async function recover(
  settings: Settings,
  game: GameDefinition,
  sources: RecoverySources = {},
): Promise<Recovered> {
  const world = plan(settings, game);
  const lines: string[] = [];
  const keep = (_: object, line: string): void => void lines.push(line);
  const log = { debug: keep, info: keep, warn: keep, error: keep };
  const recovery = await recoverWorld(world, game, shapeOf(settings, game, world), log, sources);
  const cells = (name: string): number[] =>
    world.worlds.map((buffer) => new WorldBuffer(buffer, world.layout).blocks[LIVE_BLOCK].columns[name][ROW]);
  return { ...recovery, lines, cells };
}

export function stage(t: TestContext): Settings {
  return settingsOf(openFolder(t));
}

/** Whose hot store gives no answer for its first questions. */
export function openSilent(silentAnswers: number): (settings: StoreSettings) => Stores {
  let left = silentAnswers;
  return (settings) => {
    const stores = openStores(settings);
    const { hot } = stores;
    const get = (keys: readonly string[]): ReturnType<typeof hot.get> =>
      left-- > 0 ? Promise.reject(new PersistError('unavailable', 'get: no connection to redis:6379')) : hot.get(keys);
    return { ...stores, hot: { ...hot, get }, close: () => stores.close() };
  };
}
