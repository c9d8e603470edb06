// Events while the log is away: memory, then the disk, then the log again, in order and over restarts.

import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { pack } from 'msgpackr';
import { createRandom } from '../../../src/base/chance.js';
import { EVENT_TOPICS, type EventRecord } from '../../../src/durability/events/event-form.js';
import { EventLosses } from '../../../src/durability/events/event-losses.js';
import { EventPump } from '../../../src/durability/events/event-pump.js';
import { openEmbeddedEventLog } from '../../../src/stores/embedded/embedded-event-log.js';
import { EmbeddedStore } from '../../../src/stores/embedded/embedded-store.js';
import type { EventLog } from '../../../src/stores/store-ports.js';
import { openFolder, until } from '../../folder.js';
import { CONTEXT, NAMES, PumpStage, range, readNumbers } from './pump-stage.js';

const SEED = Number(process.env.TESSERA_SEED ?? 1);
const ROUNDS = Number(process.env.TESSERA_KILLS ?? 8);
const KILLED_CHILD = fileURLToPath(new URL('./spool-child.js', import.meta.url));
const FULL_CHILD = fileURLToPath(new URL('./full-spool-child.js', import.meta.url));
const LOW = 2;
const ascending = (a: number, b: number): number => a - b;

async function openLog(t: TestContext): Promise<{ folder: string; log: EventLog }> {
  const folder = openFolder(t);
  const log = openEmbeddedEventLog({ folder: join(folder, 'log') });
  await log.createTopics(EVENT_TOPICS);
  t.after(() => log.close());
  return { folder, log };
}

async function assertInOrder(log: EventLog, expected: readonly number[]): Promise<void> {
  const { numbers, lists } = await readNumbers(log);
  assert.deepEqual(numbers, expected);
  for (const list of lists)
    assert.deepEqual(
      list,
      list.toSorted((a, b) => a - b),
      'order of a key',
    );
}

test('what memory has no room for waits on the disk, and all of it reaches the log in order', async (t) => {
  const { folder, log } = await openLog(t);
  const stage = new PumpStage(folder, log);
  await stage.emitAll(0, 500);
  stage.state = 'down';
  await stage.emitAll(500, 8000);
  assert.ok(stage.counters.get('eventsSpooled') > 6000);
  assert.ok(stage.counters.get('spoolBytes') > 0);
  assert.equal(stage.counters.get('spoolEvents') + stage.counters.get('eventsWaiting'), 7500);
  stage.state = 'up';
  // New ones come while the spool drains.
  await stage.emitAll(8000, 9000);
  await stage.drain();
  await assertInOrder(log, range(0, 9000));
  assert.equal(stage.counters.get('eventsDropped'), 0);
  assert.equal(stage.counters.get('spoolBytes'), 0);
  await stage.stop();
});

test('an outage is told in a few lines, however long it is', async (t) => {
  const { folder, log } = await openLog(t);
  const stage = new PumpStage(folder, log);
  stage.state = 'down';
  await stage.emitAll(0, 8000);
  stage.state = 'up';
  await stage.drain();
  await stage.stop();
  assert.ok(stage.counters.get('appendFailures') > 10);
  assert.equal(stage.lines.length, 4, stage.lines.join('\n'));
});

test('what a stop leaves behind goes first at the next start, over several of them', async (t) => {
  const { folder, log } = await openLog(t);
  for (let run = 0; run < 3; run++) {
    const stage = new PumpStage(folder, log);
    stage.state = 'down';
    // The first stops with its events in memory, the others with most of them on the disk.
    await stage.emitAll(run * 3000, run * 3000 + (run === 0 ? 600 : 3000));
    await stage.stop();
    assert.equal(stage.counters.get('eventsWaiting'), 0);
  }
  const stage = new PumpStage(folder, log);
  await stage.emitAll(9000, 10000);
  await stage.drain();
  await stage.stop();
  await assertInOrder(log, [...range(0, 600), ...range(3000, 10000)]);
});

test('a batch of which nobody knows whether it was taken is kept, before what was spooled behind it', async (t) => {
  const { folder, log } = await openLog(t);
  const first = new PumpStage(folder, log);
  first.state = 'hanging';
  await first.emitAll(0, 4000);
  assert.ok(first.counters.get('eventsSpooled') > 0);
  await first.stop(50);
  const second = new PumpStage(folder, log);
  await second.drain();
  await second.stop();
  const { numbers, lists } = await readNumbers(log);
  assert.deepEqual([...new Set(numbers)], range(0, 4000));
  for (const list of lists) {
    const firstOnes = [...new Set(list)];
    assert.deepEqual(
      firstOnes,
      firstOnes.toSorted((a, b) => a - b),
      'order of the first occurrences of a key',
    );
  }
});

function createGate(): { opened: Promise<void>; open: () => void } {
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

/** What a process that is killed now leaves: no flush, nothing of its memory. */
async function readAfterKill(folder: string, log: EventLog, killed: PumpStage): Promise<number[]> {
  killed.state = 'hanging';
  await killed.spool.close();
  const stage = new PumpStage(folder, log);
  await stage.drain();
  await stage.stop();
  const { numbers, lists } = await readNumbers(log);
  for (const list of lists) assert.deepEqual([...new Set(list)], [...new Set(list)].toSorted(ascending));
  return [...new Set(numbers)];
}

test('while the log is away, a kill loses nothing that came before the last beats', async (t) => {
  const { folder, log } = await openLog(t);
  const stage = new PumpStage(folder, log);
  await stage.emitAll(0, 100);
  stage.state = 'down';
  await stage.emitAll(100, 700, 7);
  await stage.beat();
  assert.equal(stage.counters.get('eventsWaiting'), 0);
  assert.deepEqual(await readAfterKill(folder, log, stage), range(0, 700));
});

test('while the log is silent, a kill loses neither what it was offered nor what waits behind it', async (t) => {
  const { folder } = await openLog(t);
  const log = openEmbeddedEventLog({ folder: join(folder, 'other') });
  t.after(() => log.close());
  await log.createTopics(EVENT_TOPICS);
  const stage = new PumpStage(folder, undefined);
  stage.state = 'hanging';
  await stage.emitAll(0, 400, 30);
  await stage.beat();
  assert.equal(stage.counters.get('eventsWaiting'), 0);
  assert.deepEqual(await readAfterKill(folder, log, stage), range(0, 400));
});

test('a log that is silent for a while and then takes what it was offered has each event once, and nobody is told', async (t) => {
  const { folder, log } = await openLog(t);
  const stage = new PumpStage(folder, log);
  for (const answersFirst of [true, false]) {
    const [logGate, spoolGate] = [createGate(), createGate()];
    stage.logGate = logGate.opened;
    stage.spoolGate = spoolGate.opened;
    const from = answersFirst ? 0 : 300;
    for (let beat = 0; beat < 3; beat++) {
      for (let n = 0; n < 100; n++) stage.emit(from + beat * 100 + n);
      stage.nowMs += 1000;
      stage.pump.run(stage.nowMs);
    }
    const { appending, spilling } = stage.underWay;
    assert.ok(appending !== undefined && spilling !== undefined, 'a copy goes to the disk');
    for (const gate of answersFirst ? [logGate, spoolGate] : [spoolGate, logGate]) {
      gate.open();
      await (gate === logGate ? appending : spilling);
    }
    await stage.drain();
  }
  await stage.stop();
  await assertInOrder(log, range(0, 600));
  assert.deepEqual(stage.lines, []);
});

test('an answer of the log at the very end takes nothing away from what goes to the disk', async (t) => {
  const { folder, log } = await openLog(t);
  const stage = new PumpStage(folder, undefined);
  const answer = createGate();
  stage.logGate = answer.opened;
  for (let n = 0; n < 600; n++) stage.emit(n);
  // The first batch is under way when time is over. Its answer comes while it goes to the disk, and the log is silent from then on.
  const write = stage.spool.write;
  let writes = 0;
  stage.spool.write = async (events, place) => {
    if (++writes === 1) {
      stage.state = 'up';
      answer.open();
      await stage.underWay.appending;
      stage.state = 'hanging';
      await new Promise((resolve) => setImmediate(resolve));
    }
    return write(events, place);
  };
  await stage.pump.flush(0, () => 1);
  assert.deepEqual(await readAfterKill(folder, log, stage), range(0, 600));
});

test('events that come a few at a time make few rows, and one that is there twice is read once', async (t) => {
  const { folder, log } = await openLog(t);
  const stage = new PumpStage(folder, log);
  stage.state = 'down';
  await stage.emitAll(0, 60, 10);
  const store = new EmbeddedStore(join(folder, 'spool'));
  const read = () => [...store.table('events').rows({})].map((row) => ({ ...row, key: Buffer.from(row.key) }));
  const early = read().map(({ key, value }) => ({ key, value: Buffer.from(value) }));
  await stage.emitAll(60, 3000, 10);
  const rows = read();
  assert.ok(rows.length < 30, `${rows.length} rows for 3,000 events`);
  // As a thread leaves it that is ended between the new row and the removal of the old one.
  const later = early.map(({ key, value }) => ({ key: Buffer.from(key), value }));
  await store.write(() => {
    for (const { key, value } of later) store.table('events').put(key, value);
  });
  await store.close();
  await stage.spool.close();
  stage.state = 'hanging';
  const second = new PumpStage(folder, log);
  await second.drain();
  await second.stop();
  await assertInOrder(log, range(0, 3000));
});

test('what a thread had in memory that ended is counted by the next one', async (t) => {
  const { folder, log } = await openLog(t);
  const first = new PumpStage(folder, log);
  first.state = 'hanging';
  for (let n = 0; n < 30; n++) first.emit(n);
  first.pump.run(1);
  assert.equal(first.counters.get('eventsWaiting'), 30);
  const lines: string[] = [];
  const losses = new EventLosses(NAMES, first.counters, (line) => lines.push(line));
  new EventPump([], log, CONTEXT, losses, first.spool);
  assert.equal(first.counters.get('eventsDropped'), 30);
  assert.equal(first.counters.get('eventsWaiting'), 0);
  assert.match(lines.join('\n'), /30 events in memory/);
  await first.spool.close();
});

test('a batch that is refused after others behind it were spooled goes to the disk before them', async (t) => {
  const { folder, log } = await openLog(t);
  const stage = new PumpStage(folder, log);
  const gate = createGate();
  stage.logGate = gate.opened;
  for (let n = 0; n < 2000; n++) stage.emit(n);
  for (let i = 0; i < 5; i++) {
    stage.pump.run(0);
    await stage.underWay.spilling;
  }
  const spooled = stage.counters.get('eventsSpooled');
  assert.ok(spooled > 0);
  stage.state = 'down';
  gate.open();
  await stage.underWay.appending;
  const failures = stage.counters.get('appendFailures');
  stage.nowMs = 1e6;
  stage.pump.run(stage.nowMs);
  await stage.underWay.spilling;
  assert.equal(stage.counters.get('appendFailures'), failures, 'it is on the disk before it is tried again');
  assert.ok(stage.counters.get('eventsSpooled') > spooled);
  stage.state = 'up';
  await stage.drain();
  await stage.stop();
  await assertInOrder(log, range(0, 2000));
});

test('a disk that is always at work does not keep the log from being asked again', async (t) => {
  const { folder, log } = await openLog(t);
  const stage = new PumpStage(folder, log);
  stage.state = 'down';
  await stage.emitAll(0, 500);
  stage.state = 'up';
  stage.nowMs += 10000;
  let n = 500;
  for (let round = 0; round < 20; round++) {
    const gate = createGate();
    stage.spoolGate = gate.opened;
    // A write takes longer than writes are apart.
    for (let beat = 0; beat < 10; beat++) {
      stage.emit(n++);
      stage.nowMs += 15;
      stage.pump.run(stage.nowMs);
    }
    const { spilling } = stage.underWay;
    gate.open();
    await spilling;
    await stage.underWay.appending;
  }
  const appended = stage.counters.get('eventsAppended');
  assert.ok(appended >= 500, `${appended} of ${n} are in the log`);
  await stage.drain();
  await stage.stop();
  await assertInOrder(log, range(0, n));
});

test('many events behind a log that is held up for long do not stay in memory', async (t) => {
  const { folder, log } = await openLog(t);
  const limits = { waitingMax: 200_000, spillingMax: 100_000, perAppendMax: 5000, drainPerSecond: 1 };
  const stage = new PumpStage(folder, log, limits);
  stage.state = 'down';
  await stage.emitAll(0, 60_000, 4000);
  stage.state = 'up';
  for (let beats = 0; beats < 2; beats++) await stage.beat();
  for (let n = 60_000; n < 72_000; n++) stage.emit(n);
  for (let beats = 0; beats < 6; beats++) await stage.beat();
  assert.ok(stage.counters.get('spoolEvents') > 20_000, 'it drains slowly');
  assert.equal(stage.counters.get('eventsWaiting'), 0);
  await stage.spool.close();
});

test('nothing of memory overtakes what is on its way to the disk', async (t) => {
  const { folder, log } = await openLog(t);
  const stage = new PumpStage(folder, log);
  stage.state = 'down';
  await stage.emitAll(0, 900);
  const gate = createGate();
  stage.spoolGate = gate.opened;
  stage.state = 'up';
  for (let n = 900; n < 1500; n++) stage.emit(n);
  for (let i = 0; i < 5; i++) {
    stage.nowMs += 10000;
    stage.pump.run(stage.nowMs);
    await stage.underWay.appending;
  }
  gate.open();
  await stage.underWay.spilling;
  await stage.drain();
  await stage.stop();
  await assertInOrder(log, range(0, 1500));
});

test('over the cap the oldest of low value go first, counted by type; the rest stays in order', async (t) => {
  const { folder, log } = await openLog(t);
  const stage = new PumpStage(folder, log, {}, 500_000);
  stage.state = 'down';
  await stage.emitAll(0, 6000);
  const { eventTypesDropped } = stage.counters;
  assert.ok(eventTypesDropped[LOW] > 0);
  assert.deepEqual([...eventTypesDropped.subarray(0, LOW)], [0, 0], 'only of low value as long as there are any');
  assert.ok(stage.counters.get('spoolBytes') <= 500_000);
  await stage.emitAll(6000, 9000);
  assert.ok(eventTypesDropped[0] > 0 && eventTypesDropped[1] > 0, 'then the oldest of all');
  assert.ok(stage.counters.get('spoolBytes') <= 500_000);
  stage.state = 'up';
  await stage.drain();
  await stage.stop();
  const { numbers, lists } = await readNumbers(log);
  assert.equal(numbers.length + stage.counters.get('eventsDropped'), 9000);
  for (const list of lists)
    assert.deepEqual(
      list,
      list.toSorted((a, b) => a - b),
    );
  // Beside the oldest batch, which was being offered to the log all the time.
  const others = numbers.filter((n) => n % 3 !== LOW && n >= 100);
  const newest = range(others[0], 9000).filter((n) => n % 3 !== LOW);
  assert.deepEqual(others, newest, 'the newest, without a gap');
  assert.match(stage.lines.join('\n'), /dropped: .*\d+ moved/);
});

test('the spool drains no faster than it may, beside as much as arrives', async (t) => {
  const { folder, log } = await openLog(t);
  const stage = new PumpStage(folder, log, { drainPerSecond: 2 });
  stage.state = 'down';
  await stage.emitAll(0, 6000);
  stage.state = 'up';
  const before = stage.counters.get('eventsUnspooled');
  await stage.beat();
  const beats = 20;
  for (let i = 0; i < beats; i++) {
    for (let k = 0; k < 50; k++) stage.emit(6000 + i * 50 + k);
    await stage.beat();
  }
  // A beat is 10 s here: 50 arrive, 20 are allowed, and 100 may be saved up and a sequence of 600 taken ahead.
  // Unbounded: all 6,000.
  const drained = stage.counters.get('eventsUnspooled') - before;
  assert.ok(drained >= beats * 50 && drained <= beats * 70 + 700, String(drained));
  await stage.drain();
  await stage.stop();
  await assertInOrder(log, range(0, 7000));
});

test('a row that does not verify is skipped and told, the others are not', async (t) => {
  const { folder, log } = await openLog(t);
  const first = new PumpStage(folder, log);
  first.state = 'down';
  await first.emitAll(0, 4000);
  await first.stop();
  const store = new EmbeddedStore(join(folder, 'spool'));
  const table = store.table('events');
  const rows = [...table.rows({})].map(({ key, value }) => ({ key: Buffer.from(key), value: Buffer.from(value) }));
  await store.write(() => {
    rows[6].value[rows[6].value.length >> 1] ^= 4;
    table.put(rows[6].key, rows[6].value);
    table.put(rows[9].key, rows[9].value.subarray(0, 100));
    table.put(Buffer.from('stray'), Buffer.from('no row'));
  });
  await store.close();
  const second = new PumpStage(folder, log);
  await second.drain();
  await second.stop();
  const lost = rows[6].key.readUInt32BE(9) + rows[9].key.readUInt32BE(9);
  assert.equal(second.counters.get('spoolRowsDamaged'), 2);
  assert.equal(second.counters.get('eventsDropped'), lost);
  assert.equal(second.lines.filter((line) => /does not verify/.test(line)).length, 2);
  const { numbers, lists } = await readNumbers(log);
  assert.equal(numbers.length, 4000 - lost);
  for (const list of lists)
    assert.deepEqual(
      list,
      list.toSorted((a, b) => a - b),
    );
});

test('a spool that does not write is counted and told, and memory lets the oldest of low value go', async (t) => {
  const { folder, log } = await openLog(t);
  const stage = new PumpStage(folder, log);
  stage.state = 'down';
  await stage.spool.close();
  await stage.emitAll(0, 2500);
  assert.ok(stage.counters.get('spoolFailures') > 1);
  assert.equal(stage.lines.filter((line) => /did not write/.test(line)).length, 1);
  assert.equal(stage.counters.get('eventsDropped'), 500);
  assert.equal(stage.counters.eventTypesDropped[LOW], 500);
  stage.state = 'up';
  await stage.stop();
  const { numbers } = await readNumbers(log);
  assert.equal(numbers.length, 2000);
});

test('events of a former run are on the disk before anything else happens, and reach the log before new ones', async (t) => {
  const { folder, log } = await openLog(t);
  const event = (n: number): EventRecord => ({
    topic: 'game.events.combat',
    key: String(n % 7),
    value: pack({ tick: n }),
    timestampMs: n,
    type: 'died',
    isLow: false,
  });
  const killed = new PumpStage(folder, undefined);
  await killed.pump.takeUp(range(0, 1050).map(event));
  assert.equal(killed.spool.eventCount, 1050);
  await killed.spool.close(); // and no more than that: the process is gone
  const stage = new PumpStage(folder, log);
  await stage.pump.takeUp(range(1050, 1100).map(event));
  await stage.emitAll(1100, 1200);
  await stage.drain();
  await assertInOrder(log, range(0, 1200));
  await stage.stop();
});

test('without a disk, events of a former run wait in memory', async (t) => {
  const { folder, log } = await openLog(t);
  const stage = new PumpStage(folder, log);
  await stage.spool.close();
  const value = pack({ tick: 3 });
  await stage.pump.takeUp([
    { topic: 'game.events.combat', key: 'k', value, timestampMs: 3, type: 'died', isLow: false },
  ]);
  assert.equal(stage.counters.get('spoolFailures'), 1);
  await stage.beat();
  assert.deepEqual((await readNumbers(log)).numbers, [3]);
});

test('on a full disk the pump goes on, and what was spooled reaches the log', { timeout: 60000 }, async () => {
  // Blocks of 512 or 1,024 bytes, as the shell has it.
  const command = `ulimit -f 1500; exec "${process.execPath}" "${FULL_CHILD}"`;
  const { stdout } = await promisify(execFile)('sh', ['-c', command]);
  const { emitted, spooled, appended, dropped, moved, failures, lines } = JSON.parse(stdout);
  assert.ok(spooled > 1000 && failures > 0, stdout);
  assert.equal(appended + dropped, emitted);
  assert.ok(moved > 0);
  assert.ok(lines.length < 12, lines.join('\n'));
});

test('kill -9 while events are spooled loses none that the spool acknowledged', { timeout: 120000 }, async (t) => {
  const { folder, log } = await openLog(t);
  const random = createRandom(SEED);
  const expected: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const first = round * 10_000_000;
    const child = spawn(process.execPath, [KILLED_CHILD, folder, String(first)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    t.after(() => child.kill('SIGKILL'));
    let text = '';
    child.stdout.on('data', (bytes) => {
      text += bytes;
    });
    const closed = new Promise((resolve) => child.once('close', resolve));
    await until('the child to spool', () => text.includes('spooled'));
    await sleep(random() * 150);
    child.kill('SIGKILL');
    await closed;
    for (const [, from, to] of text.matchAll(/^spooled (\d+) (\d+)\n/gm)) {
      expected.push(...range(Number(from), Number(to) + 1));
    }
  }
  const stage = new PumpStage(folder, log);
  await stage.drain();
  await stage.stop();
  const context = `TESSERA_SEED=${SEED}`;
  assert.equal(stage.counters.get('spoolRowsDamaged'), 0, context);
  const { numbers, lists } = await readNumbers(log);
  const present = new Set(numbers);
  for (const n of expected) assert.ok(present.has(n), `${n} was acknowledged and is gone, ${context}`);
  for (const list of lists)
    assert.deepEqual(
      list,
      list.toSorted((a, b) => a - b),
      context,
    );
});
