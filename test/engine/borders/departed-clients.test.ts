import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DepartedClients } from '../../../src/engine/borders/departed-clients.js';
import type { Handoff } from '../../../src/engine/borders/handoff.js';
import { LATE_ORDERS_MAX } from '../../../src/engine/clients/limits.js';
import { createRecord } from '../../../src/engine/clients/waiting-records.js';
import type { EngineZone } from '../../../src/engine/zone/zone.js';
import {
  COMMAND_CLIENT,
  COMMAND_KIND,
  TO_ZONE_GRANT,
  TO_ZONE_LEAVE,
} from '../../../src/memory/records/thread-records.js';
import { COUNTER, COUNTER_COUNT } from '../../../src/memory/tables/zone-counters.js';
import { GAME_KIND_MIN } from '../../../src/protocol/limits.js';

function stage() {
  const counters = new Float64Array(COUNTER_COUNT);
  const way = { room: 0 };
  /** What went on its way: client, kind, target zone. */
  const sent: [number, number, number][] = [];
  const forwardCommand: Handoff['forwardCommand'] = (view, offset, target) => {
    if (way.room === 0) return false;
    way.room--;
    sent.push([view.getUint16(offset + COMMAND_CLIENT, true), view.getUint16(offset + COMMAND_KIND, true), target]);
    return true;
  };
  const departed = new DepartedClients(16, { counters } as EngineZone, { forwardCommand } as Handoff);
  /** The record stands behind another one, as in a ring. */
  const follow = (client: number, kind: number): boolean => {
    const view = new DataView(new ArrayBuffer(2 * createRecord().byteLength));
    const offset = createRecord().byteLength;
    view.setUint16(offset + COMMAND_CLIENT, client, true);
    view.setUint16(offset + COMMAND_KIND, kind, true);
    return departed.follow(client, kind, view, offset);
  };
  return { departed, counters, way, sent, follow };
}

test('what comes for a client follows it to the zone that its entity went to, also to zone 0', () => {
  const { departed, counters, way, sent, follow } = stage();
  way.room = 10;
  departed.add(3, 0);
  departed.add(4, 7);
  assert.deepEqual([departed.has(3), departed.has(4), departed.has(5)], [true, true, false]);
  assert.ok(follow(3, GAME_KIND_MIN));
  assert.ok(follow(4, TO_ZONE_LEAVE));
  assert.deepEqual(sent, [
    [3, GAME_KIND_MIN, 0],
    [4, TO_ZONE_LEAVE, 7],
  ]);
  assert.equal(counters[COUNTER.commandsForwarded], 2);
  assert.equal(counters[COUNTER.commandsStale], 0);
});

test('what comes for a client that was never here, or is back, is counted as stale and goes nowhere', () => {
  const { departed, counters, way, sent, follow } = stage();
  way.room = 10;
  departed.add(3, 1);
  departed.remove(3);
  assert.equal(departed.has(3), false);
  assert.ok(follow(3, GAME_KIND_MIN), 'nothing is left to do for it');
  assert.ok(follow(5, TO_ZONE_LEAVE));
  assert.deepEqual(sent, []);
  assert.equal(counters[COUNTER.commandsStale], 2);
});

test('a command that finds no room is refused, and an order goes later', () => {
  const { departed, counters, way, sent, follow } = stage();
  departed.add(3, 1);
  assert.equal(follow(3, GAME_KIND_MIN), false, 'whoever sent it is told');
  assert.ok(follow(3, TO_ZONE_GRANT));
  assert.ok(follow(3, GAME_KIND_MIN - 1), 'the last kind of orders');
  assert.equal(counters[COUNTER.commandsForwarded], 0);
  departed.add(3, 2); // it went on and came back meanwhile: what waits goes where it was to go
  way.room = 1;
  departed.retry();
  assert.deepEqual(sent, [[3, TO_ZONE_GRANT, 1]]);
  way.room = 10;
  departed.retry();
  departed.retry();
  assert.deepEqual(sent.slice(1), [[3, GAME_KIND_MIN - 1, 1]], 'each once');
});

test('it is full when no further order that finds no room could be kept', () => {
  const { departed, way, follow } = stage();
  departed.add(3, 1);
  for (let count = 0; count < LATE_ORDERS_MAX; count++) {
    assert.equal(departed.isFull, false);
    follow(3, TO_ZONE_GRANT);
  }
  assert.equal(departed.isFull, true);
  way.room = 1;
  departed.retry();
  assert.equal(departed.isFull, false);
});
