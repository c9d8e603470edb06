import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { findLogFaults, type LoggedEvent } from './drill-log.js';
import { compareSight, type FoundWorld } from './drill-world.js';
import { DRILL_DEFAULTS, formatDrill, KillDrill } from './kill-drill.js';

const SEED = Number(process.env.TESSERA_SEED ?? Date.now() % 100000);
const DRILL = fileURLToPath(new URL('./kill-drill.js', import.meta.url));

test('a handful of kills: the world goes on as it was, and the log keeps what it acknowledged', {
  timeout: 150000,
}, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tessera-drill-'));
  // How much is lost on a machine that does other things meanwhile is for npm run drill to say.
  const options = { ...DRILL_DEFAULTS, kills: 5, clients: 8, bots: 100, playMs: 1500, seed: SEED, slackMs: 5000 };
  const result = await new KillDrill(folder, options).run();
  const context = `seed ${SEED}\n${formatDrill(result)}`;
  assert.deepEqual(result.faults, [], context);
  const { starting, justReady, playing } = result.kills;
  assert.equal(starting + justReady + playing, 5, context);
  assert.ok(result.readyMs.length >= playing + 1, context);
  assert.deepEqual(result.skipped, {}, context);
  rmSync(folder, { recursive: true, force: true });
});

function event(eventId: string, place: number, more: Partial<LoggedEvent> = {}): LoggedEvent {
  const [, epoch, tick] = eventId.split('-').map(Number);
  return { eventId, place: `t/0/${place}`, orderedBy: 't/k', epoch, tick, hash: eventId, ...more };
}

test('the drill sees events that are gone, changed, out of order, or fewer than were acknowledged', () => {
  const before = [event('0-7-10-0', 0), event('0-7-12-0', 1)];
  const now = [...before, event('0-7-10-0', 2), event('0-7-13-0', 3), event('0-8-9-0', 4)];
  assert.deepEqual(findLogFaults(before, now, 3), []);
  assert.match(findLogFaults(before, now, 4)[0], /4 events were acknowledged, and the log holds 3/);
  assert.match(findLogFaults(before, now.slice(1), 0)[0], /0-7-10-0 at t\/0\/0 is gone/);
  assert.match(findLogFaults(before, [event('0-7-10-0', 0, { hash: 'x' }), before[1]], 0)[0], /another one/);
  assert.match(findLogFaults([], [before[0], event('0-7-10-0', 5, { hash: 'x' })], 0)[0], /two different contents/);
  assert.match(findLogFaults([], [before[1], before[0]], 0)[0], /0-7-10-0 stands behind 0-7-12-0/);
  assert.deepEqual(findLogFaults([], [before[1], event('0-7-10-0', 2, { orderedBy: 't/other' })], 0), []);
});

test('the drill sees an entity that is missing or elsewhere', () => {
  const world: FoundWorld = {
    epoch: 1,
    zones: 4,
    tick: 5,
    entities: new Map([[3, { x: 10, y: 20, isOwned: true }]]),
    faults: [],
  };
  assert.deepEqual(compareSight(world, 'me', { entityId: 3, x: 10.01, y: 20 }, 1 / 32), []);
  assert.match(compareSight(world, 'me', { entityId: 3, x: 10.1, y: 20 }, 1 / 32)[0], /is at 10, 20/);
  assert.match(compareSight(world, 'me', { entityId: 4, x: 10, y: 20 }, 1 / 32)[0], /it is not there/);
});

test('wrong options are named, and nothing is started', async () => {
  for (const [args, expected] of [
    [['--kills', '0'], /drill: --kills is 0; allowed: a whole number from 1 to 100000/],
    [['--clients', 'many'], /--clients is many/],
    [['--kill', '5'], /Unknown option '--kill'/],
    [['5'], /Unexpected argument '5'/],
  ] as const) {
    const { code, text } = await run(args);
    assert.equal(code, 2);
    assert.match(text, expected);
  }
  assert.match((await run(['--help'])).text, /npm run drill -- \[options\]/);
});

test('Ctrl-C ends a drill with what was seen so far, and leaves no server behind', { timeout: 60000 }, async () => {
  const child = spawn(process.execPath, [DRILL, '--kills', '1000', '--clients', '2', '--seed', '3']);
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      if (/^drill 1\/1000/m.test(text)) child.kill('SIGINT');
    });
  }
  const code = await new Promise((resolve) => child.once('close', resolve));
  assert.equal(code, 130, text);
  assert.match(text, /seed 3, data in/);
  assert.match(text, /stopping; what was seen so far follows[\s\S]*violations {5}0/);
});

function run(args: readonly string[]): Promise<{ code: number; text: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [DRILL, ...args], (error, stdout, stderr) =>
      resolve({ code: Number(error?.code ?? 0), text: stdout + stderr }),
    );
  });
}
