import assert from 'node:assert/strict';
import { test } from 'node:test';
import { arrivalRecordBytes, keptFields, spawnArrival, writeArrival } from '../../../src/engine/clients/arrival.js';
import { defineGame } from '../../../src/game/define-game.js';
import type { GameDefinition } from '../../../src/game/definition.js';
import * as R from '../../../src/memory/records/thread-records.js';
import { RecordRing } from '../../../src/memory/rings/record-ring.js';
import { HeadlessZone } from '../../../src/testing/headless-zone.js';

const SCOUT = 1;
const HEAD = { client: 7, generation: 9, updateHz: 20, connection: 3 };

/** Players begin as scouts with 100 hp and a mood. */
const game = defineGame({
  name: 'arrivals',
  version: 1,
  kinds: ['guard', 'scout'],
  fields: {
    hp: { type: 'u16', wire: { type: 'u16' } },
    mood: { type: 'u16', persistent: false },
    gold: { type: 'f64' },
  },
  commands: {},
  systems: [],
  spawnPlayer(zone, x, y) {
    const row = zone.spawn(SCOUT, x, y);
    if (row >= 0) {
      zone.columns.hp[row] = 100;
      zone.columns.mood[row] = 5;
      zone.columns.gold[row] = 1;
    }
    return row;
  },
}) as unknown as GameDefinition;

function stage({ rows = 64, records = 4 } = {}) {
  const ring = new RecordRing(RecordRing.create(records, arrivalRecordBytes(game.fields)));
  const { zone } = new HeadlessZone(game, { seed: 1, rows });
  /** Takes the oldest record as the zone does. */
  const spawn = (): number => {
    assert.ok(ring.readable() > 0);
    const row = spawnArrival(zone, ring.view, ring.offsetOf(0));
    ring.release(1);
    return row;
  };
  return { ring, zone, spawn };
}

test('a stored player comes in with all that was stored, where it stood', () => {
  const { ring, zone, spawn } = stage();
  assert.ok(writeArrival(ring, game, HEAD, { kind: 'guard', x: 12, y: 34, fields: { hp: 41, gold: 0.25 } }));
  const row = spawn();
  assert.equal(game.kinds[zone.kind[row]], 'guard');
  assert.deepEqual([zone.positionX[row], zone.positionY[row]], [12, 34]);
  assert.deepEqual([zone.columns.hp[row], zone.columns.gold[row]], [41, 0.25]);
});

test('what is not stored, or not known any more, is as the game makes a new player', () => {
  const { ring, zone, spawn } = stage();
  writeArrival(ring, game, HEAD, { kind: 'dragon', x: 1, y: 2, fields: { hp: 0, mood: 77, wings: 2 } });
  const row = spawn();
  assert.equal(zone.kind[row], SCOUT, 'a kind that the game no longer has');
  assert.equal(zone.columns.hp[row], 0, 'nothing is a value too');
  assert.equal(zone.columns.gold[row], 1);
  assert.equal(zone.columns.mood[row], 5, 'it is not kept, whatever the record says');
});

test('the record says whose player it is, and is before every tick', () => {
  const { ring } = stage();
  writeArrival(ring, game, HEAD, { kind: 'scout', x: 1, y: 2, fields: {} });
  assert.equal(ring.readable(), 1);
  const at = ring.offsetOf(0);
  const read = (offset: number): number => ring.view.getInt32(at + offset, true);
  assert.equal(read(R.HANDOFF_KIND), R.HANDOFF_PLAYER);
  assert.equal(read(R.HANDOFF_TICK), 0);
  assert.deepEqual([R.ARRIVAL_CLIENT, R.ARRIVAL_GENERATION, R.ARRIVAL_UPDATE_HZ, R.ARRIVAL_CONNECTION].map(read), [
    HEAD.client,
    HEAD.generation,
    HEAD.updateHz,
    HEAD.connection,
  ]);
});

test('a record is as long as what is kept, and the last field does not reach into the next one', () => {
  assert.deepEqual(keptFields(game.fields), ['hp', 'gold']);
  const bytes = arrivalRecordBytes(game.fields);
  assert.equal(bytes, R.ARRIVAL_VALUES + 8 * 5);
  const { ring, zone, spawn } = stage();
  for (const gold of [1.5, 2.5, 3.5]) {
    writeArrival(ring, game, HEAD, { kind: 'scout', x: gold, y: 2, fields: { gold } });
  }
  for (const gold of [1.5, 2.5, 3.5]) {
    const row = spawn();
    assert.deepEqual([zone.positionX[row], zone.columns.gold[row]], [gold, gold]);
  }
});

test('where the ring is full nothing is written, and where the zone is full nobody comes in', () => {
  const { ring, zone, spawn } = stage({ rows: 64, records: 2 });
  const player = { kind: 'scout', x: 1, y: 2, fields: {} };
  assert.deepEqual(
    [1, 2, 3].map(() => writeArrival(ring, game, HEAD, player)),
    [true, true, false],
  );
  assert.equal(ring.readable(), 2);
  while (zone.spawn(SCOUT, 1, 1) >= 0);
  assert.equal(spawn(), -1);
});
