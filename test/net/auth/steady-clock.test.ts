import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SteadyClock } from '../../../src/net/auth/steady-clock.js';
import { CLOCK_JUMP_MS, CLOCK_WARNING_INTERVAL_MS } from '../../../src/net/limits.js';

const START = 1800000000000;

function createClock() {
  const time = { wall: START, monotonic: 500 };
  const lines: string[] = [];
  const log = { warn: (_: object, line: string) => void lines.push(line) };
  const clock = new SteadyClock(
    log,
    () => time.wall,
    () => time.monotonic,
  );
  const pass = (ms: number) => {
    time.wall += ms;
    time.monotonic += ms;
  };
  return { clock, time, lines, pass };
}

test('the time of a server goes on from its start when the clock of the machine is set', () => {
  const { clock, time, pass } = createClock();
  assert.equal(clock.now(), START);
  pass(1000);
  assert.equal(clock.now(), START + 1000);
  time.wall -= 120000;
  assert.equal(clock.now(), START + 1000);
  time.wall += 900000;
  assert.equal(clock.now(), START + 1000);
});

test('a jump is said once, with its way and how far it went; a slow correction is not', () => {
  const { clock, time, lines, pass } = createClock();
  time.wall += CLOCK_JUMP_MS - 1;
  clock.check();
  assert.deepEqual(lines, []);
  time.wall -= 120000;
  for (let round = 0; round < 3; round++) clock.check();
  assert.equal(lines.length, 1);
  assert.match(lines[0], /set back by 115 s/);
  time.wall += 60000;
  clock.check();
  assert.equal(lines.length, 1, 'not again so soon');
  pass(CLOCK_WARNING_INTERVAL_MS);
  clock.check();
  assert.match(lines[1], /set ahead by 60 s/);
});
