// A player who comes in as it was stored. Main writes it as a record; the zone lets its game make a player, and then
// puts what is stored over it: what is not stored is as the game makes it.
//
//  0                 8           12          16              20         24
//  | handoff head    | client i32| generation i32 | updateHz u32  | connection u32 | kind f64 | x f64 | y f64 | field f64 ... |
//
// Fields are those that are kept, in the game's order; a value that is not a number is not known.

import type { FieldDefinitions, GameDefinition } from '../../game/definition.js';
import * as R from '../../memory/records/thread-records.js';
import type { RecordRing } from '../../memory/rings/record-ring.js';
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
  fields: Readonly<Record<string, number>>;
}

export function keptFields(fields: FieldDefinitions): string[] {
  return Object.keys(fields).filter((name) => fields[name].persistent !== false);
}

export function arrivalRecordBytes(fields: FieldDefinitions): number {
  return VALUES + (FIELDS + keptFields(fields).length) * 8;
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
    values.push(player.fields[name] ?? Number.NaN);
  }
  for (const [index, value] of values.entries()) {
    view.setFloat64(offset + VALUES + index * 8, value, true);
  }
  ring.publish();
  return true;
}

/** The row of the player in this record, or -1 when there is no room for it. */
export function spawnArrival(zone: EngineZone, view: DataView, offset: number): number {
  const valueAt = (index: number): number => view.getFloat64(offset + VALUES + index * 8, true);
  const row = spawnPlayer(zone, valueAt(X), valueAt(Y));
  if (row < 0) {
    return row;
  }
  if (!Number.isNaN(valueAt(KIND))) zone.kind[row] = valueAt(KIND);
  zone.positionX[row] = valueAt(X);
  zone.positionY[row] = valueAt(Y);
  for (const [index, name] of keptFields(zone.game.fields).entries()) {
    const value = valueAt(FIELDS + index);
    if (!Number.isNaN(value)) zone.columns[name][row] = value;
  }
  return row;
}
