// Commands with a text, from the client to the game: in a tick, over a border, through a replay.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defineGame } from '../../../src/game/define-game.js';
import { RejectCode } from '../../../src/game/reject-codes.js';
import { HeadlessWorld } from '../../../src/testing/headless-world.js';
import { HeadlessZone } from '../../../src/testing/headless-zone.js';
import { RecordedWorld } from '../replay/recorded-world.js';

const LONG = '日本語'.repeat(22); // 198 bytes

const game = defineGame({
  name: 'talk',
  version: 1,
  kinds: ['player', 'walker'],
  fields: { last: { type: 'text', bytes: 200, wire: {} }, said: { type: 'u32', wire: {} }, speed: { type: 'f32' } },
  notes: { said: { payload: { who: { type: 'ref' }, text: { type: 'text', bytes: 200 } } } },
  commands: {
    Step: {
      payload: { by: { type: 'i8' } },
      apply(zone, row, { by }) {
        zone.positionX[row] += by;
      },
    },
    Say: {
      payload: { text: { type: 'text', bytes: 200 } },
      ratePerSecond: 20,
      apply(zone, row, { text }) {
        zone.setText('last', row, text);
        zone.columns.said[row]++;
        zone.tellAll('said', { who: zone.refOf(row), text });
      },
    },
  },
  systems: [
    {
      name: 'walk',
      run(zone) {
        for (let row = 0; row < zone.rowLimit; row++) {
          if (zone.alive[row] === 0 || zone.kind[row] !== 1) continue;
          zone.positionX[row] += zone.columns.speed[row];
          if (zone.positionX[row] < 80 || zone.positionX[row] > 120) zone.columns.speed[row] *= -1;
        }
      },
    },
  ],
  populate(zone) {
    if (zone.id !== 0) return;
    for (let i = 0; i < 12; i++) zone.columns.speed[zone.spawn(1, 85 + i, 50)] = 0.5 + i / 20;
  },
  spawnPlayer: (zone, x, y) => zone.spawn(0, x, y),
});

test('what a client says is heard by all, in every zone', () => {
  const world = new HeadlessWorld(game, { bots: 0, updateHz: 60 });
  const clients = Array.from({ length: 5 }, () => world.join());
  world.run(3);
  assert.equal(clients[0].send('Say', { text: LONG }), RejectCode.None);
  assert.equal(clients[1].send('Say', { text: '' }), RejectCode.None);
  world.run(4);
  for (const { notes } of clients) {
    assert.deepEqual(new Set(notes.map(({ values }) => values.text)), new Set([LONG, '']));
    assert.equal(notes.find(({ values }) => values.text === LONG)?.values.who, clients[0].entityId);
  }
  assert.equal(clients[0].own?.fields.last, LONG);
  assert.equal(clients[0].send('Say', { text: 'x'.repeat(201) }), RejectCode.OutOfRange);
});

test('texts follow their client over a border, in order with its other commands', () => {
  const world = new HeadlessWorld(game, { bots: 0, updateHz: 60, zoneRows: 1 });
  const ada = world.join();
  world.run(3);
  world.place(ada, 99.9, 50);
  world.run(3);
  for (let i = 0; i < 12; i++) {
    ada.send('Step', { by: i % 2 === 0 ? 3 : -3 });
    ada.send('Say', { text: `${i} ${LONG.slice(0, 60)}` });
    world.run(1);
  }
  world.run(30);
  assert.deepEqual(
    ada.notes.map(({ values }) => parseInt(String(values.text), 10)),
    Array.from({ length: 12 }, (_, i) => i),
  );
  assert.equal(ada.own?.fields.said, 12);
});

test('a replay hears the same texts', () => {
  const recorded = new RecordedWorld(game);
  const clients = Array.from({ length: 8 }, () => recorded.world.join());
  recorded.run(50);
  const ada = clients.find(({ entityId }) => recorded.world.find(entityId).zone === 0);
  assert.ok(ada !== undefined, 'one of them is in the zone that is run again');
  recorded.takeSnapshot();
  for (let i = 0; i < 120; i++) {
    if (i % 10 === 0) ada.send('Say', { text: `${i} ${LONG.slice(0, 50)}` });
    recorded.run(1);
  }
  recorded.replay(100);
  assert.match(String(ada.own?.fields.last), /^110 /);
});

test('a zone without a server takes them too', () => {
  const zone = new HeadlessZone(game);
  const ada = zone.join();
  assert.equal(ada.send('Say', { text: 'Zoë 👋' }), RejectCode.None);
  assert.equal(zone.zone.textOf('last', ada.row), 'Zoë 👋');
});
