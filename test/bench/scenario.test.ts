// Benches of whole servers, without their figures: what they ask for, what they refuse, and that they run.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { pack } from 'msgpackr';
import { Found } from '../../bench/durability/events/spool.js';
import { parseValues } from '../../bench/scenario.js';
import { SCENARIOS } from '../../bench/scenarios.js';

const RUN = fileURLToPath(new URL('../../bench/run.js', import.meta.url));

function runBench(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const { TESSERA_KAFKA, TESSERA_REDIS, TESSERA_MONGODB, ...rest } = process.env;
  return spawnSync(process.execPath, [RUN, ...args], { encoding: 'utf8', timeout: 90_000, env: { ...rest, ...env } });
}

test('--help names every scenario, and that of a scenario every option', async () => {
  const { stdout } = runBench(['--help']);
  for (const [name, load] of Object.entries(SCENARIOS)) {
    const scenario = await load();
    assert.equal(scenario.name, name);
    assert.match(stdout, new RegExp(`^  ${name} +${scenario.summary}$`, 'm'));
    const help = runBench([name, '--help']);
    assert.equal(help.status, 0);
    for (const option of scenario.options) assert.ok(help.stdout.includes(`--${option.name} `), option.name);
  }
});

test('what is wrong with the options or missing around them is told in one line each, with exit code 1', () => {
  for (const [args, messages] of [
    [['outage'], [/needs TESSERA_KAFKA/, /needs TESSERA_REDIS/, /needs TESSERA_MONGODB/]],
    [
      ['outage', '--seconds', '0', '--fast'],
      [/--seconds: "0" is not allowed; allowed: a whole/, /--fast: no such/],
    ],
    [['outage', '--fault', 'gone'], [/"gone" is not allowed; allowed: all, stopped, slow, half-open, flapping/]],
    [['event-path', '--events'], [/--events: value is missing/]],
    [['event-path', '--log', 'kafka'], [/--log kafka needs TESSERA_KAFKA/]],
    [['spool', '--log=kafka'], [/--log kafka needs TESSERA_KAFKA/]],
    [['spool', '--events', '1e6'], [/"1e6" is not allowed/]],
    [['--small', 'outage'], [/outage runs alone, and its name comes first/]],
  ] as const) {
    const { status, stderr, stdout } = runBench(args);
    assert.equal(status, 1, args.join(' '));
    const lines = stderr.trim().split('\n');
    assert.equal(lines.length, messages.length, stderr);
    for (const message of messages)
      assert.ok(
        lines.some((line) => message.test(line)),
        `${message}: ${stderr}`,
      );
    assert.equal(stdout, '');
  }
});

test('a broker that is not named as host:port is refused before anything starts', () => {
  const services = { TESSERA_REDIS: 'redis://127.0.0.1:1', TESSERA_MONGODB: 'mongodb://127.0.0.1:1/x' };
  const { status, stderr } = runBench(['outage'], { ...services, TESSERA_KAFKA: 'one:1,two:2' });
  assert.equal(status, 1);
  assert.match(stderr, /needs TESSERA_KAFKA.*it is one:1,two:2/);
});

test('values are taken in both spellings, and defaults stand for the others', async () => {
  const scenario = await SCENARIOS['event-path']();
  const { values, problems } = parseValues(scenario, ['--events=600', '--log', 'embedded']);
  assert.deepEqual(problems, []);
  assert.deepEqual([values.events, values.log, values.rounds], [600, 'embedded', 4]);
});

test('the spool bench loses nothing, says so, and leaves no folder behind', { timeout: 100000 }, () => {
  const folders = (): string[] => readdirSync(tmpdir()).filter((name) => name.startsWith('tessera-spool-'));
  const before = folders();
  const { status, stdout, stderr } = runBench(['spool', '--events', '260000']);
  assert.equal(status, 0, stderr);
  assert.match(stdout, /in the log: 260000 different events, 0 of them again, 0 out of order/);
  assert.match(stdout, /nothing of value was lost/);
  assert.deepEqual(
    folders().filter((name) => !before.includes(name)),
    [],
  );
});

test('the idle bench names the threads of the server and gives a verdict per promise', { timeout: 60000 }, () => {
  const { status, stdout, stderr } = runBench(['idle', '--seconds', '2', '--warm-up', '0']);
  if (process.platform !== 'linux') return assert.match(stderr, /idle: CPU and memory are read from \/proc/);
  assert.equal(status, 0, stderr);
  for (const name of ['main', 'tick-0', 'io', 'all']) assert.match(stdout, new RegExp(`^${name} +\\d`, 'm'));
  assert.match(stdout, /^memory \d+\.\d MiB/m);
  assert.equal(stdout.match(/: (not )?kept$/gm)?.length, 2, stdout);
});

test('the path of events runs against the embedded log and counts what it took', { timeout: 100000 }, () => {
  const args = [
    'event-path',
    '--log',
    'embedded',
    '--events',
    '6000',
    '--bots',
    '20',
    '--seconds',
    '1',
    '--rounds',
    '1',
  ];
  const { status, stdout, stderr } = runBench(args);
  assert.equal(status, 0, stderr);
  const row = stdout.split('\n').find((line) => line.startsWith('embedded'));
  assert.ok(row !== undefined, stdout);
  const [, emitted, acknowledged, ringFull, lost] = row.split(/\s+/).map(Number);
  assert.ok(emitted > 0 && acknowledged > 0, row);
  assert.deepEqual([ringFull, lost], [0, 0]);
});

test('the reader of the spool bench sees what is missing, there again, out of order or foreign', () => {
  const found = new Found(10000);
  const take = (n: number, key = `${n % 2000}.0`): void =>
    found.take(key, pack({ eventId: `0-1-${Math.floor(n / 333)}-${n % 333}`, payload: { n } }));
  take(1);
  take(4001);
  assert.deepEqual([found.count, found.unique, found.disordered], [2, 2, 0]);
  take(1);
  assert.deepEqual([found.count, found.unique, found.disordered], [3, 2, 0], 'again, after a failure');
  take(2001);
  assert.deepEqual([found.count, found.unique, found.disordered], [4, 3, 1]);
  assert.throws(() => take(7, '8.0'), /is no event of this run/);
  assert.throws(() => take(10000), /is no event of this run/);
});

test('the late bench follows round trips through every thread', { timeout: 60000 }, () => {
  const { status, stdout, stderr } = runBench(['late', '--clients', '10', '--seconds', '2', '--worst', '1']);
  const text = stdout + stderr;
  assert.equal(status, 0, text);
  const [, seen, followed] = /; (\d+) round trips, (\d+) followed/.exec(text) ?? [];
  assert.ok(Number(seen) > 10 && Number(followed) > Number(seen) / 2, text);
  assert.match(text, /^all +\d+\.\d( +-?\d+\.\d){6}$/m);
  assert.match(text, /^input \d+ /m);
});
