// What a game says on the log, read by tools that are not ours: kcat fetches it and Python's MessagePack decodes it.

import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { WebSocket } from 'ws';
import { createRandom } from '../../src/base/chance.js';
import { EVENT_TOPICS } from '../../src/durability/events/event-form.js';
import { partitionOf } from '../../src/stores/partition.js';
import { requireOrSkip } from '../require.js';
import { startServer, type TestServer } from '../server.js';
import { findService, OwnService, skipReason } from '../services/running.js';

const run = promisify(execFile);
// Debian's, which has Debian's packages; another python3 may come first on the path.
const PYTHON = '/usr/bin/python3';
const READER = join(process.cwd(), 'test', 'interop', 'events.py');
const OUTPUT_BYTES_MAX = 256 * 1024 * 1024;
const SEED = Number(process.env.TESSERA_SEED ?? 1);
const TICK_HZ = 60;
const WORLD_SIDE = 256;
const PLAYERS = 4;
const PLAY_MS = 2500;
const WAIT_MS_MAX = 20000;
/** Between our clock and the one that the server names its epoch by. */
const CLOCK_MS = 50;
const FIELDS = ['aggregateId', 'eventId', 'occurredAt', 'payload', 'tick', 'type', 'version', 'zoneId'];

interface ReadRecord {
  topic: string;
  partition: number;
  offset: number;
  timestamp: number;
  key: string;
  event: {
    eventId: string;
    type: string;
    aggregateId: string;
    zoneId: number;
    tick: number;
    occurredAt: number;
    version: number;
    payload: Record<string, unknown>;
  };
}

// Where the shared broker runs, one of our own can run too: a server takes commands from whoever uses its broker.
const isRunning = findService('kafka') !== undefined;

function hasReaders(): boolean {
  const hasKcat = spawnSync('kcat', ['-V']).status === 0;
  return hasKcat && spawnSync(PYTHON, ['-c', 'import msgpack']).status === 0;
}

/** Players that walk and shoot at each other for a while, and leave. */
async function play(server: TestServer, random: () => number): Promise<void> {
  const sockets = Array.from({ length: PLAYERS }, () => new WebSocket(server.wsUrl, 'tessera.json.1'));
  await Promise.all(
    sockets.map(async (socket, i) => {
      await new Promise((resolve) => socket.once('open', resolve));
      socket.send(JSON.stringify({ type: 'join', name: `player ${i}` }));
      await new Promise((resolve) => socket.once('message', resolve));
    }),
  );
  const endMs = performance.now() + PLAY_MS;
  for (let seq = 1; performance.now() < endMs; seq += 2) {
    for (const socket of sockets) {
      const [x, y] = [random(), random()].map((value) => Math.floor(value * 255) - 127);
      socket.send(JSON.stringify({ type: 'Move', seq, x, y }));
      socket.send(JSON.stringify({ type: 'Shoot', seq: seq + 1, angle: Math.floor(random() * 65536) }));
    }
    await sleep(50);
  }
  await Promise.all(
    sockets.map((socket) => {
      socket.close();
      return new Promise((resolve) => socket.once('close', resolve));
    }),
  );
}

/** What the server itself says it has stated, by type, once nothing more happens. */
async function countEvents(server: TestServer): Promise<Map<string, number>> {
  const deadline = performance.now() + WAIT_MS_MAX;
  let before = '';
  for (;;) {
    const text = await (await fetch(`${server.url}/metrics`)).text();
    const lines = [...text.matchAll(/^tessera_events_total\{type="(\w+)"\} (\d+)$/gm)];
    const now = lines.map(([line]) => line).join('\n');
    if (now === before) return new Map(lines.map(([, type, count]) => [type, Number(count)]));
    assert.ok(performance.now() < deadline, `events end when nobody plays:\n${now}`);
    before = now;
    await sleep(1500);
  }
}

function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) groups.set(keyOf(item), [...(groups.get(keyOf(item)) ?? []), item]);
  return groups;
}

function countTypes(records: readonly ReadRecord[]): Map<string, number> {
  return new Map([...groupBy(records, ({ event }) => event.type)].map(([type, { length }]) => [type, length]));
}

/** One run of a world has one epoch: when it began. */
function findEpoch(records: readonly ReadRecord[], sinceMs: number, limitMs: number): number {
  const epochs = new Set(records.map(({ event }) => Number(event.eventId.split('-')[1])));
  assert.equal(epochs.size, 1, [...epochs].join(', '));
  const [epoch] = epochs;
  assert.ok(epoch >= sinceMs && epoch <= limitMs, `${epoch} lies between ${sinceMs} and ${limitMs}`);
  return epoch;
}

function checkFields({ event, key, timestamp }: ReadRecord, epoch: number): void {
  const { tick, zoneId, occurredAt, payload } = event;
  assert.deepEqual(Object.keys(event).sort(), FIELDS);
  assert.match(event.eventId, /^\d+-\d+-\d+-\d+$/);
  assert.ok(event.eventId.startsWith(`${zoneId}-${epoch}-${tick}-`), `${event.eventId} names zone, epoch and tick`);
  assert.match(event.aggregateId, /^\d+\.\d+$/);
  assert.equal(key, event.aggregateId);
  assert.ok(Number.isInteger(zoneId) && Number.isInteger(tick) && Number.isInteger(occurredAt), event.eventId);
  assert.ok(Math.abs(occurredAt - (epoch + (tick * 1000) / TICK_HZ)) <= 2, 'it occurred when its tick was due');
  assert.equal(timestamp, occurredAt);
  assert.equal(event.version, 1);
  assert.ok(typeof payload === 'object' && payload !== null && !Array.isArray(payload));
  if (event.type === 'moved') {
    const { x, y } = payload as { x: number; y: number };
    assert.ok(x > 0 && x < WORLD_SIDE && y > 0 && y < WORLD_SIDE, `moved to (${x}, ${y})`);
  }
}

function positionOf({ eventId }: ReadRecord['event']): number {
  return Number(eventId.split('-')[3]);
}

test('kcat and Python read every event of a game: fields, ids, keys and their order', {
  timeout: 150000,
}, async (t) => {
  if (!requireOrSkip(t, isRunning, skipReason('kafka'))) return;
  if (!requireOrSkip(t, hasReaders(), 'needs the Debian packages kcat and python3-msgpack')) return;
  t.diagnostic(`TESSERA_SEED=${SEED}`);
  const service = await OwnService.start('kafka');
  t.after(() => service.stop());
  const broker = `127.0.0.1:${service.port}`;
  const sinceMs = Date.now() - CLOCK_MS;
  const settings = { kafka: broker, spawn: 'crowd', seed: SEED, world: `${WORLD_SIDE}x${WORLD_SIDE}` };
  const server = await startServer(Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]));
  const limitMs = Date.now() + CLOCK_MS;
  await play(server, createRandom(SEED));
  const counts = await countEvents(server);
  assert.equal(await server.stop(), 0, server.log());

  const topics = EVENT_TOPICS.map(({ name }) => name);
  const { stdout } = await run(PYTHON, [READER, broker, String(sinceMs), ...topics], { maxBuffer: OUTPUT_BYTES_MAX });
  const all = stdout.split('\n').filter((line) => line !== '');
  const records = all.map((line) => JSON.parse(line) as ReadRecord);
  const epoch = findEpoch(records, sinceMs, limitMs);
  const found = countTypes(records);
  for (const [type, count] of counts) assert.equal(found.get(type) ?? 0, count, type);

  assert.ok((counts.get('moved') ?? 0) >= PLAYERS, JSON.stringify([...counts]));
  assert.ok((counts.get('shot') ?? 0) > 20 && counts.get('spawned') === PLAYERS, JSON.stringify([...counts]));
  assert.deepEqual([...new Set(records.map(({ topic }) => topic))].sort(), [
    'game.events.combat',
    'game.events.player',
  ]);
  for (const record of records) checkFields(record, epoch);
  assert.equal(new Set(records.map(({ event }) => event.eventId)).size, records.length, 'ids are unique');
  // Nothing was dropped, so the places within each tick of a zone are all there, whatever topic they went to.
  for (const [tick, ofTick] of groupBy(records, ({ event }) => `${event.zoneId}-${event.tick}`)) {
    const positions = ofTick.map(({ event }) => positionOf(event)).sort((a, b) => a - b);
    assert.deepEqual(positions, [...positions.keys()], `places within ${tick}`);
  }
  const partitions = new Map(EVENT_TOPICS.map(({ name, partitions }) => [name, partitions]));
  for (const [key, ofKey] of groupBy(records, ({ topic, key }) => `${topic} ${key}`)) {
    const { topic, key: name } = ofKey[0];
    const partition = partitionOf(Buffer.from(name), partitions.get(topic)!);
    assert.ok(
      ofKey.every((record) => record.partition === partition),
      `${key} stays in partition ${partition}`,
    );
    const inLog = ofKey.toSorted((a, b) => a.offset - b.offset).map(({ event }) => event);
    for (const [i, event] of inLog.entries()) {
      const before = inLog[i - 1];
      const isInOrder = before === undefined || before.tick < event.tick || isLaterInTick(before, event);
      assert.ok(isInOrder, `${key}: ${before?.eventId} stands before ${event.eventId}`);
    }
  }
});

/** Of the zones of one tick thread, which run one after the other, the later ones come later. */
function isLaterInTick(before: ReadRecord['event'], event: ReadRecord['event']): boolean {
  if (before.tick !== event.tick) return false;
  if (before.zoneId !== event.zoneId) return before.zoneId < event.zoneId;
  return positionOf(before) < positionOf(event);
}
