// Skirmish over four zones: bots fight for some minutes, and what must hold holds.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRandom } from '../../../src/base/chance.js';
import type { GameDefinition } from '../../../src/game/definition.js';
import skirmish from '../../../src/games/skirmish/game.js';
import { HP_MAX, KIND, PHASE } from '../../../src/games/skirmish/rules.js';
import { COUNTER } from '../../../src/memory/tables/zone-counters.js';
import type { HeadlessClient } from '../../../src/testing/headless-client.js';
import { HeadlessWorld } from '../../../src/testing/headless-world.js';
import { RecordedWorld } from '../../engine/replay/recorded-world.js';

const SEED = Number(process.env.SEED ?? 1 + (Date.now() % 100000));
const game = skirmish as unknown as GameDefinition;
const SETTINGS = {
  zoneColumns: 2,
  zoneRows: 2,
  bots: 0,
  worldWidth: 120,
  worldHeight: 120,
  viewRadius: 14,
  seed: SEED,
};
const PLAYERS = 12;

interface Fighter {
  client: HeadlessClient;
  act(): void;
}

function hireBots(world: HeadlessWorld, count: number): Fighter[] {
  const random = createRandom(SEED);
  const middle = world.settings.worldWidth / 2;
  return Array.from({ length: count }, () => {
    const client = world.join();
    return {
      client,
      act() {
        const { own } = client;
        if (own === undefined) return;
        const foes = client
          .inView('player')
          .filter((other) => other.fields.side !== own.fields.side && other.id !== own.id);
        const [foe] = foes.concat(client.inView('npc'));
        const [x, y] = foe === undefined ? [middle - own.x, middle - own.y] : [foe.x - own.x, foe.y - own.y];
        if (random() < 0.2) {
          // Not straight ahead: there are walls.
          const way = Math.atan2(y, x) + (random() - 0.5) * 2;
          client.send('Move', { x: Math.round(127 * Math.cos(way)), y: Math.round(127 * Math.sin(way)) });
        }
        const angle = Math.round((Math.atan2(y, x) / (2 * Math.PI)) * 65536) & 0xffff;
        if (foe !== undefined && random() < 0.3) client.send('Cast', { skill: Math.floor(random() * 4), angle });
        if (random() < 0.05) client.send('Take', {});
        if (random() < 0.02) client.send('Use', { slot: Math.floor(random() * 20) });
        if (random() < 0.005) client.send('Say', { text: `grüße von ${client.index}`, team: random() < 0.5 });
      },
    };
  });
}

function eachRow(world: HeadlessWorld, look: (zone: HeadlessWorld['zones'][number], row: number) => void): void {
  for (const zone of world.zones) {
    for (let row = 0; row < zone.rowLimit; row++) if (zone.alive[row] !== 0) look(zone, row);
  }
}

function teamsOf(world: HeadlessWorld): number[] {
  const sizes = [0, 0, 0];
  eachRow(world, (zone, row) => {
    if (zone.kind[row] === KIND.player) sizes[zone.team[row]]++;
  });
  return sizes;
}

test(`a match over four zones: teams are even, blows land over borders, the score is that of the fallen (SEED=${SEED})`, () => {
  const world = new HeadlessWorld(game, SETTINGS, 4);
  const bots = hireBots(world, PLAYERS);
  world.run(60);
  assert.deepEqual(teamsOf(world), [0, PLAYERS / 2, PLAYERS / 2]);
  const killed: string[] = [];
  for (let tick = 0; tick < 60 * 100; tick++) {
    for (const bot of bots) bot.act();
    world.run(1);
    if (tick % 50 !== 0) continue;
    eachRow(world, ({ columns }, row) => assert.ok(columns.hp[row] <= HP_MAX && columns.mp[row] <= 100));
    if (world.zones[0].shared.phase === PHASE.result) break;
  }
  world.run(30);
  for (const { values, name } of bots[0].client.notes) if (name === 'killed') killed.push(String(values.victim));
  const players = new Set(bots.map(({ client }) => String(client.entityId)));
  const fallen = killed.filter((victim) => players.has(victim)).length;
  let deaths = 0;
  eachRow(world, ({ columns }, row) => {
    deaths += columns.deaths[row];
  });
  assert.equal(bots[0].client.notesMissed, 0);
  assert.equal(fallen, deaths, 'everybody heard of each of them once');
  const { scores } = world.zones[0].shared as unknown as { scores: Uint16Array };
  assert.ok(scores[0] + scores[1] <= deaths && deaths > 0, `${scores} of ${deaths}`);
  assert.ok(world.counter(COUNTER.postsSent) > 0, 'some blows went over a border');
  const said = bots[0].client.notes.filter(({ name }) => name === 'said');
  assert.ok(said.some(({ values }) => String(values.text).startsWith('grüße von')));
});

test(`nobody is sent what the fog hides (SEED=${SEED})`, () => {
  const world = new HeadlessWorld(game, SETTINGS, 1);
  const [ada, ben] = hireBots(world, 2).map(({ client }) => client);
  world.run(60);
  world.place(ada, 20, 20);
  world.place(ben, 100, 100);
  world.run(60);
  assert.equal(ada.sees(ben.entityId), false);
  world.place(ben, 26, 20);
  world.run(30);
  assert.equal(ada.sees(ben.entityId), true);
  assert.deepEqual(ada.inView('player').find(({ id }) => id === ben.entityId)?.fields.bag, new Array(20).fill(0));
  world.place(ben, 100, 20);
  world.run(30);
  assert.equal(ada.sees(ben.entityId), false);
});

test('who leaves makes room in its team', () => {
  const world = new HeadlessWorld(game, SETTINGS, 1);
  const clients = hireBots(world, 5).map(({ client }) => client);
  world.run(60);
  for (const client of clients.slice(0, 2)) world.leave(client);
  world.run(30);
  hireBots(world, 3);
  world.run(60);
  const [nobody, first, second] = teamsOf(world);
  assert.equal(nobody, 0);
  assert.ok(Math.abs(first - second) <= 2, `${first} and ${second}`);
  const { sizes } = world.zones[0].shared as unknown as { sizes: Uint16Array };
  assert.deepEqual([...sizes], [first, second]);
});

test('who leaves before it has a team leaves none behind', () => {
  const world = new HeadlessWorld(game, SETTINGS, 1);
  for (let i = 0; i < 5; i++) {
    const client = world.join();
    world.run(1 + (i % 3));
    world.leave(client);
    world.run(8);
  }
  const { sizes } = world.zones[0].shared as unknown as { sizes: Uint16Array };
  assert.deepEqual([...sizes], [0, 0]);
});

test(`a fight is run again to the same world (SEED=${SEED})`, () => {
  const recorded = new RecordedWorld(game);
  const bots = hireBots(recorded.world, 8);
  for (let tick = 0; tick < 1800; tick++) {
    for (const bot of bots) bot.act();
    recorded.run(1);
    if (tick === 900) recorded.takeSnapshot();
  }
  recorded.replay(800);
});
