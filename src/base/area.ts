/** A rectangle of the world, in its units. */
export interface Area {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** The nearest position that is at least one unit inside a world with this side. */
export function clampInside(position: number, side: number): number {
  return Math.min(side - 1, Math.max(1, position));
}
