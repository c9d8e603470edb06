import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { pino } from 'pino';
import { createRandom } from '../../../src/base/chance.js';
import { JOURNAL_FOLDER } from '../../../src/base/data-folder.js';
import {
  encodeFrame,
  encodeSession,
  encodeTicksHead,
  FRAME_BASE,
  FRAME_TICKS,
  type JournalRecord,
  SESSION_FILE,
  segmentName,
} from '../../../src/durability/journal/journal-file.js';
import { describeSession } from '../../../src/durability/journal/journal-session.js';
import {
  findJournal,
  recordsAfter,
  replayJournal,
  type WorldJournal,
} from '../../../src/durability/recovery/journal-recovery.js';
import { aliveKeys, fillZone, finishWorld } from '../../../src/durability/recovery/world-fill.js';
import { decodeZone, type WorldIdentity, type ZoneSnapshot } from '../../../src/durability/snapshots/zone-snapshot.js';
import { engineColumnsOf } from '../../../src/engine/entities/columns.js';
import { planWorld } from '../../../src/engine/plan/world-plan.js';
import { ZoneReplay } from '../../../src/engine/replay/zone-replay.js';
import type { GameDefinition } from '../../../src/game/definition.js';
import { KIND_PILLAR } from '../../../src/games/arena/fields.js';
import arena from '../../../src/games/arena/game.js';
import { EVENT_TICK } from '../../../src/memory/records/thread-records.js';
import { COUNTER } from '../../../src/memory/tables/zone-counters.js';
import { compareHashes, hashBlock } from '../../../src/memory/world/state-hash.js';
import { LIVE_BLOCK, WorldBuffer } from '../../../src/memory/world/world-buffer.js';
import { SCALAR_JOURNALED, SCALAR_TICK } from '../../../src/memory/world/world-layout.js';
import { HeadlessWorld } from '../../../src/testing/headless-world.js';
import { openFolder } from '../../folder.js';
import { encodeZone } from '../snapshots/plain-snapshot.js';
import { JournalKeeper } from './journal-keeper.js';

const SEED = Number(process.env.TESSERA_SEED ?? 1);
const game = arena as unknown as GameDefinition;
const LOG = pino({ level: 'silent' });

function record(serial: number, text: string, tick = serial): JournalRecord {
  return { zone: 0, serial, tick, bytes: Buffer.from(text) };
}

function texts(records: readonly JournalRecord[]): string {
  return records.map(({ bytes }) => bytes.toString()).join('');
}

test('records follow each other from a serial on: known ones are passed, later ones stand for earlier, a gap ends them', () => {
  const plain = [record(1, 'a'), record(2, 'b'), record(3, 'c'), record(4, 'd')];
  assert.equal(texts(recordsAfter(plain, 0)), 'abcd');
  assert.equal(texts(recordsAfter(plain, 2)), 'cd');
  assert.equal(texts(recordsAfter(plain, 4)), '');
  assert.equal(texts(recordsAfter(plain, 9)), '');
  assert.equal(texts(recordsAfter(plain.toSpliced(2, 1), 0)), 'ab');
  assert.equal(texts(recordsAfter(plain.toSpliced(0, 1), 0)), '');
  assert.equal(texts(recordsAfter([...plain, record(4, 'D'), record(5, 'e')], 0)), 'abcDe');
  assert.equal(texts(recordsAfter([...plain, record(4, 'D')], 4)), '', 'what the snapshot has is not superseded');
  // A thread that dies twice in one tick, and serials that wrap.
  assert.equal(texts(recordsAfter([record(1, 'a'), record(1, 'A'), record(1, 'x'), record(2, 'b')], 0)), 'xb');
  const wrapped = [record(2 ** 31 - 1, 'a'), record(-(2 ** 31), 'b'), record(-(2 ** 31) + 1, 'c')];
  assert.equal(texts(recordsAfter(wrapped, 2 ** 31 - 2)), 'abc');
});

class Stage {
  readonly world: HeadlessWorld;
  readonly keeper: JournalKeeper;

  constructor(settings: Record<string, number>, threads: number) {
    this.world = new HeadlessWorld(game, { zoneColumns: 2, zoneRows: 2, ...settings }, threads);
    this.keeper = new JournalKeeper(this.world);
  }

  run(ticks: number): void {
    for (let i = 0; i < ticks; i++) {
      this.world.run(1);
      this.keeper.take();
    }
  }

  encode(zone: number): Buffer {
    const { plan } = this.world;
    const shape = { rowCapacity: plan.layout.rowCapacity } as WorldIdentity;
    return encodeZone(new WorldBuffer(plan.worlds[zone], plan.layout), shape, 1, 1) as Buffer;
  }

  encodeAll(): Buffer[] {
    return this.world.plan.worlds.map((_, zone) => this.encode(zone));
  }

  snapshot(zone: number): ZoneSnapshot {
    return decodeZone(this.encode(zone));
  }

  /** Nobody is born or dies where nobody plays. */
  count(): number {
    return countAlive(this.world.plan.worlds.map((buffer) => new WorldBuffer(buffer, this.world.plan.layout)));
  }

  snapshots(): ZoneSnapshot[] {
    return this.world.plan.worlds.map((_, zone) => this.snapshot(zone));
  }

  /** As a start does, from these snapshots and what the journals hold of each zone up to `limits`. */
  recover(found: ZoneSnapshot[], limits: readonly number[], bases = found) {
    const plan = planWorld(this.world.settings, game, 1, 0);
    const worlds = plan.worlds.map((buffer) => new WorldBuffer(buffer, plan.layout));
    for (const [zone, base] of found.entries()) fillZone(worlds[zone], base);
    const skipped: string[] = [];
    const records = this.keeper.records.map((all, zone) => all.filter(({ tick }) => tick <= limits[zone]));
    const journal = { info: describeSession(plan, game), bases, records, hashes: [] };
    const result = replayJournal(plan, game, journal, found, (reason) => skipped.push(reason), LOG);
    assert.ok(result);
    finishWorld(worlds, plan.layout.rowCapacity, result.journalTick);
    return { ...result, plan, worlds, skipped, keys: aliveKeys(worlds) };
  }
}

function countAlive(worlds: readonly WorldBuffer[]): number {
  let count = 0;
  for (const { blocks } of worlds) {
    const { alive } = blocks[LIVE_BLOCK].columns;
    for (let row = 0; row < blocks[LIVE_BLOCK].scalars[1]; row++) count += alive[row];
  }
  return count;
}

test('wherever journals end, whoever was on the way over a border is there once', () => {
  const random = createRandom(SEED);
  const integer = (limit: number) => Math.floor(random() * limit);
  const stage = new Stage({ bots: 600, seed: SEED, worldWidth: 128, worldHeight: 128, viewRadius: 8 }, 3);
  stage.run(2);
  const everybody = [...aliveKeys(stage.world.plan.worlds.map((b) => new WorldBuffer(b, stage.world.plan.layout)))];
  everybody.sort((a, b) => a - b);
  let moved = 0;
  for (let round = 0; round < 60; round++) {
    const context = `round ${round}, TESSERA_SEED=${SEED}`;
    stage.run(1 + integer(4));
    const bases = stage.snapshots();
    if (round % 10 === 9) stage.world.replaceThread(integer(3), 1);
    const ticks = integer(4);
    stage.run(ticks);
    // One zone's snapshot may be newer than the others', and one zone's journal may end sooner.
    const found = [...bases];
    const newer = integer(12);
    if (newer < 4) found[newer] = stage.snapshot(newer);
    const tick = stage.world.tick;
    const limits = bases.map(({ header }) => Math.max(header.tick, tick - (random() < 0.3 ? integer(3) : 0)));
    const { keys, worlds, skipped, journalTick } = stage.recover(found, limits, bases);
    assert.deepEqual(
      [...keys].sort((a, b) => a - b),
      everybody,
      context,
    );
    assert.equal(countAlive(worlds), everybody.length, `${context}: nobody twice`);
    assert.deepEqual(skipped, [], context);
    assert.ok(journalTick <= tick && journalTick >= tick - 5, context);
    for (const { blocks } of worlds) assert.equal(blocks[LIVE_BLOCK].scalars[SCALAR_TICK], journalTick, context);
    moved = stage.world.counter(COUNTER.entitiesArrived);
  }
  assert.ok(moved > 30, `${moved} crossed a border`);
});

test('whoever was on the way into a full zone goes back where it came from, and is not lost', () => {
  const stage = new Stage({ bots: 0, seed: SEED, entitiesPerZone: 64 }, 2);
  const [{ zone: source }, { zone: target }] = stage.world.hosts;
  while (target.bear(KIND_PILLAR, target.area.x + 10, 10) >= 0);
  const row = source.bear(KIND_PILLAR, target.area.x + 1, 10);
  const key = source.engine.key[row];
  stage.run(1);
  const bases = stage.snapshots();
  stage.run(2);
  const { tick } = stage.world;
  const { worlds, skipped } = stage.recover(bases, [tick, tick, tick, tick]);
  assert.deepEqual(skipped, []);
  const { alive, key: keys, positionX } = engineColumnsOf(worlds[0].committed);
  const back = keys.findIndex((other, at) => other === key && alive[at] !== 0);
  assert.ok(back >= 0, 'it is in the zone that it came from');
  assert.ok(positionX[back] > target.area.x, 'on its way again');
});

test('a record that cannot be run ends its zone there, with a reason, and the others go on', () => {
  const stage = new Stage({ bots: 100, seed: SEED }, 2);
  stage.run(20);
  const bases = stage.snapshots();
  stage.run(30);
  const broken = stage.keeper.records[2].find(({ tick }) => tick === 40) as JournalRecord;
  broken.bytes = Buffer.concat([broken.bytes, Buffer.from([250])]);
  const { skipped, worlds, keys } = stage.recover(bases, [50, 50, 50, 50]);
  assert.match(skipped.join(), /^zone 2, tick 40 of the journal: .*entry of kind 250.*play goes on before it$/);
  assert.equal(keys.size, countAlive(worlds));
});

test('whoever arrived in a tick that cannot be run again is there once all the same', () => {
  const stage = new Stage({ bots: 600, seed: SEED, worldWidth: 128, worldHeight: 128, viewRadius: 8 }, 3);
  const everybody = stage.count();
  stage.run(2);
  const arrived = () => stage.world.hosts.map(({ zone }) => zone.counters[COUNTER.entitiesArrived]);
  let broken = 0;
  for (let round = 0; round < 200 && broken < 5; round++) {
    const bases = stage.snapshots();
    const before = arrived();
    stage.run(1);
    const zone = arrived().findIndex((count, index) => count > before[index]);
    if (zone < 0) continue;
    broken++;
    const { tick } = stage.world;
    const record = stage.keeper.records[zone].at(-1) as JournalRecord;
    stage.keeper.records[zone].splice(-1, 1, { ...record, bytes: Buffer.concat([record.bytes, Buffer.from([250])]) });
    const { keys, worlds, skipped } = stage.recover(bases, [tick, tick, tick, tick]);
    assert.match(skipped.join(), /^zone \d, tick \d+ of the journal: [^;]*; play goes on before it$/);
    assert.deepEqual([keys.size, countAlive(worlds)], [everybody, everybody], `tick ${tick}, TESSERA_SEED=${SEED}`);
  }
  assert.equal(broken, 5, 'that many ticks in which somebody arrived');
});

test('journals that end within a second are cut at the earliest end, farther apart each zone keeps what it has', () => {
  const stage = new Stage({ bots: 100, seed: SEED, tickHz: 10 }, 2);
  const everybody = stage.count();
  stage.run(5);
  const bases = stage.snapshots();
  stage.run(60);
  const near = stage.recover(bases, [60, 50, 60, 60]);
  assert.deepEqual([near.journalTick, near.skipped], [50, []]);
  const far = stage.recover(bases, [60, 49, 60, 60]);
  assert.equal(far.journalTick, 60);
  assert.match(far.skipped.join(), /cannot be brought to one tick: they go on from ticks 60, 49, 60, 60/);
  assert.equal(far.keys.size, everybody);
});

test('ticks that a journal lacks cost nothing where every zone has a snapshot behind them, though these are of two ticks', () => {
  const stage = new Stage({ bots: 300, seed: SEED, worldWidth: 128, worldHeight: 128, viewRadius: 8 }, 2);
  stage.run(5);
  const everybody = stage.count();
  const bases = stage.snapshots();
  stage.run(35);
  const found = stage.snapshots();
  stage.run(1);
  found[3] = stage.snapshot(3);
  stage.run(19);
  const lacking = stage.keeper.records[1];
  lacking.splice(
    lacking.findIndex(({ tick }) => tick === 30),
    1,
  );
  const { journalTick, skipped, keys, worlds } = stage.recover(found, [60, 60, 60, 60], bases);
  assert.deepEqual([journalTick, skipped], [60, []]);
  assert.deepEqual([keys.size, countAlive(worlds)], [everybody, everybody], `TESSERA_SEED=${SEED}`);
  const alone = stage.recover(found, [60, 60, 60, 40], bases);
  assert.deepEqual(
    [alone.journalTick, alone.keys.size, alone.skipped],
    [41, everybody, []],
    'all come to where zone 3 is',
  );
  const sooner = stage.recover(found, [40, 40, 40, 40], bases);
  assert.deepEqual(
    [sooner.journalTick, sooner.keys.size, sooner.skipped],
    [40, everybody, []],
    'zone 3 from its own state in the journal, zone 1 from its snapshot',
  );
});

test('a segment that begins at two ticks is gone on from, if the one before it ends long before it', (t) => {
  const folder = openFolder(t);
  const stage = new Stage({ bots: 100, seed: SEED, tickHz: 10 }, 2);
  const { settings } = stage.world;
  const plan = { ...stage.world.plan, settings: { ...settings, data: folder } };
  const everybody = stage.count();
  stage.run(5);
  const first = stage.encodeAll();
  stage.run(95);
  const second = stage.encodeAll();
  stage.run(1);
  second[3] = stage.encode(3);
  // Written down are the ticks before zone 3 was copied, which is later than the others, and of zone 1 not all of them.
  const written = (zone: number, from: number) =>
    stage.keeper.records[zone].filter(({ tick }) => tick > from && tick <= 100);
  const session = join(folder, JOURNAL_FOLDER, '1');
  mkdirSync(session, { recursive: true });
  writeFileSync(join(session, SESSION_FILE), encodeSession(describeSession(plan, game)));
  const write = (number: number, bases: readonly Buffer[], records: readonly JournalRecord[][]) => {
    const ticks = records.map((all, zone) => [encodeTicksHead(zone, undefined), ...all.flatMap(sized)]);
    const frames = [
      ...bases.map((base) => encodeFrame(FRAME_BASE, [base])),
      ...ticks.map((parts) => encodeFrame(FRAME_TICKS, parts)),
    ];
    writeFileSync(join(session, segmentName(number)), Buffer.concat(frames));
  };
  const find = (): number[] => {
    const skipped: string[] = [];
    const journal = findJournal(plan, game, (reason) => skipped.push(reason));
    assert.deepEqual(skipped, []);
    return (journal as WorldJournal).bases.map(({ header }) => header.tick);
  };
  write(
    2,
    second,
    [0, 1, 2, 3].map(() => []),
  );
  write(
    1,
    first,
    [0, 1, 2, 3].map((zone) => written(zone, 5)),
  );
  assert.deepEqual(find(), [5, 5, 5, 5], 'the one before it brings all zones to one tick');
  write(
    1,
    first,
    [0, 1, 2, 3].map((zone) => written(zone, 5).filter(({ tick }) => zone !== 1 || tick !== 95)),
  );
  assert.deepEqual(find(), [5, 5, 5, 5], 'also if that is a moment sooner');
  write(
    1,
    first,
    [0, 1, 2, 3].map((zone) => written(zone, 5).filter(({ tick }) => zone !== 1 || tick !== 50)),
  );
  assert.deepEqual(find(), [100, 100, 100, 101]);
  const { journalTick, keys, skipped } = stage.recover(
    second.map((bytes) => decodeZone(bytes)),
    [0, 0, 0, 0],
  );
  assert.equal(journalTick, 101);
  assert.ok(keys.size >= everybody - 1);
  assert.match(skipped.join(), /cannot be brought to one tick/);
});

/** As it stands in a frame of ticks. */
function sized({ bytes }: JournalRecord): Buffer[] {
  const size = Buffer.alloc(4);
  size.writeUInt32LE(bytes.length);
  return [size, bytes];
}

test('snapshots stand where a journal has a gap long before them, and are gone back from where it is not flushed yet', () => {
  const stage = new Stage({ bots: 100, seed: SEED }, 2);
  stage.run(5);
  const bases = stage.snapshots();
  stage.run(50);
  const found = stage.snapshots();
  stage.run(1);
  found[2] = stage.snapshot(2); // its thread was a tick ahead when the server stopped
  const oneGap = stage.recover(found, [56, 8, 56, 56], bases);
  assert.deepEqual([oneGap.journalTick, oneGap.skipped], [55, []], 'all but zone 1 are brought to its tick');
  const gap = stage.recover(found, [8, 8, 8, 8], bases);
  assert.equal(gap.journalTick, 56);
  assert.match(
    gap.skipped.join('; '),
    /^the zones cannot be brought to one tick: they go on from ticks 55, 55, 56, 55$/,
  );
  const unflushed = stage.recover(found, [50, 50, 50, 50], bases);
  assert.deepEqual([unflushed.journalTick, unflushed.skipped], [50, []]);
});

test('a zone comes to the latest state that another one begins from, so that it has who came from there', () => {
  const stage = new Stage({ bots: 600, seed: SEED, worldWidth: 128, worldHeight: 128, viewRadius: 8 }, 2);
  stage.run(5);
  const all = stage.snapshots();
  const everybody = [...keysOf(all)];
  stage.run(50);
  const later = stage.snapshots();
  const found = [all[0], all[1], later[2], later[3]];
  stage.run(5);
  // Of zones 1 to 3 nothing more is left.
  const { keys, skipped } = stage.recover(found, [60, 5, 55, 55]);
  assert.match(skipped.join(), /cannot be brought to one tick: they go on from ticks 55, 5, 55, 55/);
  const inZone1 = keysOf([later[1]]);
  const missing = everybody.filter((key) => !keys.has(key) && !inZone1.has(key));
  assert.deepEqual(missing, [], `none but who came to the zone that has no such state, TESSERA_SEED=${SEED}`);
});

function keysOf(snapshots: readonly ZoneSnapshot[]): Set<number> {
  const keys = new Set<number>();
  for (const { header, columns } of snapshots) {
    const [alive, key] = ['alive', 'key'].map((name) => columns.get(name) as ArrayLike<number>);
    for (let row = 0; row < header.rows; row++) if (alive[row] !== 0) keys.add(key[row]);
  }
  return keys;
}

test('without a journal whoever had just left a zone when it was stored is there once', () => {
  const stage = new Stage({ bots: 600, seed: SEED, worldWidth: 128, worldHeight: 128, viewRadius: 8 }, 3);
  const everybody = stage.count();
  const finish = (snapshots: readonly ZoneSnapshot[]) => {
    const plan = planWorld(stage.world.settings, game, 1, 0);
    const worlds = plan.worlds.map((buffer) => new WorldBuffer(buffer, plan.layout));
    for (const [zone, snapshot] of snapshots.entries()) fillZone(worlds[zone], snapshot);
    const wereAlive = countAlive(worlds);
    finishWorld(worlds, plan.layout.rowCapacity, stage.world.tick);
    return [wereAlive, countAlive(worlds), aliveKeys(worlds).size];
  };
  let departed = 0;
  let arrived = 0;
  stage.run(2);
  for (let round = 0; round < 60; round++) {
    stage.run(1);
    const all = stage.snapshots();
    const [wereAlive, ...alive] = finish(all);
    departed += everybody - wereAlive;
    assert.deepEqual(alive, [everybody, everybody], `round ${round}, TESSERA_SEED=${SEED}`);
    if (wereAlive === everybody) continue;
    stage.run(1);
    // Stored a tick later, the other zones have those who were on their way.
    for (let zone = 0; zone < 4; zone++) {
      const later = stage.snapshots().map((snapshot, other) => (other === zone ? all[zone] : snapshot));
      const [count, ...living] = finish(later);
      arrived += count;
      assert.equal(living[0], living[1], `round ${round}, zone ${zone}: nobody twice`);
    }
  }
  assert.ok(departed > 10 && arrived > 0, `${departed} were on their way`);
});

test('recovered events come in the order of their ticks, whichever zone they are of', () => {
  const stage = new Stage({ bots: 200, seed: SEED, worldWidth: 64, worldHeight: 64, viewRadius: 4 }, 1);
  const random = createRandom(SEED);
  for (let i = 0; i < 20; i++) stage.world.join(i);
  stage.run(3);
  const bases = stage.snapshots();
  for (let i = 0; i < 100; i++) {
    for (const client of stage.world.clients.values()) {
      stage.world.send(client, 'Shoot', { angle: Math.floor(random() * 65536) });
    }
    stage.run(1);
  }
  const { events } = stage.recover(bases, [999, 999, 999, 999]);
  const view = new DataView(events.records.buffer, events.records.byteOffset, events.records.byteLength);
  const ticks = Array.from({ length: events.records.length / 64 }, (_, nth) =>
    view.getInt32(nth * 64 + EVENT_TICK, true),
  );
  assert.ok(ticks.length > 200, `${ticks.length} events`);
  assert.deepEqual(
    ticks,
    ticks.toSorted((a, b) => a - b),
  );
});

test('a mirror whose value turns from 0 to -0 is the same again in a replay', () => {
  const stage = new Stage({ bots: 80, seed: SEED, worldWidth: 128, worldHeight: 128, viewRadius: 16 }, 1);
  const { hosts, plan } = stage.world;
  stage.run(5);
  const { zone } = hosts[0];
  const base = stage.snapshot(0);
  const turned = new Set<number>();
  for (const value of [0, -0, 0, -0]) {
    for (const { zone: neighbour } of hosts.slice(1)) {
      for (let row = 0; row < neighbour.rowLimit; row++) {
        // Not written by any system where an NPC stands still.
        neighbour.columns.velocityX[row] = value;
        neighbour.columns.velocityY[row] = value;
        if (zone.rowOfId[neighbour.wireIdOf(row)] > zone.ownCapacity) turned.add(row);
      }
    }
    stage.run(2);
  }
  assert.ok(turned.size > 3, `${turned.size} mirrors`);
  const then = planWorld(stage.world.settings, game, 1, 0);
  fillZone(new WorldBuffer(then.worlds[0], plan.layout), base);
  const replay = new ZoneReplay(then, 0, game);
  for (const { tick, bytes } of recordsAfter(stage.keeper.records[0], base.scalars[SCALAR_JOURNALED])) {
    replay.runTick(bytes);
    const { sums } = hashBlock(replay.zone.buffer.blocks[LIVE_BLOCK], plan.layout);
    const expected = stage.keeper.hashes[0].get(tick) as Int32Array;
    assert.deepEqual(compareHashes(expected, sums, plan.layout), [], `tick ${tick}, TESSERA_SEED=${SEED}`);
  }
});
