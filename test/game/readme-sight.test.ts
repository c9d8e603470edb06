// The examples of "Who sees what" in the README of src/game, as they stand there.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { defineGame } from '../../src/game/define-game.js';
import type { GameDefinition } from '../../src/game/definition.js';
import { HeadlessWorld } from '../../src/testing/headless-world.js';

const README = readFileSync(new URL('../../../src/game/README.md', import.meta.url), 'utf8');

async function openExample(name: string): Promise<HeadlessWorld> {
  const blocks = [...README.matchAll(/```js\n([\s\S]*?)```/g)].map(([, text]) => text);
  const text = blocks.find((block) => block.includes(`name: '${name}'`));
  assert.ok(text !== undefined, name);
  const module = await import(`data:text/javascript,${encodeURIComponent(text)}`);
  const game = defineGame(module.default) as unknown as GameDefinition;
  return new HeadlessWorld(game, { seed: 1, bots: 0, spawn: 'crowd', updateHz: 60 });
}

test('in the fog an opponent is seen when it stands near a member of the team, also beyond a border, and orders never', async () => {
  const world = await openExample('fog');
  const [ada, ben, cat] = [world.join(), world.join(), world.join()];
  world.run(5);
  // Ben is of the other team, Cat of Ada's.
  for (const [client, team] of [
    [ada, 1],
    [ben, 2],
    [cat, 1],
  ] as const) {
    const { zone, row } = world.find(client.entityId);
    world.zones[zone].team[row] = team;
  }
  world.place(ada, 90, 50);
  world.place(ben, 108, 50);
  world.place(cat, 140, 50);
  world.run(10);
  assert.ok(!ada.sees(ben.entityId) && !ben.sees(ada.entityId), 'far from the team');
  world.place(cat, 112, 50);
  ben.send('Order', { order: 7 });
  world.run(10);
  assert.ok(ada.sees(ben.entityId), 'Cat is near Ben, so her team sees him');
  assert.equal(ada.inView().find(({ id }) => id === ben.entityId)?.fields.order, 0);
  assert.equal(ben.own?.fields.order, 7);
  world.place(cat, 140, 50);
  world.run(10);
  assert.ok(!ada.sees(ben.entityId), 'and no longer when she has gone');
});

test('who sneaks is seen by nobody, and a spyglass shows what is far', async () => {
  const world = await openExample('stealth');
  const [ada, ben] = [world.join(), world.join()];
  world.run(5);
  world.place(ada, 50, 50);
  world.place(ben, 55, 50);
  const flag = world.zones[3].wireIdOf(world.zones[3].spawn(2, 190, 190));
  const tower = world.zones[0].wireIdOf(world.zones[0].spawn(1, 72, 50));
  world.run(5);
  assert.ok(ada.sees(ben.entityId) && ada.sees(flag) && ada.sees(tower));
  ben.send('Sneak', { on: true });
  world.run(3);
  assert.ok(!ada.sees(ben.entityId) && ben.sees(ada.entityId));
  ben.send('Sneak', { on: false });
  world.place(ben, 70, 50);
  world.run(3);
  assert.ok(!ada.sees(ben.entityId), 'farther than 12');
  ada.send('Look', { far: true });
  world.run(3);
  assert.ok(ada.sees(ben.entityId));
});
