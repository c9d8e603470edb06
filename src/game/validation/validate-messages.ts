// Mistakes in a game's messages, those between entities and those to the shared record.

import { MESSAGES_MAX } from '../limits.js';
import { checkKeys, isName, isObject, type Loose, NAME_RULE, type Say, show } from './checks.js';
import { MESSAGE_FIELD_NAMES } from './reserved-names.js';

const MESSAGE_KEYS = ['payload', 'apply', 'undelivered'];
const SHARED_MESSAGE_KEYS = ['payload', 'apply'];

type CheckPayload = (part: string, payload: unknown, say: Say, mayHaveRefs: boolean) => void;

export function checkMessages({ messages, shared, fields }: Loose, say: Say, checkPayload: CheckPayload): void {
  const count = countOf(messages) + countOf(isObject(shared) ? shared.messages : undefined);
  if (count > MESSAGES_MAX) say('messages', `are ${count}, with those of shared`, `at most ${MESSAGES_MAX}`);
  checkEach('messages', messages, MESSAGE_KEYS, 'a function of zone, row and payload', say, checkPayload);
  if (isObject(shared)) {
    const allowed = 'a function of zone and payload';
    checkEach('shared.messages', shared.messages, SHARED_MESSAGE_KEYS, allowed, say, checkPayload);
  }
  if (count === 0 || !isObject(fields)) return;
  for (const name of MESSAGE_FIELD_NAMES) {
    if (name in fields) say(`fields.${name}`, 'has the name of a column that messages bring', 'any other name');
  }
}

function countOf(messages: unknown): number {
  return isObject(messages) ? Object.keys(messages).length : 0;
}

function checkEach(
  list: string,
  messages: unknown,
  keys: readonly string[],
  handler: string,
  say: Say,
  checkPayload: CheckPayload,
): void {
  if (messages === undefined) return;
  if (!isObject(messages)) {
    say(list, `is ${show(messages)}`, 'an object of messages by name');
    return;
  }
  for (const [name, message] of Object.entries(messages)) {
    const part = `${list}.${name}`;
    if (!isName(name)) say(part, 'has a name that cannot be used', NAME_RULE);
    if (!isObject(message)) {
      say(part, `is ${show(message)}`, 'an object with payload and apply');
      continue;
    }
    checkKeys(part, message, keys, say);
    checkPayload(`${part}.payload`, message.payload, say, true);
    if (typeof message.apply !== 'function') say(`${part}.apply`, `is ${show(message.apply)}`, handler);
    if (message.undelivered !== undefined && typeof message.undelivered !== 'function') {
      say(`${part}.undelivered`, `is ${show(message.undelivered)}`, handler);
    }
  }
}
