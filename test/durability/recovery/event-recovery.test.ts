// Worlds that go on from a snapshot and from what the event log knows since.

import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { createRandom } from '../../../src/base/chance.js';
import { JOURNAL_FOLDER, STORES_FOLDER } from '../../../src/base/data-folder.js';
import { DEFAULTS, type Settings } from '../../../src/config/settings.js';
import { entityName } from '../../../src/durability/entity-name.js';
import { EventEncoder } from '../../../src/durability/events/event-encoder.js';
import { EVENT_TOPICS, formEvent } from '../../../src/durability/events/event-form.js';
import {
  encodeFrame,
  encodeSession,
  FRAME_BASE,
  SESSION_FILE,
  segmentName,
} from '../../../src/durability/journal/journal-file.js';
import { describeSession } from '../../../src/durability/journal/journal-session.js';
import { type Recovery, recoverWorld, shapeOf } from '../../../src/durability/recovery/recovery.js';
import { coldId } from '../../../src/durability/snapshots/snapshotter.js';
import { planWorld, type WorldPlan } from '../../../src/engine/plan/world-plan.js';
import type { GameDefinition, PastEvent } from '../../../src/game/definition.js';
import type { EventForm } from '../../../src/game/event-form.js';
import arena from '../../../src/games/arena/game.js';
import { PLAYER_SPEED } from '../../../src/games/arena/rules.js';
import { RecordRing } from '../../../src/memory/rings/record-ring.js';
import { LIVE_BLOCK, WorldBuffer } from '../../../src/memory/world/world-buffer.js';
import { listAbsentClients } from '../../../src/server/main/absent-clients.js';
import { openStores, type Stores } from '../../../src/stores/open-stores.js';
import { type EventLog, type LogRecord, PersistError } from '../../../src/stores/store-ports.js';
import { HeadlessWorld } from '../../../src/testing/headless-world.js';
import { openFolder } from '../../folder.js';
import coins from '../../games/toy/game.js';
import { encodeZone } from '../snapshots/plain-snapshot.js';

const game = arena as unknown as GameDefinition;
const WORLD_ID = '7b0cf7a8-6b1f-4d0a-9a53-0d6d1c5f6b11';
const OTHER_WORLD_ID = '1d9f7c0e-8a54-4c60-b1cf-5a1d7c0e8a54';
/** Sessions are called by when they began. */
const EPOCH = Date.now() - 60000;
const NO_WAIT_MS = 300;
const SILENT = { debug() {}, info() {}, warn() {}, error() {} };

function open({ data }: Settings): Stores {
  return openStores({ folder: join(data, STORES_FOLDER), kafka: '', redis: '', mongodb: '' });
}

async function withStores<T>(settings: Settings, action: (stores: Stores) => Promise<T>): Promise<T> {
  const stores = open(settings);
  try {
    return await action(stores);
  } finally {
    await stores.close();
  }
}

interface Stored {
  epoch?: number;
  worldId?: string;
}

/** Each zone as it is now, in the cold store. */
async function storeZone(
  settings: Settings,
  world: HeadlessWorld,
  zone: number,
  { epoch = EPOCH, worldId = WORLD_ID }: Stored = {},
): Promise<void> {
  const { plan, tick } = world;
  const shape = { ...shapeOf(settings, world.game, plan), worldId };
  const takenAtMs = epoch + (tick * 1000) / settings.tickHz;
  const bytes = encodeZone(new WorldBuffer(plan.worlds[zone], plan.layout), shape, epoch, takenAtMs);
  assert.ok(bytes);
  await withStores(settings, ({ cold }) => cold.save(coldId(zone), { bytes, tick, takenAtMs, meta: {} }));
}

async function append(settings: Settings, records: readonly LogRecord[]): Promise<void> {
  await withStores(settings, async ({ log }) => {
    await log.createTopics(EVENT_TOPICS);
    await log.append(records);
  });
}

interface Recovered extends Recovery {
  plan: WorldPlan;
  lines: string[];
  ms: number;
}

async function recover(
  settings: Settings,
  played: GameDefinition,
  changeLog: (log: EventLog) => EventLog = (log) => log,
): Promise<Recovered> {
  const plan = planWorld(settings, played, 1, 0);
  const lines: string[] = [];
  const keep = (_: object, line: string): void => void lines.push(line);
  const log = { debug: keep, info: keep, warn: keep, error: keep };
  const openChanged = (): Stores => {
    const stores = open(settings);
    return { ...stores, log: changeLog(stores.log), close: () => stores.close() };
  };
  const startMs = performance.now();
  const sources = { open: openChanged, waitMs: NO_WAIT_MS };
  const recovery = await recoverWorld(plan, played, shapeOf(settings, played, plan), log, sources);
  return { ...recovery, plan, lines, ms: performance.now() - startMs };
}

// --- the arena ---

const ARENA: Partial<Settings> = { zoneColumns: 2, zoneRows: 2, worldWidth: 200, worldHeight: 200, seed: 7, bots: 40 };
const PLAYERS = 12;

/** What zones have said since it was asked last, as the log would get it. */
function takeEvents(world: HeadlessWorld): LogRecord[] {
  const { tickHz } = world.settings;
  const context = { names: game.events, forms: game.eventForms ?? {}, epoch: EPOCH, originMs: EPOCH, tickHz };
  return world.plan.events.flatMap((buffer) => {
    const ring = new RecordRing(buffer);
    const records = Array.from({ length: ring.readable() }, (_, i) => formEvent(ring.view, ring.offsetOf(i), context));
    ring.release(records.length);
    return records;
  });
}

function playArena(world: HeadlessWorld, random: () => number, ticks: number): void {
  world.run(ticks, () => {
    for (const client of world.clients.values()) {
      const angle = random() * 2 * Math.PI;
      if (random() < 0.02) {
        world.send(client, 'Move', { x: Math.round(127 * Math.cos(angle)), y: Math.round(127 * Math.sin(angle)) });
      }
      if (random() < 0.1) world.send(client, 'Shoot', { angle: Math.floor(random() * 65536) });
    }
  });
}

interface Body {
  zone: number;
  x: number;
  y: number;
  hp: number;
}

/** Players and NPCs by key. */
function bodiesOf({ worlds, layout }: WorldPlan): Map<number, Body> {
  const bodies = new Map<number, Body>();
  for (const [zone, buffer] of worlds.entries()) {
    const { columns } = new WorldBuffer(buffer, layout).blocks[LIVE_BLOCK];
    const { alive, kind, key, positionX, positionY, hp } = columns;
    for (let row = 0; row < 2048; row++) {
      if (alive[row] === 0 || kind[row] > 1) continue;
      bodies.set(key[row], { zone, x: positionX[row], y: positionY[row], hp: hp[row] });
    }
  }
  return bodies;
}

test('the arena goes on where its players were last told to be, with the wounds they got', async (t) => {
  const seed = 11;
  const random = createRandom(seed);
  const world = new HeadlessWorld(game, { ...ARENA, data: openFolder(t) });
  const { settings, plan } = world;
  const players = Array.from({ length: PLAYERS }, (_, index) => world.join(index));
  playArena(world, random, 120);
  for (const zone of plan.worlds.keys()) await storeZone(settings, world, zone);
  const before = bodiesOf(plan);
  const records = takeEvents(world);
  playArena(world, random, 300);
  const late = world.join(PLAYERS);
  playArena(world, random, 300);
  records.push(...takeEvents(world));
  const truth = bodiesOf(plan);
  // A part of it twice, as after an append of which nobody knows whether it was done.
  await append(settings, records);
  await append(settings, records.slice(-200));

  const recovered = await recover(settings, game);
  const { report, lines } = recovered;
  assert.equal(report.source, 'cold');
  assert.deepEqual(report.skipped, []);
  assert.equal(report.snapshotTick, 120);
  assert.ok(report.events !== null && report.events.applied > 100, JSON.stringify(report.events));
  assert.equal(report.events.unknown, 1, 'who joined later is not made up');
  assert.ok(recovered.tick > 700 && recovered.tick <= world.tick, `goes on at ${recovered.tick} of ${world.tick}`);
  assert.match(lines.join('\n'), /events since the snapshot are applied; 1 entities that came after it are not there/);

  const now = bodiesOf(recovered.plan);
  assert.equal(now.has(late.key), false);
  let wounded = 0;
  let walked = 0;
  let beyond = 0;
  for (const [key, then] of before) {
    const [is, was] = [now.get(key), truth.get(key)];
    assert.ok(is && was, `entity ${entityName(key)}, seed ${seed}`);
    assert.equal(is.hp, was.hp, `hp of ${entityName(key)}, seed ${seed}`);
    if (is.hp !== then.hp) wounded++;
    if (is.zone !== was.zone) beyond++;
  }
  for (const { key } of players) {
    const [is, was, then] = [now.get(key) as Body, truth.get(key) as Body, before.get(key) as Body];
    const distance = Math.hypot(is.x - was.x, is.y - was.y);
    assert.ok(distance <= PLAYER_SPEED * 1.1, `${entityName(key)} is ${distance} from where it was, seed ${seed}`);
    if (Math.hypot(was.x - then.x, was.y - then.y) > 2 * PLAYER_SPEED) walked++;
  }
  assert.ok(wounded > 3 && walked > 3 && beyond > 0, `${wounded} wounded, ${walked} walked, ${beyond} beyond a border`);

  // Whoever was put beyond the border of its zone is taken in by the other one.
  const next = new HeadlessWorld(game, settings, 2, (fresh, router) => {
    for (const [zone, buffer] of fresh.worlds.entries()) {
      new Uint8Array(buffer).set(new Uint8Array(recovered.plan.worlds[zone]));
    }
    for (const { client, generation, zone, key } of listAbsentClients(fresh, SILENT).waiting)
      router.reserve(client, generation, zone, key);
  });
  next.run(3);
  const settled = bodiesOf(next.plan);
  assert.deepEqual([...settled.keys()].sort(), [...now.keys()].sort(), 'nobody is lost or doubled');
  for (const { index, generation, key } of players) {
    const client = next.resume(index, generation);
    next.run(20);
    assert.equal(client.key, key, 'its client comes back to it');
    assert.ok(client.self, `client ${index} sees itself, seed ${seed}`);
  }
  for (const [key, { zone, x, y }] of settled) {
    const { area } = next.hosts[zone].zone;
    const isInside =
      x >= area.x - 1 && y >= area.y - 1 && x <= area.x + area.width + 1 && y <= area.y + area.height + 1;
    assert.ok(isInside, `${entityName(key)} at ${x}, ${y} is in zone ${zone}, seed ${seed}`);
  }
});

// --- which events are this world's, by a game that writes down what it is given ---

const ROW = 4;
const SNAPSHOT_TICK = 9;
const FORM: EventForm = { a: 'points', other: 'giver', scale: 0.5 };
const TOY: Partial<Settings> = { zoneColumns: 2, zoneRows: 1, worldWidth: 256, worldHeight: 128, entitiesPerZone: 256 };

type Given = PastEvent & { zone: number; row: number };

function scoring(given: Given[], more: Partial<GameDefinition> = {}): GameDefinition {
  return {
    ...(coins as unknown as GameDefinition),
    fields: { score: { type: 'u16' } },
    systems: [],
    events: ['scored', 'praised'],
    eventForms: { scored: FORM, praised: { topic: 'match' } },
    applyEvent: (zone, row, event) => void given.push({ ...event, zone: zone.id, row }),
    ...more,
  };
}

interface Stage {
  settings: Settings;
  world: HeadlessWorld;
  given: Given[];
  game: GameDefinition;
  /** Of row 4 of each zone, and of the one behind it in zone 0. */
  keys: number[];
  giver: number;
}

/** A world of two zones at tick 9. */
async function stageToy(t: TestContext, stored: readonly Stored[] = [{}, {}]): Promise<Stage> {
  const given: Given[] = [];
  const played = scoring(given);
  const settings: Settings = { ...DEFAULTS, ...TOY, clientsMax: 8, data: openFolder(t) };
  const world = new HeadlessWorld(played, settings);
  world.run(SNAPSHOT_TICK);
  for (const [zone, entry] of stored.entries()) await storeZone(settings, world, zone, entry);
  const keyAt = (zone: number, row: number): number => world.hosts[zone].zone.engine.key[row];
  return { settings, world, given, game: played, keys: [keyAt(0, ROW), keyAt(1, ROW)], giver: keyAt(0, ROW + 1) };
}

interface Event {
  tick: number;
  a?: number;
  epoch?: number;
  zoneId?: number;
  position?: number;
  other?: number;
  type?: string;
}

function event(
  key: number,
  { tick, a = 0, epoch = EPOCH, zoneId = 0, position = 0, other = 0, type }: Event,
): LogRecord {
  const occurredAt = EPOCH + (tick * 1000) / 60;
  const aggregateId = entityName(key);
  const encoder = new EventEncoder(type ?? 'scored', type === undefined ? FORM : {}, epoch);
  const values = { zoneId, tick, position, aggregateId, occurredAt, other: entityName(other), a: a * 0.5, b: 0 };
  const topic = type === 'praised' ? 'game.events.match' : 'game.events.player';
  return { topic, key: aggregateId, value: encoder.encode(values), timestampMs: occurredAt };
}

test('only what came after the snapshot is applied, once and in the order of ticks, over all topics', async (t) => {
  const { settings, given, game: played, keys, giver } = await stageToy(t);
  await append(settings, [
    event(keys[0], { tick: SNAPSHOT_TICK, a: 1 }),
    event(keys[0], { tick: 14, a: 2, other: giver }),
    event(keys[0], { tick: 12, a: 3, zoneId: 1, other: keys[1] }),
    event(keys[0], { tick: 14, a: 2, other: giver }),
    event(keys[1], { tick: 13, a: 4, zoneId: 1 }),
    event(keys[0], { tick: 14, a: 5, position: 1 }),
    event(keys[0], { tick: 13, type: 'praised' }),
    event(keys[0], { tick: 13, type: 'forgotten' }),
    event(77777, { tick: 15 }),
    event(77777, { tick: 16 }),
    event(0, { tick: 16 }),
    { topic: 'game.events.player', key: 'x', value: Buffer.from('no event'), timestampMs: Date.now() },
  ]);
  const { report, tick, plan } = await recover(settings, played);
  assert.deepEqual(report.events, { applied: 5, unknown: 1 });
  const type = 0;
  const b = 0;
  assert.deepEqual(given, [
    { zone: 0, row: ROW, type, tick: 12, a: 3, b, otherRow: -1 },
    { zone: 0, row: ROW, type: 1, tick: 13, a: 0, b, otherRow: -1 },
    { zone: 0, row: ROW, type, tick: 14, a: 2, b, otherRow: ROW + 1 },
    { zone: 0, row: ROW, type, tick: 14, a: 5, b, otherRow: -1 },
    { zone: 1, row: ROW, type, tick: 13, a: 4, b, otherRow: -1 },
  ]);
  assert.equal(tick, 14);
  assert.deepEqual(
    plan.worlds.map((buffer) => new WorldBuffer(buffer, plan.layout).committed.scalars[0]),
    [14, 14],
  );
});

test('events of other sessions are left alone, unless a snapshot of another zone says that they are of this world', async (t) => {
  const later = EPOCH + 5000;
  for (const [worldId, applied] of [
    [WORLD_ID, 2],
    [OTHER_WORLD_ID, 1],
  ] as const) {
    const { settings, game: played, keys } = await stageToy(t, [{}, { epoch: later, worldId }]);
    await append(settings, [
      event(keys[0], { tick: 20 }),
      event(keys[0], { tick: 3, epoch: later }),
      event(keys[0], { tick: 21, epoch: later + 1 }),
      event(keys[0], { tick: 22, epoch: EPOCH - 1 }),
      event(keys[1], { tick: 23 }), // of before that zone's snapshot
    ]);
    const { report } = await recover(settings, played);
    assert.deepEqual(report.events, { applied, unknown: 0 }, worldId);
  }
});

test('where the journal ended long before the snapshots were taken, the event log tells what came since', async (t) => {
  for (const [journalTick, applied] of [
    [SNAPSHOT_TICK, 1],
    [SNAPSHOT_TICK + 50, 0],
  ]) {
    const { settings, world, game: played, keys } = await stageToy(t, []);
    world.run(journalTick - SNAPSHOT_TICK);
    writeJournal(settings, world);
    world.run(SNAPSHOT_TICK + 100 - journalTick);
    for (const zone of world.plan.worlds.keys()) await storeZone(settings, world, zone);
    await append(settings, [event(keys[0], { tick: 100 }), event(keys[0], { tick: 120 })]);
    const { report, tick } = await recover(settings, played);
    assert.equal(report.snapshotTick, 109);
    if (applied === 0) {
      assert.deepEqual([report.journalTick, report.events, report.skipped, tick], [109, null, [], 109]);
      continue;
    }
    assert.deepEqual([report.journalTick, report.events, tick], [null, { applied, unknown: 0 }, 120]);
    assert.deepEqual(report.skipped, [
      `the journal of session ${EPOCH} ends at tick 9, and the snapshots are of tick 109: it has nothing of what came after them`,
    ]);
  }
});

/** A journal of which no more was written than what it begins with. */
function writeJournal(settings: Settings, { plan, game: played }: HeadlessWorld): void {
  const folder = join(settings.data, JOURNAL_FOLDER, String(EPOCH));
  mkdirSync(folder, { recursive: true });
  const session = { ...describeSession(plan, played), epoch: EPOCH, originMs: EPOCH };
  writeFileSync(join(folder, SESSION_FILE), encodeSession(session));
  const shape = { ...shapeOf(settings, played, plan), worldId: WORLD_ID };
  const bases = plan.worlds.map((buffer) => encodeZone(new WorldBuffer(buffer, plan.layout), shape, EPOCH, EPOCH));
  const frames = bases.map((base) => encodeFrame(FRAME_BASE, [base as Buffer]));
  writeFileSync(join(folder, segmentName(1)), Buffer.concat(frames));
}

test('a zone that begins anew, and a world that does, take no events', async (t) => {
  const { settings, game: played, keys, given } = await stageToy(t, [{}]);
  await append(settings, [event(keys[1], { tick: 12 }), event(keys[1], { tick: 12, zoneId: 1 })]);
  // Zone 0 has a snapshot and says that the entity is none of its own; of zone 1 nothing is known.
  const salvage = await recover({ ...settings, start: 'salvage' }, played);
  assert.deepEqual(salvage.report.events, { applied: 0, unknown: 1 });
  const { report } = await recover({ ...settings, start: 'fresh' }, played);
  assert.deepEqual([report.source, report.events], ['initial', null]);
  assert.deepEqual(given, []);
});

test('a game that does not say what events did goes on from the snapshot, and the log is not asked', async (t) => {
  const { settings, game: played, keys } = await stageToy(t);
  await append(settings, [event(keys[0], { tick: 12 })]);
  const { applyEvent, ...silent } = played;
  assert.ok(applyEvent);
  const deaf = new Proxy({} as EventLog, { get: () => () => assert.fail('the log is asked') });
  const { report, tick } = await recover(settings, silent, () => deaf);
  assert.deepEqual([report.source, report.events, report.skipped, tick], ['cold', null, [], SNAPSHOT_TICK]);
});

test('a log that is away, or gives no sign, is said and waited for no longer than a store', async (t) => {
  const { settings, game: played, keys, given } = await stageToy(t);
  await append(settings, [event(keys[0], { tick: 12 })]);
  const away = (): Promise<never> => Promise.reject(new PersistError('unavailable', 'connect: refused by kafka:9092'));
  const stuck = (): Promise<never> => new Promise(() => {});
  for (const [answer, reason] of [
    [away, /^the event log: connect: refused by kafka:9092; what happened since the snapshot is left out$/],
    [stuck, /^the event log: no answer in 0.3 s; what happened since the snapshot is left out$/],
  ] as const) {
    const silent = (log: EventLog): EventLog => new Proxy(log, { get: () => answer });
    const { report, ms } = await recover(settings, played, silent);
    assert.deepEqual([report.source, report.events], ['cold', null]);
    assert.equal(report.skipped.length, 1);
    assert.match(report.skipped[0], reason);
    assert.ok(ms < NO_WAIT_MS + 5000, `${ms} ms`);
  }
  assert.deepEqual(given, []);
  let refusals = 1;
  const late = (log: EventLog): EventLog =>
    new Proxy(log, {
      get: (target, name) => {
        if (name === 'createTopics' && refusals-- > 0) return away;
        return (target[name as keyof EventLog] as () => unknown).bind(target);
      },
    });
  const { report } = await recover(settings, played, late);
  assert.deepEqual(report.events, { applied: 1, unknown: 0 });
});

test('a hook that fails is named with what it failed at, and the world goes on without the rest', async (t) => {
  const { settings, keys, given } = await stageToy(t);
  await append(settings, [
    event(keys[0], { tick: 12, a: 1 }),
    event(keys[0], { tick: 13, a: 2 }),
    event(keys[0], { tick: 14, a: 3 }),
    event(keys[1], { tick: 15, a: 4 }),
  ]);
  const emitting = scoring(given, {
    applyEvent: (zone, row, { a }) => {
      (zone.columns.score as Uint16Array)[row] += a;
      if (a === 2) zone.emit(0, row, row, 0, 0);
    },
  });
  const { report, plan } = await recover(settings, emitting);
  assert.deepEqual(report.events, { applied: 2, unknown: 0 });
  const name = entityName(keys[0]);
  assert.deepEqual(report.skipped, [
    `applyEvent fails at 'scored' of entity ${name} at tick 13: it emits an event; the events of zone 0 from there on are left out`,
  ]);
  const scores = plan.worlds.map((buffer) => new WorldBuffer(buffer, plan.layout).committed.columns.score[ROW]);
  assert.deepEqual(scores, [3, 4]);
});

test('an entity that an event despawns is gone, and its id is free', async (t) => {
  const { settings, given, keys } = await stageToy(t);
  await append(settings, [event(keys[0], { tick: 12 }), event(keys[0], { tick: 13 })]);
  const ending = scoring(given, { applyEvent: (zone, row) => zone.despawn(row) });
  const { report, plan } = await recover(settings, ending);
  assert.deepEqual(report.events, { applied: 1, unknown: 0 });
  const { columns } = new WorldBuffer(plan.worlds[0], plan.layout).committed;
  assert.equal(columns.alive[ROW], 0);
  assert.equal(columns.idTaken[keys[0] & 0xff], 0);
});
