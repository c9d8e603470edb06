import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type BadGame, loadGame } from '../../../src/server/main/load-game.js';
import { CLI } from '../../server.js';

const HEAD = "name: 'made', version: 1, kinds: ['one'], fields: { speed: { type: 'f32' } },";

function write(t: TestContext, body: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'tessera-game-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'made.mjs');
  writeFileSync(path, body);
  return path;
}

async function linesOf(t: TestContext, body: string): Promise<readonly string[]> {
  try {
    await loadGame(write(t, body));
  } catch (error) {
    return (error as BadGame).lines;
  }
  return [];
}

test('a game that is plain data is compiled when it is loaded', async (t) => {
  const path = write(t, `export default { ${HEAD} spawnPlayer: (zone, x, y) => zone.spawn(0, x, y) };`);
  const { game } = await loadGame(path);
  assert.deepEqual([game.name, game.commands, game.systems], ['made', [], []]);
  assert.equal((await loadGame('arena')).game.name, 'arena');
});

test('what is wrong with a game is told in lines that name it', async (t) => {
  assert.match((await linesOf(t, 'export const a = 1;'))[0], /has no default export; allowed: a game/);
  assert.match((await linesOf(t, 'export default {'))[0], /cannot be loaded: /);
  assert.match((await linesOf(t, "throw new Error('on purpose');"))[0], /on purpose \(.*made\.mjs/);
  const many = await linesOf(t, "export default { name: 'a b', version: 'one', kinds: [] };");
  assert.equal(many.length, 4);
  for (const line of many) assert.match(line, /^--game '.*made\.mjs': .*; allowed: /);
});

test('a trial finds what a first player and a first tick would find', async (t) => {
  const spawn = 'spawnPlayer: (zone, x, y) => zone.spawn(0, x, y),';
  const cases: [string, RegExp][] = [
    [
      `${HEAD} spawnPlayer(zone, x, y) { zone.spawn(0, x, y); },`,
      /spawnPlayer .* it returned undefined; allowed: the row/,
    ],
    [`${HEAD} spawnPlayer: () => 7,`, /it returned 7; allowed/],
    [`${HEAD} spawnPlayer() { throw new Error('nobody'); },`, /spawnPlayer of the game made threw in zone 0.*nobody/],
    [`${HEAD} ${spawn} populate() { throw new Error('barren'); },`, /populate of the game made threw/],
    [
      `${HEAD} ${spawn} systems: [{ name: 'fall', run(zone) { zone.nothing.at(1); } }],`,
      /system 'fall' of the game made threw in zone 0, tick 1: TypeError[\s\S]*made\.mjs:1:/,
    ],
    [
      `${HEAD} ${spawn} onJoin(zone, row, who) { who.nothing.at(1); },`,
      /onJoin of the game made threw in zone 0, tick 1/,
    ],
    [`${HEAD} ${spawn} onLeave: (zone, row, why) => why.at(-1).at(1).x.y,`, /onLeave of the game made threw in zone 0/],
    [
      `${HEAD} ${spawn} systems: [{ name: 'drift', run(zone) { zone.columns.speed[0] = 0 / 0; } }],`,
      /in tick 1 of a trial, speed of row 0 \(one\) is NaN/,
    ],
  ];
  for (const [body, pattern] of cases) {
    const lines = await linesOf(t, `export default { ${body} };`);
    assert.match(lines.join('\n'), pattern);
  }
});

test('the command prints every line and starts nothing', (t) => {
  const path = write(t, "export default { name: 'a b', version: 'one', kinds: [], spawnPlayer: () => -1 };");
  const data = join(path, '..', 'data');
  const { status, stderr } = spawnSync(process.execPath, [CLI, '--game', path, '--port', '0', '--data', data], {
    encoding: 'utf8',
    timeout: 30000,
  });
  assert.equal(status, 1);
  assert.equal(stderr.trim().split('\n').length, 3, stderr);
  for (const line of stderr.trim().split('\n')) assert.match(line, /^tessera: --game '.*made\.mjs': /);
});
