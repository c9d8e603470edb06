import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RejectCode } from '../../../schemas/generated/tessera/wire/reject-code.js';
import { createRandom } from '../../../src/base/chance.js';
import { HeadlessZone } from '../../../src/testing/headless-zone.js';
import game, { COIN_COUNT, KIND_COIN, KIND_RUNNER } from './game.js';

function playAtRandom(coins: HeadlessZone<typeof game.fields>, seed: number, ticks: number): number {
  const random = createRandom(seed);
  const rows = Array.from({ length: 20 }, () => game.spawnPlayer(coins.zone, random() * 64, random() * 64));
  let picked = 0;
  for (let tick = 0; tick < ticks; tick++) {
    const row = rows[Math.floor(random() * rows.length)];
    coins.command(row, 'Run', 1, random() * 2 - 1, random() * 2 - 1);
    picked += coins.step().length;
  }
  return picked;
}

test('another game runs on the same engine: runners pick up coins, and each counts for exactly one of them', () => {
  const seed = 17;
  const coins = new HeadlessZone(game, { seed, width: 64, height: 64 });
  const picked = playAtRandom(coins, seed, 3000);
  assert.ok(picked > 30, `picked ${picked}`);
  const runners = coins.rowsOfKind(KIND_RUNNER);
  const { score, stamina } = coins.zone.columns;
  assert.equal(
    runners.reduce((sum, row) => sum + score[row], 0),
    picked,
  );
  assert.equal(coins.rowsOfKind(KIND_COIN).length, COIN_COUNT);
  for (const row of runners) assert.ok(stamina[row] >= 0 && stamina[row] <= 1);
});

test('the other game is as deterministic as the first', () => {
  const hashes = [1, 1, 2].map((seed) => {
    const coins = new HeadlessZone(game, { seed, width: 64, height: 64 });
    playAtRandom(coins, 4, 2000);
    return coins.hash();
  });
  assert.equal(hashes[0], hashes[1]);
  assert.notEqual(hashes[0], hashes[2]);
});

test('the other game has rules of its own', () => {
  const coins = new HeadlessZone(game, { seed: 1 });
  const row = game.spawnPlayer(coins.zone, 5, 5);
  assert.equal(coins.command(row, 'Run', 1, 0, 0), RejectCode.GameRule);
  assert.equal(coins.command(row, 'Run', 1, 0.3, 0.4), RejectCode.None);
  coins.run(6);
  assert.ok(Math.abs(coins.zone.positionX[row] - 5.3) < 1e-3);
  assert.ok(Math.abs(coins.zone.positionY[row] - 5.4) < 1e-3);
});
