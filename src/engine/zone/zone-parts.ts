// What a zone is made of wherever it runs, on its tick thread or in a replay: the same parts from the same settings, or
// the same commands would not give the same world.

import type { GameDefinition } from '../../game/definition.js';
import type { RecordRing } from '../../memory/rings/record-ring.js';
import { WorldBuffer } from '../../memory/world/world-buffer.js';
import { SCALAR_MIRROR_LIMIT, SCALAR_POPULATED } from '../../memory/world/world-layout.js';
import { CROSSING_MARGIN } from '../borders/limits.js';
import type { WorldPlan } from '../plan/world-plan.js';
import { ZonePosts } from '../posts/zone-posts.js';
import { Quadtree } from '../space/quadtree.js';
import { beginShared } from './begin-shared.js';
import { EngineZone, type SpatialIndex } from './zone.js';

/** Measured: leaves of half to two thirds of the view radius answer a view soonest. */
const LEAVES_PER_VIEW_RADIUS = 2;

export interface ZoneParts {
  buffer: WorldBuffer;
  index: Quadtree;
  zone: EngineZone;
  /** How far across a border a zone sees. */
  margin: number;
  /** Undefined: the game has no messages. */
  posts: ZonePosts | undefined;
}

/** Of a game with messages: what the zone posts, and what is posted to it. */
export function createPosts(zone: EngineZone): ZonePosts | undefined {
  const posts = zone.game.messages && new ZonePosts(zone);
  zone.posts = posts;
  return posts;
}

export function createZoneParts(
  plan: WorldPlan,
  zoneId: number,
  game: GameDefinition,
  events: RecordRing,
  counters?: Float64Array,
  /** What the zone asks, if that is not the tree itself. */
  ask: (tree: Quadtree) => SpatialIndex = (tree) => tree,
): ZoneParts {
  const { settings, layout } = plan;
  const buffer = new WorldBuffer(plan.worlds[zoneId], layout);
  buffer.restore();
  const area = plan.areas[zoneId];
  const margin = plan.leaveRadius + CROSSING_MARGIN;
  const index = new Quadtree({
    originX: area.x - margin,
    originY: area.y - margin,
    width: area.width + 2 * margin,
    height: area.height + 2 * margin,
    leafSize: settings.viewRadius / LEAVES_PER_VIEW_RADIUS,
    capacity: layout.rowCapacity,
  });
  const zone = new EngineZone({
    world: buffer,
    game,
    zoneCount: plan.worlds.length,
    ownCapacity: plan.ownCapacity,
    area,
    worldWidth: settings.worldWidth,
    worldHeight: settings.worldHeight,
    tickHz: settings.tickHz,
    seed: settings.seed,
    index: ask(index),
    margin,
    events,
    counters,
  });
  const posts = createPosts(zone);
  return { buffer, index, zone, margin, posts };
}

/** The first life of a zone, once. */
export function populateZone(plan: WorldPlan, { zone, buffer }: ZoneParts): void {
  beginShared(zone);
  if (zone.scalars[SCALAR_POPULATED] !== 0) {
    return;
  }
  const { bots } = plan.settings;
  const zoneCount = plan.worlds.length;
  const share = Math.floor(bots / zoneCount) + (zone.id < bots % zoneCount ? 1 : 0);
  if (plan.cells === undefined) zone.game.populate?.(zone, share, zone.area);
  zone.scalars[SCALAR_POPULATED] = 1;
  zone.claimEvents();
  buffer.commit();
  buffer.commit(); // into the other block too: neither is ever empty
}

/** The index as systems of the next tick ask it. */
export function buildIndex({ zone, index }: ZoneParts): void {
  index.begin();
  index.add(zone.alive, zone.positionX, zone.positionY, 0, zone.rowLimit);
  index.add(zone.alive, zone.positionX, zone.positionY, zone.firstMirror, zone.scalars[SCALAR_MIRROR_LIMIT]);
  index.finish();
}
