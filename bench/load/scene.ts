// What a scene means: how large the world is, where players begin and how they walk.

import { DEFAULTS } from '../../src/config/settings.js';
import { ZONE_EDGE_VIEW_RADII_MIN } from '../../src/engine/limits.js';
import type { MovementStyle } from './swarm/movement.js';

export const SCENES = ['spread', 'crowd', 'hubs'] as const;
export type Scene = (typeof SCENES)[number];

export const HUB_CLIENTS = 200;
/** From one hub to the next, in view radii: far enough that no hub sees another, and near enough to share a zone. */
const HUB_SPACING_RADII = 8;
/** A world of fewer view radii would leave nothing that is out of view. */
const WORLD_SIDE_RADII_MIN = 2;

export interface ScenePlan {
  worldSide: number;
  /** Zones along one side: as many as by default, or fewer where they would be too small. */
  zonesPerSide: number;
  spawn: string;
  movement: MovementStyle;
}

/**
 * Share of all others that are in view of somebody in a square world of side 1 where everybody stands at random:
 * the circle less what lies outside of the world for those near its edges.
 */
function shareInView(radius: number): number {
  return Math.PI * radius ** 2 - (8 / 3) * radius ** 3 + radius ** 4 / 2;
}

/** The side of the world in which `visible` of `clients` are in view on average, oneself included. */
export function sideForVisible(clients: number, visible: number, viewRadius: number): number {
  const share = (visible - 1) / Math.max(1, clients - 1);
  let low = 0;
  let high = 1 / WORLD_SIDE_RADII_MIN;
  if (shareInView(high) <= share) return viewRadius * WORLD_SIDE_RADII_MIN;
  for (let step = 0; step < 60; step++) {
    const middle = (low + high) / 2;
    if (shareInView(middle) < share) low = middle;
    else high = middle;
  }
  return viewRadius / high;
}

export function planScene(scene: Scene, clients: number, visible: number): ScenePlan {
  const viewRadius = DEFAULTS.viewRadius;
  if (scene === 'spread') {
    const worldSide = Math.ceil(sideForVisible(clients, visible, viewRadius));
    return { worldSide, zonesPerSide: zonesPerSide(worldSide), spawn: 'spread', movement: 'roam' };
  }
  const hubs = scene === 'crowd' ? 1 : Math.ceil(clients / HUB_CLIENTS);
  const worldSide = Math.ceil(Math.sqrt(hubs)) * HUB_SPACING_RADII * viewRadius;
  const spawn = scene === 'crowd' ? 'crowd' : `hubs:${HUB_CLIENTS}`;
  return { worldSide, zonesPerSide: zonesPerSide(worldSide), spawn, movement: 'circle' };
}

function zonesPerSide(worldSide: number): number {
  const most = Math.floor(worldSide / (ZONE_EDGE_VIEW_RADII_MIN * DEFAULTS.viewRadius));
  return Math.min(DEFAULTS.zoneColumns, Math.max(1, most));
}
