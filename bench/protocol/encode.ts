// What the zone does for its observers after the commit: who sees what, and one frame for each.

import { type BenchCase, type BenchModule, measureCases } from '../bench.js';
import { HeadlessWorld, worldSide } from '../engine/headless-world.js';

const VIEW_RADIUS = 24;
const CLIENTS = 500;
const SMALL_CLIENTS = 50;

export const bench: BenchModule = {
  name: 'encode',
  summary: 'interest and frames of every observer of a zone, by how many each has in view',
  run(options) {
    const clients = options.small ? SMALL_CLIENTS : CLIENTS;
    return measureCases(
      [32, 120].map((seen) => createCase(clients, seen, options.seed)),
      options,
    );
  },
};

function createCase(clients: number, seen: number, seed: number): BenchCase {
  const entities = clients * 4;
  const side = worldSide(entities, seen, VIEW_RADIUS);
  const world = new HeadlessWorld({
    worldWidth: side,
    worldHeight: side,
    viewRadius: VIEW_RADIUS,
    bots: entities - clients,
    clientsMax: clients,
    // Every observer in every tick, and none held back.
    updateHz: 60,
    bytesPerSecond: 1 << 20,
    seed,
  });
  world.joinAll(clients);
  for (let i = 0; i < 60; i++) {
    world.runTick();
    world.deliver();
  }
  const [host] = world.hosts;
  const { zone, replicator } = host;
  return {
    name: `frame with ${seen} in view`,
    unitsPerCall: clients,
    prepare: () => {
      world.deliver();
      world.runTick();
      world.deliver();
      nudge(world);
      zone.tick = ++world.tick;
    },
    call: () => {
      replicator.run();
      return world.frameBytes;
    },
    note: () => `${(world.frameBytes / world.frameCount).toFixed(0)} bytes per frame`,
  };
}

/** Moves everything by less than a step, as a tick would, without the cost of one. */
function nudge(world: HeadlessWorld): void {
  const { zone } = world.hosts[0];
  const way = world.tick % 2 === 0 ? 0.05 : -0.05;
  for (let row = 0; row < zone.rowLimit; row++) {
    zone.positionX[row] += way;
  }
}
