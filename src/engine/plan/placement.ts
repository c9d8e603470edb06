// Where players begin. The engine chooses, so that main knows the zone before the zone knows the player.

import { clampInside } from '../../base/area.js';
import type { SpawnPolicy } from '../../config/settings.js';

/** Players of one spot stand within this distance of its middle. */
const SPOT_RADIUS = 6;
const GOLDEN = 0.6180339887498949;

export interface Place {
  x: number;
  y: number;
}

export class Placement {
  private readonly hubSize: number;
  private readonly spots: Place[];

  constructor(
    private readonly policy: SpawnPolicy,
    private readonly width: number,
    private readonly height: number,
    zoneColumns: number,
    zoneRows: number,
    viewRadius: number,
    private readonly random: () => number,
  ) {
    this.hubSize = policy.startsWith('hubs:') ? Number(policy.slice('hubs:'.length)) : 0;
    this.spots = findSpots(width, height, zoneColumns, zoneRows, viewRadius);
  }

  /** Where the client with this index begins. The same index begins in the same spot. */
  next(client: number): Place {
    if (this.policy === 'crowd') {
      return this.around(this.spots[0]);
    }
    if (this.hubSize > 0) {
      return this.around(this.spots[Math.floor(client / this.hubSize) % this.spots.length]);
    }
    // A low-discrepancy sequence: evenly spread from the first client to the last, whatever their number.
    const column = (client * GOLDEN + 0.25) % 1;
    const row = (client * 0.7548776662466927 + 0.5) % 1;
    return { x: clampInside(column * this.width, this.width), y: clampInside(row * this.height, this.height) };
  }

  private around(spot: Place): Place {
    const angle = this.random() * 2 * Math.PI;
    const distance = Math.sqrt(this.random()) * SPOT_RADIUS;
    return {
      x: clampInside(spot.x + Math.cos(angle) * distance, this.width),
      y: clampInside(spot.y + Math.sin(angle) * distance, this.height),
    };
  }
}

/** Spots far enough from each other that those in one do not see those in the next, the first ones inside of zones. */
function findSpots(width: number, height: number, zoneColumns: number, zoneRows: number, viewRadius: number): Place[] {
  const apart = viewRadius * 3;
  const columns = Math.max(1, Math.floor(width / apart));
  const rows = Math.max(1, Math.floor(height / apart));
  const spots: Place[] = [];
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      spots.push({ x: ((column + 0.5) * width) / columns, y: ((row + 0.5) * height) / rows });
    }
  }
  const zoneWidth = width / zoneColumns;
  const zoneHeight = height / zoneRows;
  const fromBorder = ({ x, y }: Place): number =>
    Math.min(x % zoneWidth, zoneWidth - (x % zoneWidth), y % zoneHeight, zoneHeight - (y % zoneHeight));
  return spots.sort((a, b) => fromBorder(b) - fromBorder(a));
}
