// What a game says of its shared state: one record for the whole world, which every zone reads and every client gets.

import type { FieldDefinition, FieldDefinitions } from '../fields/field-definition.js';
import type { Payload, PayloadSource } from '../payload.js';

/** The kind that clients find the record under. */
export const SHARED_KIND = 'shared';

/** Its fields stand among those of entities under names that no game can give. */
export function sharedColumn(name: string): string {
  return `${SHARED_KIND}.${name}`;
}

/** Of an array: its elements, written in place. */
export interface SharedArray {
  [index: number]: number;
  readonly length: number;
}

type SharedValue<D extends FieldDefinition> = D extends { length: number }
  ? SharedArray
  : D['type'] extends 'text'
    ? string
    : number;

/** The record by the names of its fields. Bools are 0 and 1, enums indexes, as in columns. */
export type SharedValues<S extends FieldDefinitions> = { -readonly [K in keyof S]: SharedValue<S[K]> };

/** `Z`: the zone as the game's systems have it. */
export interface SharedSystem<Z> {
  name: string;
  /** Runs once per tick for the whole world, after all systems of the zone that keeps the record. Writes `zone.shared`. */
  run(zone: Z): void;
}

export interface SharedMessage<Z, P extends PayloadSource> {
  payload: P;
  /** Runs in the tick, in the zone that keeps the record, and writes `zone.shared`. */
  apply(zone: Z, payload: Payload<P>): void;
}

export interface SharedSource<
  Z,
  S extends FieldDefinitions,
  M extends Readonly<Record<string, PayloadSource>> = Readonly<Record<string, PayloadSource>>,
> {
  fields: S;
  /** The first values of the record, before any zone is populated. */
  begin?(zone: Z): void;
  /** What zones tell the record, see Zone.postShared. */
  messages?: { [K in keyof M]: SharedMessage<Z, M[K]> };
  systems?: readonly SharedSystem<Z>[];
}
