import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BANS_MAX } from '../../../src/durability/commands/limits.js';
import { BanList, plainAddress } from '../../../src/net/auth/bans.js';

function stage() {
  const clock = { ms: 1000 };
  return { clock, bans: new BanList(() => clock.ms) };
}

test('a ban holds until its time is over, and not a millisecond longer', () => {
  const { clock, bans } = stage();
  assert.equal(bans.addName('Ada', 2000), 2000);
  assert.equal(bans.addAddress('10.0.0.1', 3000), 3000);
  assert.ok(bans.hasName('Ada') && bans.hasAddress('10.0.0.1'));
  clock.ms = 1999;
  assert.ok(bans.hasName('Ada'));
  clock.ms = 2000;
  assert.equal(bans.hasName('Ada'), false);
  assert.equal(bans.size, 1, 'what is over is forgotten when it is asked for');
  assert.ok(bans.hasAddress('10.0.0.1'));
});

test('names and addresses are lists of their own, and nobody else is on them', () => {
  const { bans } = stage();
  bans.addName('10.0.0.1', 2000);
  assert.equal(bans.hasAddress('10.0.0.1'), false);
  assert.equal(bans.hasName('ada'), false);
});

test('of two bans of the same the later end counts', () => {
  const { bans } = stage();
  assert.equal(bans.addName('Ada', 5000), 5000);
  assert.equal(bans.addName('Ada', 3000), 5000);
  assert.equal(bans.addName('Ada', 7000), 7000);
  assert.equal(bans.size, 1);
});

test('a full list takes no further ban, but a longer one of who is on it, and forgets what is over to make room', () => {
  const { clock, bans } = stage();
  for (let i = 0; i < BANS_MAX; i++) {
    const untilMs = i < 2 ? 2000 : 5000;
    const added = i % 2 === 0 ? bans.addName(`n${i}`, untilMs) : bans.addAddress(`a${i}`, untilMs);
    assert.equal(added, untilMs);
  }
  assert.equal(bans.addName('one more', 5000), undefined);
  assert.equal(bans.hasName('one more'), false);
  assert.equal(bans.addName('n2', 6000), 6000);
  clock.ms = 1999;
  assert.equal(bans.addName('one more', 5000), undefined, 'nothing is over yet');
  clock.ms = 2000;
  assert.equal(bans.addName('one more', 5000), 5000);
  assert.equal(bans.size, BANS_MAX - 1, 'one of each list was over');
  assert.ok(bans.hasName('n2') && bans.hasAddress('a3'));
  assert.equal(bans.addAddress('one more', 5000), 5000);
  assert.equal(bans.addAddress('too many', 5000), undefined);
});

test('an IPv4 address that came through an IPv6 socket is the plain one, and an IPv6 address stays as it is', () => {
  assert.equal(plainAddress('::ffff:10.1.2.3'), '10.1.2.3');
  assert.equal(plainAddress('10.1.2.3'), '10.1.2.3');
  assert.equal(plainAddress('::ffff:a01:203'), '::ffff:a01:203');
  assert.equal(plainAddress('::1'), '::1');
  assert.equal(plainAddress('64:ff9b::10.1.2.3'), '64:ff9b::10.1.2.3');
});
