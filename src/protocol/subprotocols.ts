// WebSocket sub-protocols: one wire in three spellings.

export type Encoding = 'fb' | 'json' | 'msgpack';

export interface Subprotocol {
  name: string;
  encoding: Encoding;
}

/** The default comes first. */
export const SUBPROTOCOLS: readonly Subprotocol[] = [
  { name: 'tessera.fb.1', encoding: 'fb' },
  { name: 'tessera.json.1', encoding: 'json' },
  { name: 'tessera.msgpack.1', encoding: 'msgpack' },
];

export const DEFAULT_SUBPROTOCOL: Subprotocol = SUBPROTOCOLS[0];

/**
 * The first name in the client's order of preference that is known here; the default when the client offers none;
 * null when it offers only what is not spoken here.
 */
export function selectSubprotocol(offered: Iterable<string>): Subprotocol | null {
  let offeredAny = false;
  for (const name of offered) {
    offeredAny = true;
    const known = SUBPROTOCOLS.find((candidate) => candidate.name === name);
    if (known !== undefined) return known;
  }
  return offeredAny ? null : DEFAULT_SUBPROTOCOL;
}
