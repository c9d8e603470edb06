// A player who comes in as it was stored. Main writes it as a record; the zone lets its game make a player, and then
// puts what is stored over it: what is not stored is as the game makes it.
//
//  0                 8           12          16              20         24
//  | handoff head    | client i32| generation i32 | updateHz u32  | connection u32 | kind f64 | x f64 | y f64 | field f64 ... |
//
// Fields are those that are kept, in the game's order, an array or a text with a value for each element; a value that is not a number is not known.

import type { FieldDefinition, FieldDefinitions, GameDefinition } from '../../game/definition.js';
import { hasField } from '../../game/fields/components.js';
import { storageOf } from '../../game/fields/field-storage.js';
import { type StoredValue, storedForm, writeStored } from '../../game/fields/stored-value.js';
import * as R from '../../memory/records/thread-records.js';
import type { RecordRing } from '../../memory/rings/record-ring.js';
import { COLUMN_ARRAYS } from '../../memory/world/column-types.js';
import { spawnPlayer } from '../zone/game-fault.js';
import type { EngineZone } from '../zone/zone.js';

const VALUES = R.ARRIVAL_VALUES;
const KIND = 0;
const X = 1;
const Y = 2;
const FIELDS = 3;

export interface ArrivalHead {
  client: number;
  generation: number;
  updateHz: number;
  connection: number;
}

export interface ArrivingPlayer {
  kind: string;
  x: number;
  y: number;
  fields: Readonly<Record<string, StoredValue>>;
}

export function keptFields(fields: FieldDefinitions): string[] {
  return Object.keys(fields).filter((name) => fields[name].persistent !== false);
}

/** Values of each kept field: texts as their bytes. */
function keptLengths(fields: FieldDefinitions): number[] {
  return keptFields(fields).map((name) => storageOf(fields[name]).length ?? 1);
}

export function arrivalRecordBytes(fields: FieldDefinitions): number {
  return VALUES + (FIELDS + keptLengths(fields).reduce((sum, length) => sum + length, 0)) * 8;
}

/** False: no room. */
export function writeArrival(
  ring: RecordRing,
  game: Pick<GameDefinition, 'kinds' | 'fields'>,
  { client, generation, updateHz, connection }: ArrivalHead,
  player: ArrivingPlayer,
): boolean {
  const offset = ring.claim();
  if (offset < 0) {
    return false;
  }
  const { view } = ring;
  const kind = game.kinds.indexOf(player.kind);
  view.setInt32(offset + R.HANDOFF_KIND, R.HANDOFF_PLAYER, true);
  view.setInt32(offset + R.HANDOFF_TICK, 0, true); // before any tick that a zone can be in
  view.setInt32(offset + R.ARRIVAL_CLIENT, client, true);
  view.setInt32(offset + R.ARRIVAL_GENERATION, generation, true);
  view.setUint32(offset + R.ARRIVAL_UPDATE_HZ, updateHz, true);
  view.setUint32(offset + R.ARRIVAL_CONNECTION, connection, true);
  const values = [kind < 0 ? Number.NaN : kind, player.x, player.y];
  for (const name of keptFields(game.fields)) {
    values.push(...listValues(player.fields[name], game.fields[name]));
  }
  for (const [index, value] of values.entries()) {
    view.setFloat64(offset + VALUES + index * 8, value, true);
  }
  ring.publish();
  return true;
}

function listValues(value: StoredValue | undefined, field: FieldDefinition): number[] {
  const { length = 1 } = storageOf(field);
  const column = new COLUMN_ARRAYS[storageOf(field).type](length);
  if (value === undefined || isForeign(value, field)) return new Array<number>(length).fill(Number.NaN);
  if (length === 1 && typeof value === 'number') return [value]; // as it is: the column of its row rounds it
  writeStored(column, 0, storedForm(field), value);
  return Array.from(column);
}

/** Stored when the field was of another form. */
function isForeign(value: StoredValue, field: FieldDefinition): boolean {
  const isText = field.type === 'text';
  return isText
    ? typeof value !== 'string'
    : storageOf(field).length === undefined
      ? typeof value !== 'number'
      : typeof value !== 'object';
}

/** The row of the player in this record, or -1 when there is no room for it. */
export function spawnArrival(zone: EngineZone, view: DataView, offset: number): number {
  const valueAt = (index: number): number => view.getFloat64(offset + VALUES + index * 8, true);
  const row = spawnPlayer(zone, valueAt(X), valueAt(Y));
  if (row < 0) {
    return row;
  }
  if (!Number.isNaN(valueAt(KIND))) zone.become(row, valueAt(KIND));
  zone.positionX[row] = valueAt(X);
  zone.positionY[row] = valueAt(Y);
  let index = FIELDS;
  for (const name of keptFields(zone.game.fields)) {
    const { length = 1 } = storageOf(zone.game.fields[name]);
    const isIts = hasField(zone.game.components, zone.kind[row], name);
    for (let element = 0; element < length; element++) {
      const value = valueAt(index++);
      if (isIts && !Number.isNaN(value)) zone.columns[name][row * length + element] = value;
    }
  }
  return row;
}
