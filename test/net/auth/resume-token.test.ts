import assert from 'node:assert/strict';
import { createHmac, randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { createRandom } from '../../../src/base/chance.js';
import { type ResumeClaims, TokenMint } from '../../../src/net/auth/resume-token.js';
import { TOKEN_SKEW_MS } from '../../../src/net/limits.js';
import { RESUME_TOKEN_MS, TOKEN_BYTES_MAX } from '../../../src/protocol/limits.js';

const SECRET = Buffer.from('a secret of some length');
const NOW = 1800000000000;

function createClaims(): ResumeClaims {
  return {
    worldId: randomUUID(),
    playerId: randomUUID(),
    sessionId: randomUUID(),
    key: 0xfedcba98,
    client: 65534,
    generation: 0x7fffffff,
    issuedMs: NOW,
  };
}

test('what was signed comes back whole, and fits a Join', () => {
  const mint = new TokenMint(SECRET, () => NOW);
  const claims = createClaims();
  const token = mint.sign(claims);
  assert.deepEqual(mint.verify(token), claims);
  assert.deepEqual(new TokenMint(Buffer.from(SECRET), () => NOW).verify(token), claims, 'by another server too');
  assert.match(token, /^[\w-]+$/);
  assert.ok(token.length <= TOKEN_BYTES_MAX && token.length === 132);
});

for (const seed of [1, 2]) {
  test(`a token that was altered, shortened or lengthened is none, seed ${seed}`, () => {
    const mint = new TokenMint(SECRET, () => NOW);
    const random = createRandom(seed);
    const token = mint.sign(createClaims());
    const bytes = Buffer.from(token, 'base64url');
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const flipped = Buffer.from(bytes);
      flipped[bit >> 3] ^= 1 << (bit & 7);
      assert.equal(mint.verify(flipped.toString('base64url')), undefined, `bit ${bit}`);
    }
    for (let round = 0; round < 200; round++) {
      const at = Math.floor(random() * token.length);
      const code = 32 + Math.floor(random() * 95);
      const altered = token.slice(0, at) + String.fromCharCode(code) + token.slice(at + 1);
      if (altered !== token) assert.equal(mint.verify(altered), undefined, altered);
    }
    for (const other of [
      '',
      token.slice(1),
      token.slice(0, -1),
      `${token}A`,
      ` ${token}`,
      token.repeat(5),
      `${token}=`,
    ]) {
      assert.equal(mint.verify(other), undefined, other);
    }
  });
}

test('a token of another secret, of no signature, or of another form is none', () => {
  const mint = new TokenMint(SECRET, () => NOW);
  const token = mint.sign(createClaims());
  assert.equal(new TokenMint(Buffer.from('another secret, as long'), () => NOW).verify(token), undefined);
  const bytes = Buffer.from(token, 'base64url');
  assert.equal(mint.verify(Buffer.concat([bytes.subarray(0, 67), Buffer.alloc(32)]).toString('base64url')), undefined);
  bytes[0] = 2;
  createHmac('sha256', SECRET).update(bytes.subarray(0, 67)).digest().copy(bytes, 67);
  assert.equal(mint.verify(bytes.toString('base64url')), undefined);
});

test('a token is good for its time, and a bounded one before it was made', () => {
  let now = NOW;
  const mint = new TokenMint(SECRET, () => now);
  const token = mint.sign(createClaims());
  now = NOW + RESUME_TOKEN_MS;
  assert.ok(mint.verify(token));
  now = NOW + RESUME_TOKEN_MS + 1;
  assert.equal(mint.verify(token), undefined);
  now = NOW - 120000;
  assert.ok(mint.verify(token), 'a clock was set back by two minutes');
  now = NOW - TOKEN_SKEW_MS;
  assert.ok(mint.verify(token));
  now = NOW - TOKEN_SKEW_MS - 1;
  assert.equal(mint.verify(token), undefined);
});
