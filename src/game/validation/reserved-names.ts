// Names that the engine has taken: a game that used one would hide what the engine keeps or sends under it.

/** Columns of the engine. A test holds them to engine/entities/columns.ts. */
export const ENGINE_FIELD_NAMES: readonly string[] = [
  'alive',
  'kind',
  'owner',
  'ownerGeneration',
  'key',
  'positionX',
  'positionY',
  'departTo',
  'departSequence',
  'idTaken',
  'idGeneration',
  'idFreed',
];

/** Columns that a game brings in by `visibility: 'masks'`, and by `teams: true`. The same test holds them. */
export const SIGHT_FIELD_NAMES: readonly string[] = ['shownTo', 'sees', 'viewReach'];
export const TEAM_FIELD_NAMES: readonly string[] = ['team'];
/** And those of a game with messages. */
export const MESSAGE_FIELD_NAMES: readonly string[] = ['mirrorZone', 'idZone', 'idMoved'];

/** Keys of an entity in the plain-object encodings, beside its replicated fields. */
export const PLAIN_ENTITY_KEYS: readonly string[] = ['id', 'entered', 'kind', 'x', 'y'];

/** Types of the engine's own messages in the plain-object encodings. */
export const ENGINE_MESSAGE_NAMES: readonly string[] = ['join', 'ping', 'resync', 'leave'];

/** Keys of a message in the plain-object encodings, beside its payload. */
export const PLAIN_MESSAGE_KEYS: readonly string[] = ['type', 'seq'];
