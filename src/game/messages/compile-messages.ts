// Messages from what an author has written to what the engine runs.

import { formPayload, PayloadReader, type PayloadSource } from '../payload.js';
import { PayloadWriter } from '../payload-writer.js';
import type { MessageDefinition, MessageSource } from './message-definition.js';

type AnyMessage = MessageSource<never, PayloadSource>;

export function compileMessages(messages: Readonly<Record<string, AnyMessage>>): MessageDefinition[] {
  return Object.entries(messages).map(([name, message]) => compileMessage(name, message));
}

function compileMessage(name: string, { payload, apply, undelivered }: AnyMessage): MessageDefinition {
  const fields = formPayload(payload);
  const reader = new PayloadReader(fields);
  const writer = new PayloadWriter(name, fields);
  const message: MessageDefinition = {
    name,
    write: (view, offset, values) => writer.write(view, offset, values),
    apply: (zone, row, view, offset) => apply(zone, row, reader.read(view, offset) as never),
  };
  if (undelivered === undefined) return message;
  return {
    ...message,
    undelivered: (zone, row, view, offset) => undelivered(zone, row, reader.read(view, offset) as never),
  };
}
