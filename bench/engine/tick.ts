// The whole tick of one zone: commands, systems, index, commit, interest, encoding. No sockets.
//
// The heap figure is what a tick of the zone allocates, with few and with many entities and clients: the growth of the used
// heap over each tick, from a forced collection on and over few enough ticks that no other one falls in between.

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { createRandom } from '../../src/base/chance.js';
import { PHASES } from '../../src/memory/tables/thread-control.js';
import { hashCommitted, hashText } from '../../src/memory/world/state-hash.js';
import type { BenchModule, BenchOptions, BenchRow } from '../bench.js';
import { HeadlessWorld, worldSide } from './headless-world.js';

const SEEN = 40;
const VIEW_RADIUS = 24;
const WARM_TICKS = 120;
const TICKS = 600;
const HEAP_TICKS = 30;
const SMALL_TICKS = 12;

interface Scene {
  entities: number;
  clients: number;
}

const SCENES: readonly Scene[] = [
  { entities: 2000, clients: 200 },
  { entities: 4000, clients: 2000 },
  { entities: 20_000, clients: 2000 },
  { entities: 100_000, clients: 2000 },
];

export const bench: BenchModule = {
  name: 'tick',
  summary: 'one zone: a whole tick with moving entities and observers, and what it allocates',
  async run(options: BenchOptions): Promise<BenchRow[]> {
    const scenes = options.small ? SCENES.slice(0, 1) : SCENES;
    return scenes.map((scene) => measureScene(scene, options));
  },
};

function createWorld({ entities, clients }: Scene, seed: number): HeadlessWorld {
  const side = worldSide(entities, SEEN, VIEW_RADIUS);
  const world = new HeadlessWorld({
    worldWidth: side,
    worldHeight: side,
    viewRadius: VIEW_RADIUS,
    bots: entities - clients,
    entitiesPerZone: Math.ceil((entities * 1.2 + 4096) / 64) * 64,
    clientsMax: clients,
    commandsPerTick: clients,
    seed,
  });
  world.joinAll(clients);
  return world;
}

function measureScene(scene: Scene, { small, seed }: BenchOptions): BenchRow {
  const world = createWorld(scene, seed);
  const random = createRandom(seed);
  const step = (): number => {
    stir(world, scene.clients, random);
    const ms = world.runTick();
    world.deliver();
    return ms;
  };
  const warm = small ? SMALL_TICKS : WARM_TICKS;
  for (let i = 0; i < warm; i++) step();
  const state = hashCommitted(world.hosts[0].zone.buffer);
  const checksum = (world.frameSum ^ Number.parseInt(state === undefined ? '0' : hashText(state), 16)) >>> 0;
  const heapBytes = measureHeap(world, small ? SMALL_TICKS : HEAP_TICKS);
  world.control.phaseMs.fill(0);
  const frames = world.frameCount;
  const times = new Float64Array(small ? SMALL_TICKS : TICKS);
  for (let i = 0; i < times.length; i++) times[i] = step();
  times.sort();
  const mean = times.reduce((sum, ms) => sum + ms, 0) / times.length;
  const at = (share: number): number => times[Math.min(times.length - 1, Math.ceil(share * times.length) - 1)];
  const phases = PHASES.map((phase, i) => `${phase} ${(world.control.phaseMs[i] / times.length).toFixed(2)}`).join(
    ', ',
  );
  return {
    name: `tick ${scene.entities.toLocaleString('en-US')} entities, ${scene.clients.toLocaleString('en-US')} observers`,
    perSecond: 1000 / mean,
    meanUs: mean * 1000,
    p99Us: at(0.99) * 1000,
    samples: times.length,
    checksum,
    note:
      `max ${at(1).toFixed(2)} ms; ${phases} ms; ` +
      `${((world.frameCount - frames) / times.length).toFixed(0)} frames and ${heapBytes.toFixed(0)} heap bytes per tick`,
  };
}

/** A fifteenth of the clients turn in each tick. */
function stir(world: HeadlessWorld, clients: number, random: () => number): void {
  for (let client = world.tick % 15; client < clients; client += 15) {
    world.sendMove(client, Math.floor(random() * 255) - 127, Math.floor(random() * 255) - 127);
  }
}

function measureHeap(world: HeadlessWorld, ticks: number): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  let best = Number.POSITIVE_INFINITY;
  // The lowest of three: a concurrent compiler allocates too, but not every time.
  for (let round = 0; round < 3; round++) {
    collect();
    let bytes = 0;
    for (let i = 0; i < ticks; i++) {
      const before = process.memoryUsage().heapUsed;
      world.runTick();
      bytes += process.memoryUsage().heapUsed - before;
      world.deliver();
    }
    best = Math.min(best, bytes / ticks);
  }
  return Math.max(0, best);
}
