import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isUuid } from '../../../src/base/uuid.js';
import { identifyByToken } from '../../../src/net/auth/identity.js';
import type { ResumeClaims } from '../../../src/net/auth/resume-token.js';
import { GUEST } from '../game-client.js';

test('a player is whoever has its token, by the name it gives now; who has none is somebody new', () => {
  const claims = { playerId: 'the one' } as ResumeClaims;
  assert.deepEqual(identifyByToken({ ...GUEST, name: 'Ada' }, claims), {
    playerId: 'the one',
    name: 'Ada',
    claims: {},
  });
  const [first, second] = [identifyByToken(GUEST, undefined), identifyByToken(GUEST, undefined)];
  assert.ok(isUuid(first.playerId) && isUuid(second.playerId));
  assert.notEqual(first.playerId, second.playerId);
});
