import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ENGINE_COLUMNS } from '../../src/engine/entities/columns.js';
import { compileGame, isCompiled } from '../../src/game/compile-game.js';
import { defineGame } from '../../src/game/define-game.js';
import {
  COMMAND_KIND_MAX,
  COMMAND_KIND_MIN,
  COMMAND_RATE_MAX,
  COMMAND_RATE_MIN,
  GRANT_AMOUNT_MAX,
} from '../../src/game/limits.js';
import { ENGINE_FIELD_NAMES } from '../../src/game/validation/reserved-names.js';
import { findMistakes, type GameMistakes } from '../../src/game/validation/validate-game.js';
import { EVENT_TYPES_MAX } from '../../src/memory/limits.js';
import {
  REPLICATED_FIELDS_MAX,
  WIRE_COMMANDS_MAX,
  WIRE_KINDS_MAX,
  WIRE_NAME_BYTES_MAX,
} from '../../src/protocol/limits.js';

const SOUND = {
  name: 'runners',
  version: 1,
  kinds: ['runner'],
  fields: { speed: { type: 'f32' } },
  commands: { Run: { payload: { x: { type: 'i8' } }, apply: () => 0 } },
  events: ['ran'],
  eventForms: { ran: { topic: 'player', a: 'distance' } },
  systems: [{ name: 'run', run: () => {} }],
  spawnPlayer: () => -1,
};

function mistakesOf(change: Record<string, unknown>): string[] {
  return findMistakes({ ...SOUND, ...change });
}

test('a sound game has no mistakes, and neither has one that leaves out all it may', () => {
  assert.deepEqual(findMistakes(SOUND), []);
  assert.deepEqual(findMistakes({ name: 'bare', version: 0, kinds: ['one'], spawnPlayer: () => -1 }), []);
});

test('every mistake is found at once, and each line names the part, the value and what is allowed', () => {
  const mistakes = findMistakes({
    name: '',
    version: 1.5,
    kinds: [],
    fields: { x: { type: 'u8', wire: { type: 'u8' } }, alive: { type: 'u8' }, mana: { type: 'u64' } },
    commands: { join: { payload: {}, apply: () => 0 }, Cast: { payload: { spell: { type: 'u8', max: 300 } } } },
    eventForms: { died: {} },
    systems: 'none',
  });
  const expected = [
    /^name is ''; allowed: letters/,
    /^version is 1\.5; allowed: a whole number/,
    /^kinds is an empty list; allowed: a list of 1 to/,
    /^fields\.x is sent to clients under a name that entities have already/,
    /^fields\.alive has the name of a column of the engine/,
    /^fields\.mana\.type is 'u64'; allowed: u8, i8/,
    /^commands\.join has the name of a message of the engine/,
    /^commands\.Cast\.apply is missing; allowed: a function/,
    /^commands\.Cast\.payload\.spell\.max is 300; allowed: a number from 0 to 255/,
    /^eventForms\.died is the form of no event; allowed: none/,
    /^systems is 'none'; allowed: a list/,
    /^spawnPlayer is missing; allowed: a function/,
  ];
  for (const pattern of expected)
    assert.ok(
      mistakes.some((line) => pattern.test(line)),
      `${pattern}\n${mistakes.join('\n')}`,
    );
  assert.equal(mistakes.length, expected.length, mistakes.join('\n'));
});

test('each kind of mistake is told in its own words', () => {
  const cases: [Record<string, unknown>, RegExp][] = [
    [{ kinds: ['a', 'a'] }, /^kinds\[1\] is 'a' again; allowed: each name once/],
    [{ kinds: ['with space'] }, /^kinds\[0\] is 'with space'; allowed: letters/],
    [{ persistentKinds: ['Runner'] }, /names 'Runner', which is no kind \(did you mean runner\?\); allowed: runner/],
    [{ restingKinds: ['runner'] }, /^populateCell is missing beside restingKinds/],
    [{ fields: [] }, /^fields is an empty list; allowed: an object of fields by name/],
    [
      { fields: { a: { type: 'u8', wires: {} } } },
      /^fields\.a has 'wires', which means nothing \(did you mean wire\?\)/,
    ],
    [{ fields: { a: { type: 'u8', wire: { type: 'u8', scale: 0 } } } }, /^fields\.a\.wire\.scale is 0; allowed/],
    [{ fields: { a: { type: 'text' } } }, /^fields\.a\.bytes is missing; allowed: a whole number from 1 to 255/],
    [
      { fields: { a: { type: 'text', bytes: 4, length: 2 } } },
      /^fields\.a\.length stands beside type text; allowed: bytes/,
    ],
    [{ fields: { a: { type: 'u8', bytes: 4 } } }, /^fields\.a\.bytes stands beside type 'u8'; allowed: type text/],
    [
      { fields: { a: { type: 'u8', length: 257 } } },
      /^fields\.a\.length is 257; allowed: a whole number from 1 to 256/,
    ],
    [{ fields: { a: { type: 'u16', oneOf: ['x'] } } }, /^fields\.a\.oneOf stands beside type 'u16'; allowed: type u8/],
    [{ fields: { a: { type: 'u8', oneOf: ['x', 'x'] } } }, /^fields\.a\.oneOf\[1\] is 'x' again/],
    [
      { fields: { a: { type: 'ref', wire: { type: 'u8' } } } },
      /^fields\.a\.wire\.type stands beside a field whose values are no numbers; allowed: audience/,
    ],
    [
      { fields: { a: { type: 'u8', wire: { type: 'u8', audience: 'all' } } } },
      /^fields\.a\.wire\.audience is 'all'; allowed: view, team, owner/,
    ],
    [{ fields: { a: { type: 'u8', persistent: 'no' } } }, /^fields\.a\.persistent is 'no'; allowed: true, false/],
    [{ commands: [] }, /^commands is an empty list; allowed: an object of commands by name/],
    [{ commands: { A: { payload: {}, apply: 1 } } }, /^commands\.A\.apply is 1; allowed: a function/],
    [
      { commands: { A: { payload: {}, kind: 1, apply() {} } } },
      /^commands\.A\.kind is 1; allowed: a whole number from 256/,
    ],
    [{ commands: { A: { payload: {}, ratePerSecond: 0, apply() {} } } }, /^commands\.A\.ratePerSecond is 0; allowed/],
    [{ commands: { A: { payload: { seq: { type: 'u8' } }, apply() {} } } }, /payload\.seq has the name of a key/],
    [{ commands: { A: { payload: { a: { type: 'u8', min: 5, max: 2 } }, apply() {} } } }, /has min 5 above max 2/],
    [
      { commands: { A: { payload: { a: { type: 'u16', oneOf: ['x'] } }, apply() {} } } },
      /oneOf stands beside type 'u16'/,
    ],
    [
      {
        commands: {
          A: { payload: {}, kind: 300, apply() {} },
          B: { payload: {}, kind: 300, apply() {} },
        },
      },
      /^commands\.B\.kind is 300, as that of A; allowed: each number once/,
    ],
    [
      {
        commands: {
          A: {
            payload: Object.fromEntries(Array.from({ length: 13 }, (_, i) => [`v${i}`, { type: 'f32' }])),
            apply() {},
          },
        },
      },
      /^commands\.A\.payload has 52 bytes; allowed: at most 48/,
    ],
    [{ grants: [{ name: 'gold', min: 2, max: 1, apply: () => 0 }] }, /^grants\[0\] takes 2 to 1; allowed: within/],
    [{ grants: [{ name: 'gold', min: 0, max: 1e13, apply: () => 0 }] }, /^grants\[0\] takes 0 to/],
    [{ eventForms: { runs: {} } }, /^eventForms\.runs is the form of no event; allowed: ran/],
    [{ eventForms: { ran: { topic: 'fun' } } }, /^eventForms\.ran\.topic is 'fun'; allowed: player, combat/],
    [{ systems: [{ run() {} }] }, /^systems\[0\]\.name is missing/],
    [{ systems: [{ name: 'a' }] }, /^systems\[0\]\.run is missing/],
    [{ populate: 3 }, /^populate is 3; allowed: a function/],
    [{ spawnplayer: () => 0 }, /^the game has 'spawnplayer', which means nothing \(did you mean spawnPlayer\?\)/],
  ];
  for (const [change, pattern] of cases) {
    const mistakes = mistakesOf(change);
    assert.ok(
      mistakes.some((line) => pattern.test(line)),
      `${pattern}\n${mistakes.join('\n')}`,
    );
  }
  assert.match(findMistakes(7)[0], /^a game is 7; allowed: an object/);
});

/** So many of something by name. */
function many<T>(count: number, value: T): Record<string, T> {
  return Object.fromEntries(Array.from({ length: count }, (_, i) => [`n${i}`, value]));
}

function command(change: Record<string, unknown>): Record<string, unknown> {
  return { commands: { A: { payload: {}, apply() {}, ...change } } };
}

function payload(value: Record<string, unknown>): Record<string, unknown> {
  return command({ payload: { a: value } });
}

function grant(change: Record<string, unknown>): Record<string, unknown> {
  return { grants: [{ name: 'gold', min: 0, max: 1, apply() {}, ...change }] };
}

test('each limit is allowed, and what lies beyond it is one mistake', () => {
  const apply = (): void => {};
  const cases: [string, Record<string, unknown>, Record<string, unknown>][] = [
    ['kinds', { kinds: Object.keys(many(WIRE_KINDS_MAX, 0)) }, { kinds: Object.keys(many(WIRE_KINDS_MAX + 1, 0)) }],
    [
      'events',
      { eventForms: {}, events: Object.keys(many(EVENT_TYPES_MAX, 0)) },
      { eventForms: {}, events: Object.keys(many(EVENT_TYPES_MAX + 1, 0)) },
    ],
    [
      'fields',
      { fields: { ...many(REPLICATED_FIELDS_MAX, { type: 'u8', wire: { type: 'u8' } }), plain: { type: 'u8' } } },
      { fields: many(REPLICATED_FIELDS_MAX + 1, { type: 'u8', wire: { type: 'u8' } }) },
    ],
    [
      'commands',
      { commands: many(WIRE_COMMANDS_MAX, { payload: {}, apply }) },
      { commands: many(WIRE_COMMANDS_MAX + 1, { payload: {}, apply }) },
    ],
    ['kind', command({ kind: COMMAND_KIND_MIN }), command({ kind: COMMAND_KIND_MIN - 1 })],
    ['kind', command({ kind: COMMAND_KIND_MAX }), command({ kind: COMMAND_KIND_MAX + 1 })],
    ['kind', command({ kind: 300 }), command({ kind: 300.5 })],
    ['rate', command({ ratePerSecond: COMMAND_RATE_MIN }), command({ ratePerSecond: COMMAND_RATE_MIN / 2 })],
    ['rate', command({ ratePerSecond: COMMAND_RATE_MAX }), command({ ratePerSecond: COMMAND_RATE_MAX + 1 })],
    ['rate', command({ ratePerSecond: 5 }), command({ ratePerSecond: '5' })],
    ['rate', command({}), command({ ratePerSecond: Number.NaN })],
    ['bytes', command({ payload: many(12, { type: 'f32' }) }), command({ payload: many(13, { type: 'f32' }) })],
    ['type', payload({ type: 'u8', max: 5 }), payload({ type: 'u64', max: 5 })],
    ['least', payload({ type: 'i8', min: -128 }), payload({ type: 'i8', min: -129 })],
    ['most', payload({ type: 'i8', max: 127 }), payload({ type: 'i8', max: 128 })],
    ['bound', payload({ type: 'i8', max: 5 }), payload({ type: 'i8', max: '5' })],
    ['range', payload({ type: 'i8', min: 5, max: 5 }), payload({ type: 'i8', min: 5, max: 4 })],
    ['range', payload({ type: 'i8', min: 5 }), payload({ type: 'i8', min: '9', max: 4 })],
    ['names', payload({ type: 'u8', oneOf: Object.keys(many(256, 0)) }), payload({ type: 'u8', oneOf: [] })],
    ['names', payload({ type: 'u8', oneOf: ['one'] }), payload({ type: 'u8', oneOf: Object.keys(many(257, 0)) })],
    ['grant', grant({ min: 3, max: 3 }), grant({ min: 4, max: 3 })],
    ['grant', grant({ max: GRANT_AMOUNT_MAX }), grant({ max: GRANT_AMOUNT_MAX + 1 })],
    ['grant', grant({ min: -GRANT_AMOUNT_MAX }), grant({ min: -GRANT_AMOUNT_MAX - 1 })],
    ['grant', grant({}), grant({ max: '1' })],
    ['grant', grant({}), grant({ min: undefined })],
    ['grant', grant({}), grant({ apply: 1 })],
    ['scale', { eventForms: { ran: { scale: 2 } } }, { eventForms: { ran: { scale: 0 } } }],
    ['scale', { eventForms: { ran: {} } }, { eventForms: { ran: { scale: '2' } } }],
    ['name', { name: 'n'.repeat(WIRE_NAME_BYTES_MAX) }, { name: 'n'.repeat(WIRE_NAME_BYTES_MAX + 1) }],
    ['name', { name: 'a' }, { name: 1 }],
    ['version', { version: 0 }, { version: -1 }],
  ];
  for (const [what, sound, wrong] of cases) {
    assert.deepEqual(mistakesOf(sound), [], `${what}: ${JSON.stringify(sound).slice(0, 99)}`);
    assert.equal(mistakesOf(wrong).length, 1, `${what}: ${mistakesOf(wrong).join('\n')}`);
  }
});

test('a name that was probably meant is one edit away, in its case, a letter more, less or other', () => {
  const hintOf = (name: string) => /did you mean (\w+)\?/.exec(mistakesOf({ persistentKinds: [name] })[0])?.[1];
  for (const near of ['Runner', 'RUNNER', 'unner', 'runne', 'ruunner', 'runners', 'rummer'.replace('m', 'n')]) {
    assert.equal(hintOf(near), 'runner', near);
  }
  for (const far of ['runnersx', 'nner', 'walker', 'rummer', '']) assert.equal(hintOf(far), undefined, far);
});

test('defineGame refuses a game with mistakes, and marks what it has compiled', () => {
  const wrong = { ...SOUND, version: -1, kinds: 'runner' } as never;
  assert.throws(
    () => defineGame(wrong),
    (error: GameMistakes) => error.mistakes.length === 2,
  );
  const game = compileGame(SOUND as never);
  assert.ok(isCompiled(game) && isCompiled({ ...game, name: 'other' }) && !isCompiled(SOUND));
});

test('the names that the engine has taken are those of its columns', () => {
  assert.deepEqual([...ENGINE_FIELD_NAMES].sort(), ENGINE_COLUMNS.map(({ name }) => name as string).sort());
});
