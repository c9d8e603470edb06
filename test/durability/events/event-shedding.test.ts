// What goes when neither memory nor the disk has room: a game of the arena, with the counters and lines that people see.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { createRandom } from '../../../src/base/chance.js';
import { EVENT_TOPICS } from '../../../src/durability/events/event-form.js';
import { EventLosses } from '../../../src/durability/events/event-losses.js';
import { EventPump } from '../../../src/durability/events/event-pump.js';
import { EventSpool } from '../../../src/durability/events/event-spool.js';
import type { GameDefinition } from '../../../src/game/definition.js';
import game from '../../../src/games/arena/game.js';
import { RecordRing } from '../../../src/memory/rings/record-ring.js';
import { IoCounters } from '../../../src/memory/tables/io-counters.js';
import { Metrics } from '../../../src/net/http/metrics.js';
import { parseTrusted } from '../../../src/protocol/plain/plain-codec.js';
import { WorldReport } from '../../../src/server/reports/world-report.js';
import { Supervisor } from '../../../src/server/threads/supervisor.js';
import { openEmbeddedEventLog } from '../../../src/stores/embedded/embedded-event-log.js';
import { type EventLog, PersistError } from '../../../src/stores/store-ports.js';
import { HeadlessWorld } from '../../../src/testing/headless-world.js';
import { openFolder } from '../../folder.js';

const SEED = Number(process.env.TESSERA_SEED ?? 1);
const PLAYERS = 60;
const LOW_TYPES = ['shot', 'moved'];
const SPOOL_BYTES_MAX = 60_000;
const LIMITS = { waitingMax: 200, spillingMax: 200, perAppendMax: 50, drainPerSecond: 1e9 };

const silent = { debug() {}, info() {}, warn() {}, error() {} };
const arena = game as unknown as GameDefinition;

test('of a long outage, moves and shots are missing and nothing else: in the log, in /metrics and in words', async (t) => {
  t.diagnostic(`TESSERA_SEED=${SEED}`);
  const folder = openFolder(t);
  const log = openEmbeddedEventLog({ folder: join(folder, 'log') });
  t.after(() => log.close());
  await log.createTopics(EVENT_TOPICS);
  const world = new HeadlessWorld(arena, {
    zoneColumns: 2,
    zoneRows: 1,
    worldWidth: 200,
    worldHeight: 100,
    seed: SEED,
  });
  const counters = new IoCounters(world.plan.io);
  const lines: string[] = [];
  const losses = new EventLosses(arena.events, counters, (line) => lines.push(line));
  const spool = new EventSpool(join(folder, 'spool'), SPOOL_BYTES_MAX, losses);
  let isDown = true;
  const append: EventLog['append'] = async (records) => {
    if (isDown) throw new PersistError('unavailable', 'the log is down');
    await log.append(records);
  };
  const rings = world.plan.events.map((buffer) => new RecordRing(buffer));
  const context = { names: arena.events, forms: arena.eventForms ?? {}, epoch: 1, originMs: 0, tickHz: 60 };
  const pump = new EventPump(rings, { append } as EventLog, context, losses, spool, LIMITS);

  const random = createRandom(SEED);
  const clients = Array.from({ length: PLAYERS }, (_, index) => world.join(index));
  for (let tick = 0; tick < 1200; tick++) {
    for (const client of clients) {
      if (random() < 0.02) world.send(client, 'Move', { x: Math.floor(random() * 255) - 127, y: 60 });
      if (random() < 0.02) world.send(client, 'Shoot', { angle: Math.floor(random() * 65536) });
    }
    world.run(1);
    pump.run(tick * 1000);
    // Writes to the disk take time; the game goes on.
    if (tick % 4 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  isDown = false;
  for (let nowMs = 2e6; !spool.isEmpty; nowMs += 10000) {
    pump.run(nowMs);
    await new Promise((resolve) => setImmediate(resolve));
  }
  await pump.flush(Date.now() + 20000, Date.now);
  await spool.close();

  const emitted = new Map(arena.events.map((name, index) => [name, counters.eventTypes[index]]));
  const dropped = new Map(arena.events.map((name, index) => [name, counters.eventTypesDropped[index]]));
  const figures = JSON.stringify([[...emitted], [...dropped]]);
  assert.ok(dropped.get('moved')! > 50 && dropped.get('shot')! > 50, figures);
  for (const [name, count] of dropped) if (!LOW_TYPES.includes(name)) assert.equal(count, 0, `${name}: ${figures}`);
  assert.ok(emitted.get('spawned')! === PLAYERS && emitted.get('hit')! > 0, figures);

  const found = new Map<string, number>();
  await log.replay({ topics: EVENT_TOPICS.map(({ name }) => name) }, async ({ entries }) => {
    for (const { value } of entries) {
      const { type } = parseTrusted('msgpack', value) as { type: string };
      found.set(type, (found.get(type) ?? 0) + 1);
    }
  });
  for (const [name, count] of emitted) assert.equal((found.get(name) ?? 0) + dropped.get(name)!, count, name);

  const metrics = await scrape(world);
  for (const [name, count] of dropped)
    assert.match(metrics, new RegExp(`_lost_total\\{type="${name}"\\} ${count}$`, 'm'));
  const told = lines.join('\n');
  assert.match(told, /dropped: .*\d+ moved/);
  assert.doesNotMatch(told, /\d (spawned|hit|died|respawned)/);
  assert.ok(lines.length < 12, told);
});

/** The page of a server of this world. */
async function scrape(world: HeadlessWorld): Promise<string> {
  const { plan, router } = world;
  const supervisor = new Supervisor({ plan, gameUrl: '', log: silent, onReplaced: () => {} });
  const report = new WorldReport(plan, router, supervisor);
  try {
    const metrics = new Metrics();
    report.register(metrics, arena.events);
    return await metrics.text();
  } finally {
    report.stop();
    await supervisor.stop();
  }
}
