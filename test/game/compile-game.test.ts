import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileGame, isCompiled } from '../../src/game/compile-game.js';

const BARE = { name: 'bare', version: 0, kinds: ['one'], spawnPlayer: () => -1 };

test('what a game leaves out is empty, and everything else is kept', () => {
  const populate = () => {};
  const game = compileGame({ ...BARE, populate } as never);
  assert.deepEqual([game.fields, game.events, game.systems, game.commands], [{}, [], [], []]);
  assert.equal(game.populate, populate);
  assert.deepEqual([game.name, game.version, game.kinds], ['bare', 0, ['one']]);
  assert.ok(isCompiled(game));
  for (const other of [null, undefined, 'game', BARE]) assert.equal(isCompiled(other), false);
});

test('a command keeps the rate that it was given, and has none otherwise', () => {
  const command = { payload: {}, apply: () => 0 };
  const { commands } = compileGame({
    ...BARE,
    commands: { Free: command, Rare: { ...command, ratePerSecond: 0.5 } },
  } as never);
  assert.equal('ratePerSecond' in commands[0], false);
  assert.equal(commands[1].ratePerSecond, 0.5);
});

test('a handler that returns nothing accepts; any other answer is its code', () => {
  let answer: number | undefined;
  const { commands } = compileGame({ ...BARE, commands: { Try: { payload: {}, apply: () => answer } } } as never);
  const apply = () => commands[0].apply(undefined as never, 0, new DataView(new ArrayBuffer(8)), 0);
  for (const [given, code] of [
    [undefined, 0],
    [0, 0],
    [17, 17],
  ]) {
    answer = given;
    assert.equal(apply(), code);
  }
});
