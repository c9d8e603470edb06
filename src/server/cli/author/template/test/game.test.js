import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RejectCode } from 'tessera/game';
import { HeadlessWorld, HeadlessZone } from 'tessera/testing';
import game, { COIN } from '../game.js';

test('a player who walks over a coin has one more, and a new coin lies somewhere', () => {
  const zone = new HeadlessZone(game, { seed: 1 });
  const coins = zone.rowsOfKind(COIN).length;
  const ada = zone.join(10, 64);
  ada.send('Walk', { x: 1, y: 0 });
  zone.zone.spawn(COIN, 20, 64);
  let picked = 0;
  zone.run(120, (events) => {
    picked += events.filter(({ name }) => name === 'picked').length;
  });
  assert.ok(picked >= 1);
  assert.equal(zone.columns.score[ada.row], picked);
  assert.equal(zone.rowsOfKind(COIN).length, coins + 1);
});

test('a dash is fast, and the next one has to wait', () => {
  const zone = new HeadlessZone({ ...game, populate() {} });
  const ada = zone.join(10, 10);
  ada.send('Walk', { x: 1, y: 0 });
  assert.equal(ada.send('Dash'), RejectCode.None);
  assert.equal(ada.send('Dash'), RejectCode.Cooldown);
  zone.run(15);
  assert.ok(zone.zone.positionX[ada.row] > 13);
  zone.run(120);
  assert.equal(ada.send('Dash'), RejectCode.None);
});

test('the server checks what a client sends', () => {
  const ada = new HeadlessZone(game).join();
  assert.equal(ada.send('Walk', { x: 5, y: 0 }), RejectCode.OutOfRange);
});

test('a player keeps its score over the borders of four zones, and others see it', () => {
  const world = new HeadlessWorld({ ...game, populate() {} }, { spawn: 'crowd', worldWidth: 200, worldHeight: 200 });
  const [ada, ben] = [world.join(), world.join()];
  world.run(2);
  world.place(ada, 98, 98);
  world.place(ben, 104, 104);
  const { zone, row } = world.find(ada.entityId);
  world.zones[zone].columns.score[row] = 7;
  ada.send('Walk', { x: 1, y: 1 });
  world.run(60);
  assert.notEqual(world.find(ada.entityId).zone, zone);
  assert.equal(ada.own?.fields.score, 7);
  const seen = ben.inView('player').find(({ id }) => id === ada.entityId);
  assert.equal(seen?.fields.score, 7);
  assert.ok(seen.x > 101);
});
