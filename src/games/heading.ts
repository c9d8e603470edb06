// Directions from the 16-bit angles of the wire: 65536 is a full turn, clockwise from east, y grows south.

const TURN = 65536;
const QUARTER = TURN / 4;
const RADIANS_PER_STEP = (2 * Math.PI) / TURN;

/** Sine of [0, pi/2] by its series up to x^11: off by less than 1e-7, and the same bits everywhere. */
function quarterSine(x: number): number {
  const s = x * x;
  return x * (1 - (s / 6) * (1 - (s / 20) * (1 - (s / 42) * (1 - (s / 72) * (1 - s / 110)))));
}

/** @hot */
export function headingY(angle: number): number {
  const wrapped = angle & (TURN - 1);
  const half = wrapped & (TURN / 2 - 1);
  const folded = half <= QUARTER ? half : TURN / 2 - half;
  const sine = quarterSine(folded * RADIANS_PER_STEP);
  return wrapped < TURN / 2 ? sine : -sine;
}

/** @hot */
export function headingX(angle: number): number {
  return headingY(angle + QUARTER);
}
