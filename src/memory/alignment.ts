/** The next multiple of `unit` bytes. */
export function alignBytes(bytes: number, unit: number): number {
  return Math.ceil(bytes / unit) * unit;
}
