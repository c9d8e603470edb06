// A world larger than memory: a million resting entities, really stored, and players who walk through it while the server
// holds 64 of its 10,000 cells. The server runs in a process of its own, over sockets; what its players see is held against
// what was stored, and in the end every entity is looked for and must be in exactly one place.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { assert } from '../../src/base/assert.js';
import { createRandom } from '../../src/base/chance.js';
import type { TesseraClient } from '../../src/client/client.js';
import { kebabName } from '../../src/config/setting-names.js';
import type { Settings } from '../../src/config/settings.js';
import { KIND_PILLAR } from '../../src/games/arena/fields.js';
import { Progress } from '../../src/server/cli/progress.js';
import type { BenchModule, BenchOptions, BenchRow } from '../bench.js';
import { readProcessFigures } from '../load/report/process-figures.js';
import { flagsOf, ServerProcess } from '../server-process.js';
import { joinPlayer } from './cells-player.js';
import { arenaSettings, fillWorld, pillarsNear, type StoredWorld, takeCensus } from './cells-world.js';

const CELL_SIZE = 80;
const SETTLE_MS = 1500;
/** What a shell calls a program that ended on SIGINT. */
const INTERRUPTED = 130;
const RSS_MIB_MAX = 1024;

interface Scene {
  cellsAcross: number;
  zonesAcross: number;
  entitiesPerCell: number;
  clients: number;
  liveMax: number;
  seconds: number;
}

const FULL: Scene = { cellsAcross: 100, zonesAcross: 2, entitiesPerCell: 100, clients: 14, liveMax: 64, seconds: 60 };
const SMALL: Scene = { cellsAcross: 8, zonesAcross: 2, entitiesPerCell: 20, clients: 3, liveMax: 16, seconds: 3 };

export const bench: BenchModule = {
  name: 'cells',
  summary: 'a stored world of 10,000 cells with 1,000,000 resting entities, 64 cells live: memory, loads, a census',
  async run(options: BenchOptions): Promise<BenchRow[]> {
    const scene = options.small ? SMALL : FULL;
    const folder = mkdtempSync(join(tmpdir(), 'tessera-cells-'));
    const cleanUp = (): void => rmSync(folder, { recursive: true, force: true });
    process.on('exit', cleanUp);
    const end = (): never => process.exit(INTERRUPTED);
    process.once('SIGINT', end);
    process.once('SIGTERM', end);
    try {
      return await measure(scene, folder, options);
    } finally {
      cleanUp();
      process.off('exit', cleanUp);
      process.off('SIGINT', end);
      process.off('SIGTERM', end);
    }
  },
};

async function measure(scene: Scene, folder: string, { seed, small }: BenchOptions): Promise<BenchRow[]> {
  const settings = settingsOf(scene, folder, seed);
  const cellCount = scene.cellsAcross ** 2;
  const progress = new Progress('fill', cellCount);
  const startedMs = performance.now();
  const world = await fillWorld(settings, scene.entitiesPerCell, (cells) => progress.update(cells, 'cells stored'));
  progress.stop();
  const fillMs = performance.now() - startedMs;
  const entities = cellCount * scene.entitiesPerCell;
  const drive = await driveServer(scene, settings, world, small);
  const census = await takeCensus(world);
  assert(census.missing === 0 && census.doubled === 0, 'everybody is somewhere, once', JSON.stringify(census));
  assert(drive.rssMiB < RSS_MIB_MAX, 'the server stays within a GiB', drive.rssMiB);
  return [
    {
      name: `store ${entities.toLocaleString('en-US')} entities in ${cellCount.toLocaleString('en-US')} cells`,
      perSecond: (entities * 1000) / fillMs,
      meanUs: (fillMs * 1000) / entities,
      p99Us: (fillMs * 1000) / entities,
      samples: cellCount,
      checksum: world.checksum,
    },
    {
      name: `load a cell of ${scene.entitiesPerCell}, ${scene.clients} players walking`,
      perSecond: drive.loads / drive.seconds,
      meanUs: drive.loadMsP50 * 1000,
      p99Us: drive.loadMsP99 * 1000,
      samples: drive.loads,
      checksum: census.entities,
      note: drive.note,
    },
  ];
}

function settingsOf({ cellsAcross, zonesAcross, liveMax }: Scene, folder: string, seed: number): Settings {
  return arenaSettings({
    data: folder,
    seed,
    worldWidth: cellsAcross * CELL_SIZE,
    worldHeight: cellsAcross * CELL_SIZE,
    zoneColumns: zonesAcross,
    zoneRows: zonesAcross,
    cellSize: CELL_SIZE,
    cellsLiveMax: liveMax,
    cellTtlMs: 10000,
    coldSnapshotMs: 10000,
    logLevel: 'warn',
    port: 0,
  });
}

interface Drive {
  seconds: number;
  loads: number;
  loadMsP50: number;
  loadMsP99: number;
  rssMiB: number;
  note: string;
}

async function driveServer(scene: Scene, settings: Settings, world: StoredWorld, small: boolean): Promise<Drive> {
  const server = await startServer(settings);
  try {
    await sleep(SETTLE_MS); // the first players of a server that has just begun wait for its threads, not for cells
    const players = await Promise.all(
      Array.from({ length: scene.clients }, (_, i) => joinPlayer(server.url, `walker ${i}`)),
    );
    const random = createRandom(settings.seed);
    const progress = new Progress('walk', scene.seconds);
    const startedMs = performance.now();
    const live: number[] = [];
    let second = 0;
    for (; second < scene.seconds; second++) {
      for (const player of players) {
        if (second % 8 === 0) turn(player, random() * 2 * Math.PI);
      }
      await sleep(1000);
      const health = await server.health<Health>();
      live.push(health.zones.reduce((sum, { cells }) => sum + cells.live, 0));
      const rss = readProcessFigures(server.pid)?.rssMiB ?? 0;
      progress.update(second + 1, `${live.at(-1)} cells live, ${Math.round(rss)} MiB`);
    }
    progress.stop();
    const seconds = (performance.now() - startedMs) / 1000;
    for (const player of players) player.send('Move', { x: 0, y: 0 });
    await sleep(small ? 500 : 2000);
    const pillars = players.reduce((sum, player) => sum + checkView(world, player, settings.viewRadius), 0);
    const metrics = await server.metrics();
    const health = await server.health<Health>();
    const rssMiB = readProcessFigures(server.pid)?.rssMiBMax ?? 0;
    for (const player of players) player.close();
    const sum = (name: string): number => sumOf(metrics, name);
    const loads = sum('tessera_io_cells_loaded_total');
    const quantile = (share: string): number => sum(`tessera_cell_load_ms{quantile="${share}"}`);
    live.sort((a, b) => a - b);
    const note =
      `${live[Math.floor(live.length / 2)]} cells live (at most ${live.at(-1)}), RSS at most ${Math.round(rssMiB)} MiB, ` +
      `loads p50 ${quantile('0.5').toFixed(0)} ms, p99 ${quantile('0.99').toFixed(0)} ms, max ${quantile('1').toFixed(0)} ms, ` +
      `${sum('tessera_zone_cells_late_total')} late, ${sum('tessera_zone_cell_evictions_total')} evictions, ` +
      `tick p99 ${Math.max(...health.threads.map(({ tickMsP99 }) => tickMsP99))} ms, ${pillars} pillars in view as stored`;
    return { seconds, loads, loadMsP50: quantile('0.5'), loadMsP99: quantile('0.99'), rssMiB, note };
  } finally {
    await server.stop();
  }
}

function turn(player: TesseraClient, angle: number): void {
  player.send('Move', { x: Math.round(Math.cos(angle) * 127), y: Math.round(Math.sin(angle) * 127) });
}

/** Every pillar near the player is seen exactly where it was stored, and none that was not. Returns how many there are. */
function checkView(world: StoredWorld, player: TesseraClient, viewRadius: number): number {
  const { self } = player;
  assert(self !== null, 'the player sees itself');
  const seen = [...player.entities.values()].filter(({ kind }) => kind === KIND_PILLAR);
  const places = new Set(seen.map(({ x, y }) => `${x} ${y}`));
  const near = pillarsNear(world, self.x, self.y, viewRadius - 0.5);
  const unseen = near.filter((place) => !places.has(place));
  assert(unseen.length === 0, 'a pillar in view is seen where it stands', unseen.join(', '));
  const known = new Set(pillarsNear(world, self.x, self.y, viewRadius * 2));
  const strange = [...places].filter((place) => !known.has(place));
  assert(strange.length === 0, 'what is seen was stored', strange.join(', '));
  return near.length;
}

interface Health {
  zones: { cells: { live: number } }[];
  threads: { tickMsP99: number }[];
}

const PASSED: readonly (keyof Settings)[] = [
  'data',
  'seed',
  'worldWidth',
  'worldHeight',
  'zoneColumns',
  'zoneRows',
  'cellSize',
  'cellsLiveMax',
  'cellTtlMs',
  'coldSnapshotMs',
  'logLevel',
  'port',
];

/** None of this process's settings, so that the world is where the bench put it. */
async function startServer(settings: Settings): Promise<ServerProcess> {
  const flags = flagsOf(Object.fromEntries(PASSED.map((name) => [kebabName(name), String(settings[name])])));
  const server = new ServerProcess([...flags, '--start', 'resume'], { ownGroup: true });
  try {
    await server.ready();
  } catch (error) {
    await server.kill();
    throw error;
  }
  return server;
}

/** Of all series of a metric, or of the one that is named with its labels. */
function sumOf(metrics: string, name: string): number {
  return metrics
    .split('\n')
    .filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}
