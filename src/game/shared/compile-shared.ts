// The shared record as the engine has it: an entity of a kind of its own, with columns beside those of the game's fields, and
// systems that run where it is kept.

import type { FieldDefinitions } from '../fields/field-definition.js';
import type { MessageSource } from '../messages/message-definition.js';
import type { PayloadSource } from '../payload.js';
import { SHARED_KIND, type SharedMessage, type SharedSource, sharedColumn } from './shared-source.js';

export interface SharedForm {
  /** The number of its kind, behind those of the game. */
  kind: number;
  /** By the names that the game has given. */
  fields: FieldDefinitions;
  begin?(zone: never): void;
}

interface System {
  name: string;
  run(zone: Keeper): void;
}

/** What runs a system where the record is kept. */
interface Keeper {
  keepShared(run: () => void): void;
}

type MessageSources = Readonly<Record<string, MessageSource<never, PayloadSource>>>;
type SharedMessages = Readonly<Record<string, SharedMessage<never, PayloadSource>>>;

/** What of a game the record changes. */
interface Parts {
  systems: readonly System[];
  messages: MessageSources;
}

export function compileShared(
  { systems, messages }: Parts,
  shared: SharedSource<never, FieldDefinitions>,
  kind: number,
): Parts & { shared: SharedForm } {
  const { begin } = shared;
  return {
    systems: [...systems, ...(shared.systems ?? []).map(runWhereKept)],
    messages: { ...messages, ...wrapMessages(shared.messages ?? {}) },
    shared: { kind, fields: shared.fields, ...(begin && { begin }) },
  };
}

/** The record's fields by the names of their columns. */
export function nameColumns(fields: FieldDefinitions): FieldDefinitions {
  return Object.fromEntries(Object.entries(fields).map(([name, field]) => [sharedColumn(name), field]));
}

function runWhereKept(system: { name: string; run(zone: never): void }): System {
  return { name: `${SHARED_KIND}.${system.name}`, run: (zone) => zone.keepShared(() => system.run(zone as never)) };
}

/** Behind those of entities, so that a game may add to either. */
function wrapMessages(messages: SharedMessages): MessageSources {
  const wrapped = Object.entries(messages).map(([name, { payload, apply }]) => {
    const keep = (zone: Keeper, _row: number, values: never) => zone.keepShared(() => apply(zone as never, values));
    return [sharedColumn(name), { payload, apply: keep as MessageSources[string]['apply'] }] as const;
  });
  return Object.fromEntries(wrapped);
}
