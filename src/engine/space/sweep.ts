// How far a moving point gets before it is so near to a shape. Plus, minus, times, divided by and square roots only: they give
// the same bits everywhere.

/** Of a way that meets nothing. */
export const NO_HIT = 2;

/**
 * @hot A point goes from (0, 0) by (stepX, stepY). Returns the part of the step, 0 to 1, after which it is `radius` from
 * (x, y); 0 when it begins nearer than that; NO_HIT when it does not get so near.
 */
export function sweepCircle(x: number, y: number, stepX: number, stepY: number, radius: number): number {
  const gap = x * x + y * y - radius * radius;
  if (gap < 0) return 0;
  const approach = x * stepX + y * stepY;
  if (approach <= 0) return NO_HIT;
  const stepSquared = stepX * stepX + stepY * stepY;
  const discriminant = approach * approach - stepSquared * gap;
  if (discriminant < 0) return NO_HIT;
  const at = (approach - Math.sqrt(discriminant)) / stepSquared;
  return at <= 1 ? at : NO_HIT;
}

/** @hot A box whose corners are rounded by the radius: its four grown sides, then its corners. */
export function sweepBox(
  x: number,
  y: number,
  stepX: number,
  stepY: number,
  minX: number,
  minY: number,
  maxX: number,
  maxY: number,
  radius: number,
): number {
  let first = NO_HIT;
  const sideX = stepX > 0 ? minX - radius : maxX + radius;
  if (stepX !== 0) {
    const at = (sideX - x) / stepX;
    const crossed = y + stepY * at;
    if (at >= 0 && at <= 1 && crossed >= minY && crossed <= maxY) first = at;
  }
  const sideY = stepY > 0 ? minY - radius : maxY + radius;
  if (stepY !== 0) {
    const at = (sideY - y) / stepY;
    const crossed = x + stepX * at;
    if (at >= 0 && at <= 1 && at < first && crossed >= minX && crossed <= maxX) first = at;
  }
  if (radius === 0) return first;
  first = Math.min(first, sweepCircle(minX - x, minY - y, stepX, stepY, radius));
  first = Math.min(first, sweepCircle(maxX - x, minY - y, stepX, stepY, radius));
  first = Math.min(first, sweepCircle(minX - x, maxY - y, stepX, stepY, radius));
  return Math.min(first, sweepCircle(maxX - x, maxY - y, stepX, stepY, radius));
}

/** @hot A line with a radius: its two long sides, then its ends. */
export function sweepWall(
  x: number,
  y: number,
  stepX: number,
  stepY: number,
  fromX: number,
  fromY: number,
  toX: number,
  toY: number,
  radius: number,
): number {
  const alongX = toX - fromX;
  const alongY = toY - fromY;
  const length = Math.sqrt(alongX * alongX + alongY * alongY);
  let first = Math.min(
    sweepCircle(fromX - x, fromY - y, stepX, stepY, radius),
    sweepCircle(toX - x, toY - y, stepX, stepY, radius),
  );
  if (length === 0) return first;
  const normalX = -alongY / length;
  const normalY = alongX / length;
  const distance = (x - fromX) * normalX + (y - fromY) * normalY;
  const approach = stepX * normalX + stepY * normalY;
  const side = distance >= 0 ? radius : -radius;
  // A way that goes along the wall or away from it does not meet its side, though it begins there.
  if (distance >= 0 ? approach >= 0 : approach <= 0) return first;
  const at = (side - distance) / approach;
  if (!(at >= 0 && at <= 1) || at >= first) return first;
  const along = ((x + stepX * at - fromX) * alongX + (y + stepY * at - fromY) * alongY) / (length * length);
  if (along >= 0 && along <= 1) first = at;
  return first;
}
