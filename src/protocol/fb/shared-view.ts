// The shared record of a game among what a client knows: the one entity of its kind, and those fields that are its own.

import { SHARED_KIND, sharedColumn } from '../../game/shared/shared-source.js';
import { plainValue } from '../plain-value.js';
import type { EntityDecoder, EntityState } from './entity-decoder.js';
import type { FieldForm } from './server-frame.js';

const PREFIX = sharedColumn('');

/** Values by name; bools as such, enums by name, a reference as the id of an entity or null. */
export type SharedView = Readonly<Record<string, unknown>>;

export class SharedReader {
  private readonly kind: number;
  private readonly fields: readonly { name: string; field: FieldForm; index: number }[];
  private id = -1;

  constructor(private readonly decoder: EntityDecoder) {
    this.kind = decoder.kinds.indexOf(SHARED_KIND);
    this.fields = decoder.fields.flatMap((field, index) =>
      field.name.startsWith(PREFIX) ? [{ name: field.name.slice(PREFIX.length), field, index }] : [],
    );
  }

  /** By the names of the game. Null: it has none, or it has not come yet. */
  read(): SharedView | null {
    const record = this.find();
    return (
      record &&
      Object.fromEntries(this.fields.map(({ name, field, index }) => [name, plainValue(field, record.fields[index])]))
    );
  }

  private find(): EntityState | null {
    if (this.fields.length === 0) return null;
    const { entities } = this.decoder;
    const known = entities.get(this.id);
    if (known?.kind === this.kind) return known;
    for (const entity of entities.values()) {
      if (entity.kind !== this.kind) continue;
      this.id = entity.id;
      return entity;
    }
    return null;
  }
}
