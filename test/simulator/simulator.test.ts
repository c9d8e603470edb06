import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Chance } from './chance.js';
import { describeFailure } from './report.js';
import { Schedule } from './schedule.js';
import { type SimulationOptions, simulate } from './simulation.js';

const RUN = fileURLToPath(new URL('./run.js', import.meta.url));
const TICKS = 150;
/** Enough for every part to be hurt a few times; thousands are for npm run simulate. */
const SEEDS = Array.from({ length: 16 }, (_, n) => n + 1);

async function check(options: SimulationOptions): Promise<ReadonlyMap<string, number>> {
  const result = await simulate(options);
  assert.equal(result.violation, undefined, describeFailure(result, options));
  return result.counts;
}

test(`worlds hold through random faults, seeds ${SEEDS[0]} to ${SEEDS.at(-1)}`, async (t) => {
  const happened = new Map<string, number>();
  for (const seed of SEEDS) {
    for (const [name, count] of await check({ seed, ticks: TICKS })) {
      happened.set(name, (happened.get(name) ?? 0) + count);
    }
  }
  t.diagnostic([...happened].map(([name, count]) => `${name} ${count}`).join(', '));
  // The runs are worth something only if much happened in them.
  const kinds = [...happened.keys()].filter((name) => !name.startsWith('('));
  assert.ok(kinds.length >= 20, `faults that happened: ${kinds.join(', ')}`);
  for (const name of ['(entitiesArrived)', '(commands applied)', '(events in the log)']) {
    assert.ok((happened.get(name) ?? 0) > 100, name);
  }
});

test('a world without faults loses nothing, seeds 101 to 104', async () => {
  for (const seed of [101, 102, 103, 104]) {
    const counts = await check({ seed, ticks: TICKS, faults: [] });
    assert.equal(counts.get('(events twice in the log)'), undefined, `seed ${seed}`);
  }
});

test('a thread that hangs harms nobody, unless its successor starts before it has ended, seeds 201 to 206', async () => {
  const faults = ['thread-hangs', 'tick-interrupted'] as const;
  const found: string[] = [];
  for (const seed of [201, 202, 203, 204, 205, 206]) {
    await check({ seed, ticks: TICKS, faults });
    const { violation } = await simulate({ seed, ticks: TICKS, faults, isImpatient: true });
    if (violation !== undefined) found.push(violation.invariant);
  }
  assert.ok(found.length > 0, 'the simulator sees what a thread does after it was replaced');
});

test('a seed gives the same run again, and another seed another one', async () => {
  const [first, again, other] = await Promise.all([7, 7, 8].map((seed) => simulate({ seed, ticks: 100 })));
  assert.equal(first.digest, again.digest);
  assert.deepEqual([...first.counts], [...again.counts]);
  assert.notEqual(first.digest, other.digest);
});

test('a failure says what broke, and how to see it again', () => {
  const violation = { invariant: 'nobody is lost', message: 'nobody is lost: entity 5.1', tick: 77 };
  const result = { seed: 12, violation, digest: '', last: ['the end'], counts: new Map(), enabled: [] };
  const text = describeFailure(result, { seed: 12, ticks: 50, faults: ['thread-dies'] });
  assert.match(text, /the end/);
  assert.match(text, /seed 12 failed at tick 77: nobody is lost: entity 5\.1/);
  assert.match(text, /npm run simulate -- --seed 12 --ticks 50 --faults thread-dies --trace/);
});

test('virtual time runs tasks by their moment, and none of an owner that has ended', async () => {
  const schedule = new Schedule(1000, new Chance(1));
  const { Owner } = await import('./schedule.js');
  const owner = new Owner();
  const part = new Owner(owner);
  const seen: string[] = [];
  schedule.after(20, schedule.world, () => seen.push(`late at ${schedule.nowMs}`));
  schedule.after(5, schedule.world, () => seen.push(`early at ${schedule.nowMs}`));
  schedule.after(10, part, () => seen.push('never'));
  schedule.after(7, schedule.world, () => owner.end());
  schedule.wait(12, schedule.world).then(() => seen.push(`waited until ${schedule.nowMs}`));
  await schedule.runUntil(1050);
  assert.deepEqual(seen, ['early at 1005', 'waited until 1012', 'late at 1020']);
  assert.equal(schedule.nowMs, 1050);
});

test('what is no seed, no number and no fault is named in one line', () => {
  for (const [args, line] of [
    [['--seeds', 'many'], /^simulate: --seeds is 'many'; allowed: a whole number/],
    [['--faults', 'rain'], /^simulate: --faults 'rain' is no fault; allowed: thread-dies/],
    [['--sed', '1'], /^simulate: .*--sed/],
  ] as const) {
    const { status, stderr } = spawnSync(process.execPath, [RUN, ...args], { encoding: 'utf8' });
    assert.equal(status, 1);
    assert.match(stderr, line);
  }
});
