// Mistakes in what a game says of its shared record.

import { WIRE_NAME_BYTES_MAX } from '../../protocol/limits.js';
import { SHARED_KIND, sharedColumn } from '../shared/shared-source.js';
import { checkKeys, isObject, type Loose, type Say, show } from './checks.js';

const SHARED_KEYS = ['fields', 'begin', 'systems', 'messages'];
const NAME_BYTES_MAX = WIRE_NAME_BYTES_MAX - sharedColumn('').length;

export function checkShared(
  { shared, kinds }: Loose,
  say: Say,
  checkFields: (part: string, fields: unknown, say: Say) => void,
  checkSystems: (part: string, systems: unknown, say: Say) => void,
): void {
  if (shared === undefined) return;
  if (!isObject(shared)) {
    say('shared', `is ${show(shared)}`, 'an object with fields, and begin and systems where they are needed');
    return;
  }
  checkKeys('shared', shared, SHARED_KEYS, say);
  if (Array.isArray(kinds) ? kinds.includes(SHARED_KIND) : isObject(kinds) && Object.hasOwn(kinds, SHARED_KIND)) {
    say('kinds', `has '${SHARED_KIND}', which is the kind of the shared record`, 'any other name');
  }
  if (shared.fields === undefined) say('shared.fields', 'is missing', 'an object of fields by name');
  checkFields('shared.fields', shared.fields, say);
  for (const [name, field] of Object.entries(isObject(shared.fields) ? shared.fields : {})) {
    const part = `shared.fields.${name}`;
    if (name.length > NAME_BYTES_MAX) say(part, `has a name of ${name.length} letters`, `at most ${NAME_BYTES_MAX}`);
    if (!isObject(field)) continue;
    if (field.persistent !== undefined)
      say(`${part}.persistent`, 'stands in the shared record', 'nothing: it has no checkpoint');
    const audience = isObject(field.wire) ? field.wire.audience : undefined;
    if (audience !== undefined && audience !== 'view') {
      say(`${part}.wire.audience`, `is ${show(audience)}`, 'nothing: every client gets it');
    }
  }
  if (shared.begin !== undefined && typeof shared.begin !== 'function') {
    say('shared.begin', `is ${show(shared.begin)}`, 'a function of zone');
  }
  checkSystems('shared.systems', shared.systems, say);
}
