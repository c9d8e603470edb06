// The shared record in a zone. It lies in the first of the rows for mirrors, in every zone: the zone that keeps it writes it
// there, and the others mirror it as they mirror entities. So it is in no loop over the zone's own rows and in no query,
// and is committed, journaled, stored and sent to clients as rows are.

import type { FieldDefinition, FieldDefinitions, GameDefinition } from '../../game/definition.js';
import { storageOf } from '../../game/fields/field-storage.js';
import { readText, writeText } from '../../game/fields/text-field.js';
import { type SharedValues, sharedColumn } from '../../game/shared/shared-source.js';
import type { AnyColumn } from '../../memory/world/column-types.js';
import type { Block } from '../../memory/world/world-buffer.js';
import { makeKey } from '../entities/entity-key.js';
import { ZoneNotes } from './zone-notes.js';

/** The zone that keeps the record. */
export const SHARED_KEEPER = 0;

type Values = SharedValues<FieldDefinitions>;

export class ZoneShared extends ZoneNotes {
  /** Where the record lies; -1: the game has none. */
  readonly sharedRow: number;
  /** That of an id which no entity is given: the last one of the zone that keeps it. */
  readonly sharedKey: number;
  readonly keepsShared: boolean;
  /** The first row that mirrors an entity. */
  readonly firstMirror: number;
  private readonly values: Values | undefined;
  private isKeeping = false;

  constructor(
    block: Block,
    game: ConstructorParameters<typeof ZoneNotes>[1] & Pick<GameDefinition, 'shared'>,
    ownCapacity: number,
    tickHz: number,
    rowCapacity: number,
    zoneId: number,
  ) {
    super(block, game, ownCapacity, tickHz);
    const { shared } = game;
    this.sharedRow = shared === undefined ? -1 : ownCapacity;
    this.sharedKey = shared === undefined ? 0 : makeKey(SHARED_KEEPER * rowCapacity + rowCapacity - 1, 1);
    this.firstMirror = ownCapacity + (shared === undefined ? 0 : 1);
    this.keepsShared = shared !== undefined && zoneId === SHARED_KEEPER;
    this.values = shared && this.createValues(block, shared.fields, ownCapacity);
  }

  get shared(): Values {
    if (this.values === undefined) throw new Error("zone.shared is there in a game with 'shared'");
    return this.values;
  }

  /** Runs what writes the record, in the zone that keeps it and nowhere else. */
  keepShared(run: () => void): void {
    if (!this.keepsShared) return;
    this.isKeeping = true;
    try {
      run();
    } finally {
      this.isKeeping = false;
    }
  }

  private createValues(
    { columns }: Block,
    fields: NonNullable<GameDefinition['shared']>['fields'],
    row: number,
  ): Values {
    const values = {};
    for (const [name, field] of Object.entries(fields)) {
      const column = columns[sharedColumn(name)];
      Object.defineProperty(values, name, { enumerable: true, ...this.access(name, column, field, row) });
    }
    return Object.freeze(values) as Values;
  }

  private access(name: string, column: AnyColumn, field: FieldDefinition, row: number): PropertyDescriptor {
    const { type, bytes = 0, length } = field;
    if (type === 'text') {
      return {
        get: () => readText(column as Uint8Array, row, bytes),
        set: (text: string) => {
          this.requireKeeping(name);
          if (!writeText(column as Uint8Array, row, bytes, text)) {
            throw new Error(`zone.shared.${name}: '${text}' does not fit ${bytes} bytes of UTF-8, or holds a zero`);
          }
        },
      };
    }
    if (length !== undefined) {
      const stride = storageOf(field).length ?? 1;
      const array = column.subarray(row * stride, row * stride + length);
      return {
        get: () => array,
        set: () => {
          throw new Error(`zone.shared.${name} is an array: write its elements`);
        },
      };
    }
    return {
      get: () => column[row],
      set: (value: number) => {
        this.requireKeeping(name);
        column[row] = value;
      },
    };
  }

  private requireKeeping(name: string): void {
    if (this.isKeeping) return;
    throw new Error(`zone.shared.${name} is written by the systems of 'shared' alone: every zone reads it`);
  }
}
