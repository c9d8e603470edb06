import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PlayerDesk } from '../../../src/server/main/player-desk.js';
import type { ToIoThread } from '../../../src/server/threads/thread-messages.js';

const ADA = { client: 4, generation: 9, playerId: 'ada', sessionId: 's', name: 'Ada', joinedAtMs: 5 };
const PLAYER = {
  worldId: '',
  playerId: 'ada',
  zone: 0,
  tick: 1,
  takenAtMs: 1,
  key: 1,
  kind: 'player',
  x: 1,
  y: 2,
  fields: {},
};

function setUp(waitMs = 10000) {
  const warnings: string[] = [];
  const log = { debug() {}, info() {}, warn: (_: object, line: string) => warnings.push(line), error() {} };
  const desk = new PlayerDesk(log, waitMs);
  const posted: ToIoThread[] = [];
  desk.attach((message) => posted.push(message));
  return { desk, posted, warnings };
}

test('an answer goes to who asked, in whatever order answers come', async () => {
  const { desk, posted, warnings } = setUp();
  const found = [desk.find('ada'), desk.find('bob'), desk.find('eve')];
  assert.deepEqual(
    posted.map((message) => message.kind === 'findPlayer' && message.playerId),
    ['ada', 'bob', 'eve'],
  );
  const [first, second, third] = posted.map((message) => (message as { request: number }).request);
  desk.answer({ kind: 'player', request: third, player: undefined, problem: 'its checksum does not match' });
  desk.answer({ kind: 'player', request: second, player: undefined, problem: '' });
  desk.answer({ kind: 'player', request: first, player: PLAYER, problem: '' });
  desk.answer({ kind: 'player', request: first, player: undefined, problem: 'again' });
  assert.deepEqual(await Promise.all(found), [PLAYER, undefined, undefined]);
  assert.deepEqual(warnings.length, 1);
  assert.match(warnings[0], /joins anew: what is stored of it: its checksum does not match/);
});

test('an answer that takes too long is not waited for, and that is said', async () => {
  const { desk, posted, warnings } = setUp(20);
  assert.equal(await desk.find('ada'), undefined);
  assert.match(warnings[0], /joins anew: the store did not answer within 20 ms/);
  desk.answer({ kind: 'player', request: (posted[0] as { request: number }).request, player: PLAYER, problem: '' });
});

test('another I/O thread is told of everyone who plays', () => {
  const { desk, posted } = setUp();
  desk.joined(ADA);
  desk.joined({ ...ADA, client: 5 });
  desk.left(5, 8, true);
  desk.left(5, 9, true);
  assert.deepEqual(
    posted.map(({ kind }) => kind),
    ['session', 'session', 'sessionOver'],
  );
  const others: ToIoThread[] = [];
  desk.attach((message) => others.push(message));
  assert.deepEqual(others, [{ kind: 'session', session: ADA }]);
});

test('who leaves for good while there is no I/O thread is named to the next one as gone', () => {
  const { desk, posted } = setUp();
  const bob = { ...ADA, client: 5, playerId: 'bob', sessionId: 't' };
  desk.joined(ADA);
  desk.joined(bob);
  desk.detach();
  posted.length = 0;
  desk.left(4, 9, true);
  desk.left(5, 9, false);
  const again = { ...ADA, generation: 10, sessionId: 'u' };
  desk.joined(again);
  assert.deepEqual(posted, [], 'nobody hears it');
  const others: ToIoThread[] = [];
  desk.attach((message) => others.push(message));
  assert.deepEqual(others, [
    { kind: 'session', session: ADA },
    { kind: 'sessionOver', client: 4, generation: 9, isForGood: true },
    { kind: 'session', session: again },
  ]);
  others.length = 0;
  desk.detach();
  desk.attach((message) => others.push(message));
  assert.deepEqual(others, [{ kind: 'session', session: again }], 'told once');
});
