import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { isUuid } from '../../src/base/uuid.js';

test('what randomUUID makes is a UUID, and nothing that could be a path or a pattern is', () => {
  for (let i = 0; i < 20; i++) assert.ok(isUuid(randomUUID()));
  const uuid = '0f8fad5b-d9cb-469f-a165-70867728950e';
  assert.ok(isUuid(uuid));
  const wrong = ['', uuid.slice(1), `${uuid}0`, ` ${uuid}`, `${uuid}\n`, uuid.toUpperCase(), uuid.replaceAll('-', '/')];
  for (const text of wrong) assert.equal(isUuid(text), false, JSON.stringify(text));
});
