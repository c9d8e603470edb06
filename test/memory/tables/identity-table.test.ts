import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CLAIMS_BYTES_MAX, PLAYER_ID_BYTES_MAX } from '../../../src/memory/limits.js';
import { IdentityTable } from '../../../src/memory/tables/identity-table.js';

const ADA = { playerId: 'a', name: 'Ada', claims: '{}' };

test('an identity is read by the generation it was written for, and by no other', () => {
  const buffer = IdentityTable.create(3);
  const [main, zone] = [new IdentityTable(buffer), new IdentityTable(buffer)];
  assert.equal(zone.read(1, 5), undefined);
  main.write(1, 5, ADA);
  assert.deepEqual(zone.read(1, 5), ADA);
  assert.deepEqual([zone.read(1, 4), zone.read(1, 6), zone.read(0, 5), zone.read(2, 5)], new Array(4).fill(undefined));
  main.write(1, 6, { ...ADA, name: '' });
  assert.deepEqual([zone.read(1, 5), zone.read(1, 6)?.name], [undefined, '']);
});

test('the longest texts fit beside each other, and longer ones are a mistake of ours', () => {
  const table = new IdentityTable(IdentityTable.create(2));
  const longest = {
    playerId: 'é'.repeat(PLAYER_ID_BYTES_MAX / 2),
    name: '\u{1f600}'.repeat(6),
    claims: JSON.stringify({ role: 'x'.repeat(CLAIMS_BYTES_MAX - 11) }),
  };
  table.write(0, 1, longest);
  table.write(1, 1, ADA);
  assert.deepEqual([table.read(0, 1), table.read(1, 1)], [longest, ADA]);
  assert.throws(() => table.write(0, 1, { ...longest, playerId: `${longest.playerId}.` }), /a player id fits/);
  assert.throws(() => table.write(0, 1, { ...longest, name: `${longest.name}.` }), /a name fits/);
  assert.throws(() => table.write(0, 1, { ...longest, claims: `${longest.claims} ` }), /claims fit/);
});

test('nobody waits for a writer for ever', () => {
  const buffer = IdentityTable.create(1);
  const table = new IdentityTable(buffer);
  table.write(0, 1, ADA);
  new Int32Array(buffer)[0] = -1;
  assert.equal(table.read(0, 1), undefined);
});
