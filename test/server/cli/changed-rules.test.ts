// A server that is killed, and its game changed before the next start: the world goes on from what was stored of it, and never
// from ticks that came out otherwise than clients saw them.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { decodeSession, encodeSession, SESSION_FILE } from '../../../src/durability/journal/journal-file.js';
import { listSessions, readSegment } from '../../../src/durability/journal/journal-reader.js';
import { coldId } from '../../../src/durability/snapshots/snapshotter.js';
import { decodeZone } from '../../../src/durability/snapshots/zone-snapshot.js';
import { openStores } from '../../../src/stores/open-stores.js';
import { startServer } from '../../server.js';

const REPLAY = fileURLToPath(new URL('../../../src/server/cli/replay.js', import.meta.url));
const DEV = fileURLToPath(new URL('../../../src/server/cli/author/dev.js', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'tessera-rules-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const GAME = join(folder, 'growth.mjs');
const RULES = join(folder, 'rules.mjs');
const CHANGED = /goes on under changed rules: the code of growth 1 was [0-9a-f]{16} and is [0-9a-f]{16} now/;

writeFileSync(
  GAME,
  `import { GAIN } from './rules.mjs';
  export default {
    name: 'growth', version: 1, kinds: ['tree'],
    fields: { size: { type: 'f64' } },
    systems: [{ name: 'grow', run(zone) {
      for (let row = 0; row < zone.rowLimit; row++) zone.columns.size[row] += GAIN;
    } }],
    populate: (zone, bots, area) => zone.spawn(0, area.x + 1, area.y + 1),
    spawnPlayer: (zone, x, y) => zone.spawn(0, x, y),
  };`,
);

function setGain(gain: number): void {
  writeFileSync(RULES, `export const GAIN = ${gain};\n`);
}

function flags(data: string): string[] {
  const small = ['--zones', '2x1', '--world', '128x128', '--view-radius', '12', '--bots', '0'];
  return [
    '--game',
    GAME,
    '--data',
    join(folder, data),
    '--hot-snapshot-ms',
    '1000',
    '--hash-every-ticks',
    '10',
    ...small,
  ];
}

/** Kills a server that has a hot snapshot of each zone and played on for a while. */
async function play(data: string): Promise<string> {
  const server = await startServer(flags(data));
  await server.untilCounter('tessera_io_hot_snapshots_total', 2);
  await sleep(500);
  const { game } = await server.health();
  await server.kill();
  return game.code;
}

/** Size and tick of the tree of each zone, in the state that the newest session began with. */
function trees(data: string): { size: number; tick: number }[] {
  const [session] = listSessions(join(folder, data, 'journal'));
  const { bases } = readSegment(session, session.segments[0]);
  return bases.map((bytes) => {
    const { header, columns } = decodeZone(bytes);
    return { size: columns.get('size')?.[0] as number, tick: header.tick };
  });
}

/** As the stop stored them. */
async function lastSizes(data: string): Promise<number[]> {
  const stores = openStores({ folder: join(folder, data, 'stores'), kafka: '', redis: '', mongodb: '' });
  const found = await Promise.all([0, 1].map((zone) => stores.cold.latest(coldId(zone))));
  await stores.close();
  return found.map(({ snapshot }) => decodeZone(snapshot?.bytes as Uint8Array).columns.get('size')?.[0] as number);
}

test('a constant that changed after a kill changes no tick that clients saw, and the start says so', async () => {
  setGain(1);
  const before = await play('killed');
  cpSync(join(folder, 'killed'), join(folder, 'older'), { recursive: true });
  setGain(1000);
  const server = await startServer(flags('killed'));
  const { recovery, game } = await server.health();
  const log = server.log();
  await server.kill();
  assert.notEqual(game.code, before);
  const rules = { version: 1, code: game.code, versionBefore: 1, codeBefore: before, isChanged: true };
  assert.deepEqual(recovery.rules, rules);
  assert.deepEqual([recovery.source, recovery.journalTick], ['hot', null]);
  assert.equal(log.match(new RegExp(CHANGED, 'g'))?.length, 1);
  assert.ok(log.includes(`was ${before} and is ${game.code} now`));
  assert.match(
    recovery.skipped.join('\n'),
    /has \d+ ticks more, played under the code [0-9a-f]{16}: they are passed over/,
  );
  for (const { size, tick } of trees('killed')) assert.ok(size <= tick && size > 0, `${size} at tick ${tick}`);
});

test('under the same code the journal is replayed; one without a code too, and that is said', async () => {
  setGain(1);
  await play('same');
  const server = await startServer(flags('same'));
  const { recovery } = await server.health();
  await server.kill();
  assert.deepEqual([recovery.rules?.isChanged, recovery.skipped], [false, []]);
  assert.ok(recovery.journalTick !== null && recovery.journalTick > recovery.snapshotTick);

  const [session] = listSessions(join(folder, 'older', 'journal'));
  const path = join(session.folder, SESSION_FILE);
  const { code, ...older } = decodeSession(readFileSync(path, 'utf8')) as { code: string };
  assert.match(code, /^[0-9a-f]{16}$/);
  writeFileSync(path, encodeSession(older));
  setGain(1000);
  const second = await startServer(flags('older'));
  const { recovery: found } = await second.health();
  await second.kill();
  // Its hashes show what its session did not say: under these rules it comes out otherwise.
  assert.equal(found.journalTick, null);
  assert.match(
    found.skipped.join('\n'),
    /run again: zone \d differs from what it was at tick \d+, in size; its ticks are passed over/,
  );
  for (const { size, tick } of trees('older')) assert.ok(size <= tick && size > 0, `${size} at tick ${tick}`);
});

test('after a stop nothing is lost to changed rules, and one line is all that is said', async () => {
  setGain(1);
  const first = await startServer(flags('stopped'));
  await first.untilCounter('tessera_io_hot_snapshots_total', 2);
  const { code } = (await first.health()).game;
  await first.stop();
  const last = await lastSizes('stopped');
  setGain(2);
  const second = await startServer(flags('stopped'));
  const { recovery } = await second.health();
  await second.kill();
  assert.deepEqual([recovery.rules?.codeBefore, recovery.skipped], [code, []]);
  const warnings = second
    .log()
    .split('\n')
    .filter((line) => /"level":40.*recovery/.test(line));
  assert.equal(warnings.length, 1, warnings.join('\n'));
  assert.match(warnings[0], CHANGED);
  assert.deepEqual(
    trees('stopped').map(({ size }) => size),
    last,
  );
});

test('files that change under a running server are told of when a tick thread is to load them', async () => {
  setGain(1);
  const server = await startServer(flags('running'));
  const { code } = (await server.health()).game;
  setGain(7);
  process.kill(server.pid, 'SIGUSR2'); // the spare takes its place, and the next spare loads what is there now
  const changed = new RegExp(`have changed since the start, from code ${code} to [0-9a-f]{16}: a tick thread`, 'g');
  await server.until('it is said', () => changed.test(server.log()));
  process.kill(server.pid, 'SIGUSR2');
  await server.untilCounter('tessera_thread_restarts_total', 2);
  assert.equal(server.log().match(changed)?.length, 1, 'once');
  await server.stop();
});

function run(program: string, args: readonly string[]): Promise<{ code: number | null; out: string }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [program, ...args]);
    let out = '';
    child.stdout.on('data', (bytes) => (out += bytes));
    child.once('close', (code) => resolve({ code, out }));
  });
}

test('a recording of other rules is replayed all the same, and what it was recorded under is told', async () => {
  setGain(1);
  const before = await play('recorded');
  setGain(3);
  const { code, out } = await run(REPLAY, ['latest', '--data', join(folder, 'recorded')]);
  assert.equal(code, 1);
  assert.match(out, new RegExp(`^it was recorded under the code ${before}, and the code is [0-9a-f]{16} now\n`));
  assert.match(out, /zone 0 differs at tick \d+, in size/);
});

test('dev goes on with the world after a save, in one line', async () => {
  setGain(1);
  const child = spawn(process.execPath, [DEV, ...flags('dev'), '--port', '0', '--log', 'json']);
  let out = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes) => (out += bytes));
  const until = async (what: RegExp): Promise<void> => {
    const deadline = performance.now() + 20000;
    while (!what.test(out)) {
      assert.ok(performance.now() < deadline, `${what} in:\n${out}`);
      await sleep(20);
    }
  };
  try {
    await until(/listening on/);
    await sleep(300);
    setGain(2);
    await until(/listening on[\s\S]*listening on/);
    assert.match(out, CHANGED);
    assert.equal(out.match(/"level":40.*recovery/g)?.length, 1, out);
  } finally {
    const closed = new Promise((resolve) => child.once('close', resolve));
    child.kill('SIGTERM');
    await closed;
  }
});
