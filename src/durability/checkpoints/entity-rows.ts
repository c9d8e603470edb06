// Checkpoints as they lie in the cold store, for the one who writes them and for everybody who reads them.
//
//  table `entities`  '<world>/<entity>'  {kind, zone, tick, positionX, positionY, fields: {name: number, array or text, ...}}
//  table `worlds`    '<world>'           {game, gameVersion, seed, startedAtMs, worldId}
//
// Values are MessagePack maps. One row per entity that lasts, wherever it walks; `zone` and `tick` say where and when it
// was as the row tells it. Keys of entities begin anew with each world, so rows are led by their world's name, which
// sorts by the time it began: the world that lives, or lived last, is the last row of `worlds`. Where servers took turns
// at one store, `worldId` tells whose it is.

import type { StoredValue } from '../../game/fields/stored-value.js';
import { formatPlain, parseTrusted } from '../../protocol/plain/plain-codec.js';
import { type ColdStore, PersistError } from '../../stores/store-ports.js';
import { CHECKPOINT_PAGE_ROWS } from './limits.js';

export const ENTITIES_TABLE = 'entities';
const WORLDS_TABLE = 'worlds';

export interface EntityState {
  /** Name of the kind. */
  kind: string;
  zone: number;
  tick: number;
  positionX: number;
  positionY: number;
  /** The game's persistent fields. */
  fields: Record<string, StoredValue>;
}

export interface EntityRow extends EntityState {
  /** As events call it. */
  entity: string;
}

export interface WorldRow {
  world: string;
  game: string;
  gameVersion: number;
  seed: number;
  startedAtMs: number;
  /** As snapshots call it. */
  worldId: string;
}

export function worldName(startedAtMs: number): string {
  return new Date(startedAtMs).toISOString().replace(/[-:.]/g, '');
}

export function entityRowKey(world: string, entity: string): string {
  return `${world}/${entity}`;
}

export function encodeEntity(state: EntityState): Uint8Array {
  return formatPlain('msgpack', state) as Uint8Array;
}

/** Oldest first. */
export async function listWorlds(store: ColdStore): Promise<WorldRow[]> {
  const rows = await store.scanRows(WORLDS_TABLE, '', '', CHECKPOINT_PAGE_ROWS);
  return rows.map(({ key, value }) => ({ ...(parseTrusted('msgpack', value) as Omit<WorldRow, 'world'>), world: key }));
}

export async function putWorld(store: ColdStore, { world, ...rest }: WorldRow): Promise<void> {
  await store.putRows(WORLDS_TABLE, [{ key: world, value: formatPlain('msgpack', rest) as Uint8Array }]);
}

/** Its entities first: a world that is listed may have some, one that is not has none. */
export async function dropWorld(store: ColdStore, world: string): Promise<void> {
  for (;;) {
    const page = await store.scanKeys(ENTITIES_TABLE, entityRowKey(world, ''), '', CHECKPOINT_PAGE_ROWS);
    if (page.length === 0) break;
    await store.deleteRows(ENTITIES_TABLE, page);
  }
  await store.deleteRows(WORLDS_TABLE, [world]);
}

/** Undefined where there is none; rejects as 'corrupt' where the bytes are no entity. */
export async function readEntity(store: ColdStore, world: string, entity: string): Promise<EntityRow | undefined> {
  const [value] = await store.getRows(ENTITIES_TABLE, [entityRowKey(world, entity)]);
  return value && decodeEntity(entity, value);
}

/** By pages, so that a world of any size can be read. A row that is damaged is told of and passed over. */
export async function* scanEntities(
  store: ColdStore,
  world: string,
  onDamaged: (entity: string, reason: string) => void = () => {},
): AsyncGenerator<EntityRow> {
  for await (const { entity, value } of scanRows(store, world)) {
    let row: EntityRow;
    try {
      row = decodeEntity(entity, value);
    } catch (error) {
      onDamaged(entity, (error as Error).message);
      continue;
    }
    yield row;
  }
}

export async function* scanEntityNames(store: ColdStore, world: string): AsyncGenerator<string> {
  const prefix = entityRowKey(world, '');
  for (let afterKey = ''; ; ) {
    const page = await store.scanKeys(ENTITIES_TABLE, prefix, afterKey, CHECKPOINT_PAGE_ROWS);
    for (const key of page) yield key.slice(prefix.length);
    if (page.length < CHECKPOINT_PAGE_ROWS) return;
    afterKey = page[page.length - 1];
  }
}

async function* scanRows(store: ColdStore, world: string): AsyncGenerator<{ entity: string; value: Uint8Array }> {
  const prefix = entityRowKey(world, '');
  for (let afterKey = ''; ; ) {
    const page = await store.scanRows(ENTITIES_TABLE, prefix, afterKey, CHECKPOINT_PAGE_ROWS);
    for (const { key, value } of page) yield { entity: key.slice(prefix.length), value };
    if (page.length < CHECKPOINT_PAGE_ROWS) return;
    afterKey = page[page.length - 1].key;
  }
}

function decodeEntity(entity: string, value: Uint8Array): EntityRow {
  let found: unknown;
  try {
    found = parseTrusted('msgpack', value);
  } catch (error) {
    throw new PersistError('corrupt', `the row of entity ${entity}: ${(error as Error).message}`, error);
  }
  if (!isEntityState(found)) throw new PersistError('corrupt', `the row of entity ${entity} is of another form`);
  return { ...found, entity };
}

function isEntityState(value: unknown): value is EntityState {
  if (typeof value !== 'object' || value === null) return false;
  const { kind, zone, tick, positionX, positionY, fields } = value as Record<string, unknown>;
  return (
    typeof kind === 'string' &&
    [zone, tick, positionX, positionY].every((number) => typeof number === 'number') &&
    typeof fields === 'object' &&
    fields !== null
  );
}
