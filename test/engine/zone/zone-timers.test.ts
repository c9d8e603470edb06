import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GameFault } from '../../../src/engine/zone/game-fault.js';
import { defineGame } from '../../../src/game/define-game.js';
import { TIMER_SECONDS_MAX } from '../../../src/game/limits.js';
import { HeadlessZone } from '../../../src/testing/headless-zone.js';

type Act = (zone: HeadlessZone<never>['zone'], row: number) => void;

/** What fired, as `tick name row`; `acts` are what the timers do beside. */
function createStage(acts: { first?: Act; second?: Act } = {}, rows = 256) {
  const fired: string[] = [];
  const note = (name: 'first' | 'second') => ({
    fire(zone: never, row: number) {
      fired.push(`${(zone as { tick: number }).tick} ${name} ${row}`);
      acts[name]?.(zone, row);
    },
  });
  const game = defineGame({
    name: 'timed',
    version: 1,
    kinds: ['one'],
    timers: { first: note('first'), second: note('second') },
    spawnPlayer: (zone, x, y) => zone.spawn(0, x, y),
  });
  const stage = new HeadlessZone(game, { tickHz: 10, rows });
  return { stage, zone: stage.zone, fired };
}

test('a timer fires once, after its seconds, and is set no longer', () => {
  const { stage, zone, fired } = createStage();
  const row = zone.spawn(0, 1, 1);
  assert.equal(zone.timeLeft(row, 'first'), -1);
  zone.after(row, 'first', 0.5);
  assert.equal(zone.timeLeft(row, 'first'), 0.5);
  stage.run(4);
  assert.deepEqual([fired, zone.timeLeft(row, 'first')], [[], 0.1]);
  stage.run(20);
  assert.deepEqual([fired, zone.timeLeft(row, 'first')], [['5 first 0'], -1]);
});

test('setting a timer again replaces it, later or sooner; one of no time fires with the next tick', () => {
  const { stage, zone, fired } = createStage();
  const row = zone.spawn(0, 1, 1);
  zone.after(row, 'first', 0.3);
  zone.after(row, 'first', 0.6);
  stage.run(5);
  assert.deepEqual(fired, []);
  stage.run(1);
  assert.deepEqual(fired, ['6 first 0']);
  zone.after(row, 'first', 9);
  zone.after(row, 'first', 0);
  stage.run(1);
  assert.equal(fired[1], '7 first 0');
});

test('a cancelled timer does not fire, and cancelling says whether there was one', () => {
  const { stage, zone, fired } = createStage();
  const row = zone.spawn(0, 1, 1);
  zone.after(row, 'first', 0.3);
  assert.deepEqual([zone.cancel(row, 'first'), zone.cancel(row, 'first')], [true, false]);
  stage.run(9);
  assert.deepEqual(fired, []);
});

test('timers of one tick fire by row, and those of a row in the order of the game', () => {
  const { stage, zone, fired } = createStage();
  const rows = Array.from({ length: 200 }, () => zone.spawn(0, 1, 1));
  for (const row of [150, 3, 70, 199]) zone.after(rows[row], 'second', 0.2);
  for (const row of [199, 70]) zone.after(rows[row], 'first', 0.2);
  stage.run(3);
  const expected = ['second 3', 'first 70', 'second 70', 'second 150', 'first 199', 'second 199'];
  assert.deepEqual(
    fired,
    expected.map((line) => `2 ${line}`),
  );
});

test('timers are gone with their entity, and the next one in its row has none', () => {
  const { stage, zone, fired } = createStage({ first: (z, row) => z.despawn(row) });
  const [a, b] = [zone.spawn(0, 1, 1), zone.spawn(0, 1, 1)];
  zone.after(a, 'first', 0.2);
  zone.after(a, 'second', 0.2); // never: it dies by the first
  zone.after(b, 'second', 0.3);
  zone.despawn(b);
  assert.equal(zone.timeLeft(b, 'second'), -1);
  assert.equal(zone.spawn(0, 1, 1), b);
  stage.run(9);
  assert.deepEqual(fired, ['2 first 0']);
});

test('a timer may set itself and others, which fire from the next tick on, and cancel one that is due', () => {
  const { stage, zone, fired } = createStage({
    first(z, row) {
      if (row === 70) z.cancel(71, 'second');
      else z.after(row, 'first', 0);
      if (row === 0 && z.tick === 1) z.after(1, 'second', 0);
    },
  });
  for (let i = 0; i < 80; i++) zone.spawn(0, 1, 1);
  for (const row of [0, 70]) zone.after(row, 'first', 0.1);
  zone.after(71, 'second', 0.1);
  stage.run(3);
  assert.deepEqual(fired, ['1 first 0', '1 first 70', '2 first 0', '2 second 1', '3 first 0']);
});

test('what a timer cannot be set to is an error that names it', () => {
  const { zone } = createStage();
  const row = zone.spawn(0, 1, 1);
  for (const seconds of [-1, Number.NaN, TIMER_SECONDS_MAX + 1]) {
    assert.throws(() => zone.after(row, 'first', seconds), /the timer 'first' is set to between 0 and 2678400 seconds/);
  }
  zone.after(row, 'first', TIMER_SECONDS_MAX);
  assert.throws(() => zone.after(row, 'third', 1), /the game has timers first, second, and not: third/);
  assert.throws(() => zone.after(5, 'first', 1), /of a living row of this zone: 5/);
  assert.throws(() => zone.cancel(256, 'first'), /of a living row of this zone: 256/);
  for (const stranger of [5, -1, 256]) assert.equal(zone.timeLeft(stranger, 'first'), -1);
});

test('what a timer or a schedule throws names it', () => {
  const throws = (): void => {
    throw new Error('no');
  };
  const spawnPlayer = () => -1;
  const game = defineGame({
    name: 'faulty',
    version: 1,
    kinds: ['one'],
    timers: { bad: { fire: throws } },
    schedules: { worse: { every: 0.2, run: throws } },
    spawnPlayer,
  });
  const stage = new HeadlessZone(game, { tickHz: 10 });
  stage.zone.after(stage.zone.spawn(0, 1, 1), 'bad', 0);
  assert.throws(
    () => stage.step(),
    (error) => error instanceof GameFault && /^timer 'bad' of the game/.test(error.message),
  );
  assert.throws(() => stage.step(), /^GameFault: schedule 'worse' of the game faulty threw in zone 0, tick 2/);
});

test('a schedule runs every so many seconds, after timers and before systems', () => {
  const said: string[] = [];
  const game = defineGame({
    name: 'scheduled',
    version: 1,
    kinds: ['one'],
    timers: { once: { fire: (zone) => void said.push(`timer ${zone.tick}`) } },
    schedules: {
      wave: { every: 0.3, run: (zone) => void said.push(`wave ${zone.tick}`) },
      always: { every: 0.01, run: (zone) => void (zone.tick > 6 && said.push(`always ${zone.tick}`)) },
    },
    systems: [{ name: 's', run: (zone) => void (zone.tick === 3 && said.push('system 3')) }],
    spawnPlayer: (zone, x, y) => zone.spawn(0, x, y),
  });
  const stage = new HeadlessZone(game, { tickHz: 10 });
  stage.zone.after(stage.zone.spawn(0, 1, 1), 'once', 0.3);
  stage.run(7);
  assert.deepEqual(said, ['timer 3', 'wave 3', 'system 3', 'wave 6', 'always 7']);
  stage.zone.tick = 14; // skipped: 9 and 12
  stage.step();
  stage.step();
  assert.deepEqual(said.slice(5), ['wave 15', 'always 15', 'always 16']);
});

test('a game without timers has no columns of them, and is told so when it asks for one', () => {
  const game = defineGame({ name: 'plain', version: 1, kinds: ['one'], spawnPlayer: () => -1 });
  const { zone } = new HeadlessZone(game);
  assert.equal(zone.timers, undefined);
  assert.throws(() => zone.after(zone.spawn(0, 1, 1), 'x', 1), /zone.after, cancel and timeLeft are there in a game/);
});
