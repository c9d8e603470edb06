// Timers and schedules in what a zone writes down of itself: its journal with arrivals and departures, snapshots, hashes.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULTS } from '../../../src/config/settings.js';
import { travellingColumns } from '../../../src/engine/borders/handoff.js';
import type { GameDefinition, Zone } from '../../../src/game/definition.js';
import { assertHashed, RecordedWorld, type Replayed } from './recorded-world.js';

const FIELDS = { speed: { type: 'f32' }, turns: { type: 'u32' }, waves: { type: 'u32' } } as const;
/** 1.1 seconds. */
const TURN_TICKS_MAX = Math.round(1.1 * DEFAULTS.tickHz);
type TheZone = Zone<typeof FIELDS>;

/** Walkers that turn when a timer says so; some die and others are born by schedule. */
const GAME = {
  name: 'turners',
  version: 1,
  kinds: ['walker'],
  fields: FIELDS,
  commands: [],
  events: [],
  systems: [
    {
      name: 'walk',
      run(zone: TheZone) {
        const { alive, positionX, columns } = zone;
        for (let row = 0; row < zone.rowLimit; row++) {
          if (alive[row] === 0) continue;
          positionX[row] += columns.speed[row];
          if (zone.timeLeft(row, 'turn') < 0) zone.after(row, 'turn', 0.1 + zone.random());
          if (zone.random() < 0.02) zone.cancel(row, 'turn');
        }
      },
    },
  ],
  timers: {
    turn: {
      fire(zone: TheZone, row: number) {
        zone.columns.turns[row] = zone.columns.turns[row] * 3 + zone.tick;
        zone.columns.speed[row] = zone.positionX[row] > 100 ? -zone.random() : zone.random();
        if (zone.columns.turns[row] % 7 === 0) zone.after(row, 'die', zone.random());
      },
    },
    die: { fire: (zone: TheZone, row: number) => zone.despawn(row) },
  },
  schedules: {
    wave: {
      every: 0.25,
      run(zone: TheZone) {
        const row = zone.spawn(0, zone.area.x + 50, 20 + zone.random() * 100);
        zone.columns.waves[row] = zone.tick;
        zone.after(row, 'turn', 0);
      },
    },
  },
  populate(zone: TheZone) {
    for (let i = 0; i < 12; i++) {
      const row = zone.spawn(0, zone.area.x === 0 ? 90 + i / 2 : 104 + i / 2, 20 + i * 3);
      zone.columns.speed[row] = zone.area.x === 0 ? 0.6 : -0.6;
      zone.after(row, 'turn', i / 10);
    }
  },
  spawnPlayer: (zone: TheZone, x: number, y: number) => zone.spawn(0, x, y),
} as unknown as GameDefinition;

/** What a replay hands to the other zones' replays is what was in the ring: ticks that are left, and not the tick that is due. */
function checkTicksLeft({ plan, departures }: Replayed): void {
  let at = 0;
  for (const { name, bytes } of travellingColumns(plan.layout.columns)) {
    if (name === 'timer.turn') break;
    at += bytes;
  }
  const late = departures.filter(({ tick }) => tick > 2 * TURN_TICKS_MAX);
  assert.ok(late.length > 3, String(late.length));
  for (const { tick, row } of late) {
    const left = new DataView(row.buffer, row.byteOffset).getInt32(at, true);
    assert.ok(left >= 0 && left <= TURN_TICKS_MAX, `${left} in tick ${tick}`);
  }
}

test('a zone with timers is run again from its journal and from a snapshot to the same state', () => {
  const recorded = new RecordedWorld(GAME);
  recorded.world.tick = 40; // the first tick of a world is a late one: threads take time to start
  recorded.run(80);
  recorded.takeSnapshot();
  recorded.run(40);
  recorded.world.renewThread(0);
  recorded.run(80);
  for (const replayed of recorded.replay(100)) {
    checkTicksLeft(replayed);
    for (const field of ['timer.turn', 'timer.die']) assertHashed(replayed, field);
  }
});
