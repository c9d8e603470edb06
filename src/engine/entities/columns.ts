// The columns of a zone: the engine's own, then the game's fields. A game field may not take the name of an engine column.

import { assert } from '../../base/assert.js';
import type { FieldDefinitions, GameDefinition } from '../../game/definition.js';
import { storageOf } from '../../game/fields/field-storage.js';
import type { ComponentsPlace } from '../../memory/world/component-rows.js';
import type { Block } from '../../memory/world/world-buffer.js';
import type { ColumnPlace, ColumnSpec, WorldLayout } from '../../memory/world/world-layout.js';
import { VIEW_REACH_MAX, ZONES_MAX } from '../limits.js';
import { isTimerColumn, timerColumns } from './timer-columns.js';

export const ENGINE_COLUMNS = [
  { name: 'alive', type: 'u8', role: 'alive' },
  { name: 'kind', type: 'u8' },
  /** Client index + 1; 0 for none. */
  { name: 'owner', type: 'i32' },
  { name: 'ownerGeneration', type: 'i32' },
  /** Wire id and its generation, see entity-key.ts. */
  { name: 'key', type: 'u32' },
  { name: 'positionX', type: 'f32' },
  { name: 'positionY', type: 'f32' },
  /** Target zone + 1 while a row that has left waits for its handoff record to be published; else 0. */
  { name: 'departTo', type: 'u8', role: 'transient' },
  /** Where in the handoff ring its record stands: the count of records written before it. */
  { name: 'departSequence', type: 'i32', role: 'transient' },
  /** By local id, not by row: whether the id is in use, here or in another zone, and how often it has been given out. */
  { name: 'idTaken', type: 'u8', role: 'id' },
  { name: 'idGeneration', type: 'u16', role: 'id' },
  /** When it became free, while it rests; see entity-ids.ts. */
  { name: 'idFreed', type: 'u16', role: 'id' },
] as const satisfies readonly ColumnSpec[];

/** Of a game with `visibility: 'masks'`. */
export const SIGHT_COLUMNS = [
  /** Bits: the observers that an entity is shown to, and what an observer sees. */
  { name: 'shownTo', type: 'u32', initial: 0xffffffff },
  { name: 'sees', type: 'u32', initial: 1 },
  /** How far an observer sees; the server's view radius where that is less. */
  { name: 'viewReach', type: 'f32', initial: VIEW_REACH_MAX },
] as const satisfies readonly ColumnSpec[];

/** Of a game with `teams: true`; 0 is none. */
export const TEAM_COLUMNS = [{ name: 'team', type: 'u8' }] as const satisfies readonly ColumnSpec[];

/** Of a game with messages. */
export const MESSAGE_COLUMNS = [
  /** Of a row that mirrors an entity: the zone that it was read from, and 1. */
  { name: 'mirrorZone', type: 'u8' },
  /** By local id: the zone that has the entity, and 1, or 0 for this one; and the tick of that zone by which it is known. */
  { name: 'idZone', type: 'u8', role: 'id' },
  { name: 'idMoved', type: 'i32', role: 'id' },
] as const satisfies readonly ColumnSpec[];

/** Columns of a game that switches them on. They travel, are mirrored and rest with an entity, as its fields do; timers too, but mirrors have none. */
const CHOSEN_COLUMN_NAMES: ReadonlySet<string> = new Set([...SIGHT_COLUMNS, ...TEAM_COLUMNS].map(({ name }) => name));
/** What a zone knows of entities, and no entity has. */
export const ZONE_COLUMN_NAMES: ReadonlySet<string> = new Set(MESSAGE_COLUMNS.map(({ name }) => name));

/** The part of a game that says which of them it has. */
export type ColumnChoice = Pick<GameDefinition, 'visibility' | 'teams' | 'timers' | 'messages' | 'components'>;

export function chosenColumns({ visibility, teams, timers, messages }: ColumnChoice): ColumnSpec[] {
  const sight = visibility === 'masks' ? SIGHT_COLUMNS : [];
  const known = messages === undefined ? [] : MESSAGE_COLUMNS;
  return [...sight, ...(teams === true ? TEAM_COLUMNS : []), ...known, ...timerColumns(timers)];
}

/** Whether a column is the game's own, or one that the game has chosen: what an entity is, wherever it is. */
export function isOfGame(name: string, fields: Record<string, unknown>): boolean {
  return Object.hasOwn(fields, name) || CHOSEN_COLUMN_NAMES.has(name) || isTimerColumn(name);
}

/**
 * In departTo: the row rests in a cell that is on its way to the store. It is not alive and stands as it is, until the
 * store has the cell, or the cell is wanted again.
 */
export const DEPART_TO_CELL = 255;
assert(ZONES_MAX < DEPART_TO_CELL, 'no zone is taken for a cell');

/** Columns that travel with an entity to another zone: all that are of the game, and of the engine's these. */
export const TRAVELLING_ENGINE_COLUMNS: ReadonlySet<string> = new Set([
  'kind',
  'owner',
  'ownerGeneration',
  'key',
  'positionX',
  'positionY',
]);

export interface EngineColumns {
  alive: Uint8Array;
  kind: Uint8Array;
  owner: Int32Array;
  ownerGeneration: Int32Array;
  key: Uint32Array;
  positionX: Float32Array;
  positionY: Float32Array;
  departTo: Uint8Array;
  departSequence: Int32Array;
  idTaken: Uint8Array;
  idGeneration: Uint16Array;
  idFreed: Uint16Array;
}

/** How rows tell which components they have. */
export function placeComponents({ components }: ColumnChoice): ComponentsPlace | undefined {
  return components && { sets: components.ofKind, kind: 'kind', alive: 'alive', held: 'departTo' };
}

export function specifyColumns(fields: FieldDefinitions, choice: ColumnChoice = {}): ColumnSpec[] {
  const columns: ColumnSpec[] = [...ENGINE_COLUMNS, ...chosenColumns(choice)].map((column) => ({ ...column }));
  for (const [name, field] of Object.entries(fields)) {
    assert(!columns.some((column) => column.name === name), 'a game field has a name of its own', name);
    const component = choice.components?.ofField[name] ?? 0;
    columns.push({ name, ...storageOf(field), ...(component > 0 && { component }) });
  }
  return columns;
}

export function engineColumnsOf(block: Block): EngineColumns {
  return block.columns as unknown as EngineColumns;
}

/** Engine columns that a zone has of its neighbours' entities, beside all that are of the game. */
const MIRRORED_ENGINE_COLUMNS: ReadonlySet<string> = new Set(['kind', 'owner', 'key', 'positionX', 'positionY']);

/** In their order in the buffer, which is that of their bits in a journal record. */
export function mirroredColumns(layout: WorldLayout, fields: Record<string, unknown>): ColumnPlace[] {
  return layout.columns.filter(
    ({ name }) =>
      MIRRORED_ENGINE_COLUMNS.has(name) || name === 'mirrorZone' || (isOfGame(name, fields) && !isTimerColumn(name)),
  );
}
