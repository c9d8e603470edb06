// How an entity is called outside of the server: in events, in checkpoints, wherever people or other programs read it.

/** Wire id: the lower 23 bits of a key, see engine/entities/entity-key.ts. The form outside keeps the generation apart. */
export const WIRE_ID_BITS = 23;
export const WIRE_ID_MASK = (1 << WIRE_ID_BITS) - 1;

/**
 * Never the same for two entities that live at the same time. The generation has 9 bits and the lowest free id is given
 * out first: the 512th entity after one that had its id has its name too.
 */
export function entityName(key: number): string {
  return `${key & WIRE_ID_MASK}.${key >>> WIRE_ID_BITS}`;
}

/** The key again; undefined where the text is no name of an entity. */
export function keyOfName(name: string): number | undefined {
  const match = /^(\d{1,7})\.(\d{1,3})$/.exec(name);
  if (match === null) return undefined;
  const key = (Number(match[1]) | (Number(match[2]) << WIRE_ID_BITS)) >>> 0;
  return entityName(key) === name ? key : undefined;
}
