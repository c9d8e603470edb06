import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeGame } from '../../src/protocol/game-description.js';
import { WIRE_FIELDS_MAX } from '../../src/protocol/limits.js';
import { TOY_COMMANDS, TOY_GAME } from './toy-wire.js';

test('a description has the replicated fields in the order of their definition, with scale and offset filled in', () => {
  assert.deepEqual(
    TOY_GAME.fields.map(({ name }) => name),
    ['hp', 'turn', 'score', 'heat', 'low', 'wide', 'deep'],
  );
  assert.deepEqual(TOY_GAME.fields[0], { name: 'hp', type: 'u8', scale: 0.5, offset: 0 });
  assert.deepEqual(TOY_GAME.fields[2], { name: 'score', type: 'u32', scale: 1, offset: 0 });
  assert.deepEqual(TOY_GAME.commands[1], { name: 'mix', kind: 300, bytes: 32 });
});

test('a game that no Welcome can carry is refused before anyone joins', () => {
  const game = { name: 'toy', kinds: ['player'], fields: {}, commands: TOY_COMMANDS };
  const field = { type: 'u8', wire: { type: 'u8' } } as const;
  const fields = Object.fromEntries(
    Array.from({ length: WIRE_FIELDS_MAX + 1 }, (_, index) => [`field${index}`, field]),
  );
  assert.throws(() => describeGame({ ...game, name: 'n'.repeat(65) }), /short/);
  assert.throws(() => describeGame({ ...game, kinds: new Array(257).fill('k') }), /kinds/);
  assert.throws(() => describeGame({ ...game, fields }), /fields/);
});
