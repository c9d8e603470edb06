// Mistakes in a game's messages are named where they are made.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MESSAGE_COLUMNS } from '../../src/engine/entities/columns.js';
import { MESSAGE_FIELD_NAMES } from '../../src/game/validation/reserved-names.js';
import { findMistakes } from '../../src/game/validation/validate-game.js';

function mistakesOf(change: Record<string, unknown>): string[] {
  return findMistakes({ name: 'test', version: 1, kinds: ['walker'], spawnPlayer() {}, ...change });
}

const payload = { amount: { type: 'u16', max: 500 }, from: { type: 'ref' }, hot: { type: 'bool' } };

test('messages with payloads and handlers are no mistake', () => {
  const shared = { fields: { score: { type: 'u8' } }, messages: { scored: { payload, apply() {} } } };
  assert.deepEqual(mistakesOf({ messages: { give: { payload, apply() {}, undelivered() {} } }, shared }), []);
});

test('what is wrong with a message is named', () => {
  const messages = {
    give: { payload: { a: { type: 'u9' }, b: { type: 'u8', min: -1 } }, apply: 1, undelivered: 2, reply() {} },
    take: 7,
  };
  assert.deepEqual(mistakesOf({ messages }), [
    "messages.give has 'reply', which means nothing; allowed: payload, apply, undelivered",
    "messages.give.payload.a.type is 'u9'; allowed: u8, i8, u16, i16, u32, i32, f32, bool, ref",
    'messages.give.payload.b.min is -1; allowed: a number from 0 to 255, as of u8',
    'messages.give.apply is 1; allowed: a function of zone, row and payload',
    'messages.give.undelivered is 2; allowed: a function of zone, row and payload',
    'messages.take is 7; allowed: an object with payload and apply',
  ]);
  const wide = Object.fromEntries(Array.from({ length: 13 }, (_, i) => [`v${i}`, { type: 'u32' }]));
  assert.match(
    mistakesOf({ messages: { wide: { payload: wide, apply() {} } } })[0],
    /has 52 bytes; allowed: at most 48/,
  );
  const many = Object.fromEntries(Array.from({ length: 257 }, (_, i) => [`m${i}`, { payload: {}, apply() {} }]));
  assert.match(mistakesOf({ messages: many })[0], /^messages are 257/);
});

test('columns that messages bring are no names of fields', () => {
  assert.deepEqual(
    MESSAGE_FIELD_NAMES,
    MESSAGE_COLUMNS.map(({ name }) => name),
  );
  const messages = { give: { payload, apply() {} } };
  assert.match(
    mistakesOf({ messages, fields: { idZone: { type: 'u8' } } })[0],
    /^fields\.idZone has the name of a column/,
  );
});
