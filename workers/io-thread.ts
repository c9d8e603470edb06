// Entry of the I/O thread: events to the log, committed state to the stores. The only thread that a slow backend can slow.

import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { assert } from '../src/base/assert.js';
import { nowMs } from '../src/base/clock.js';
import { JOURNAL_FOLDER, STORES_FOLDER } from '../src/base/data-folder.js';
import { CellKeeper } from '../src/durability/cells/cell-keeper.js';
import { Checkpointer } from '../src/durability/checkpoints/checkpointer.js';
import { BanBook } from '../src/durability/commands/ban-book.js';
import { CommandLedger } from '../src/durability/commands/command-ledger.js';
import { PLATFORM_TOPIC, PlatformDesk } from '../src/durability/commands/platform-desk.js';
import { EVENT_TOPICS, type EventRecord, formEvent } from '../src/durability/events/event-form.js';
import { EventLosses } from '../src/durability/events/event-losses.js';
import { EventPump } from '../src/durability/events/event-pump.js';
import { EventSpool } from '../src/durability/events/event-spool.js';
import { waitUntilKept } from '../src/durability/events/kept-events.js';
import { IO_BEAT_MS, SPOOL_BYTES_MAX } from '../src/durability/events/limits.js';
import { JournalWriter } from '../src/durability/journal/journal-writer.js';
import { JOURNAL_SEGMENT_MS } from '../src/durability/journal/limits.js';
import { openLeases } from '../src/durability/lease/world-lease.js';
import { JobPool } from '../src/durability/snapshots/job-pool.js';
import { PlayerSnapshotter } from '../src/durability/snapshots/player-snapshot.js';
import { Snapshotter } from '../src/durability/snapshots/snapshotter.js';
import { DEPART_TO_CELL } from '../src/engine/entities/columns.js';
import { EVENT_RECORD_BYTES } from '../src/memory/limits.js';
import { ByteRing } from '../src/memory/rings/byte-ring.js';
import { RecordRing } from '../src/memory/rings/record-ring.js';
import { IoCounters } from '../src/memory/tables/io-counters.js';
import { WorldBuffer } from '../src/memory/world/world-buffer.js';
import type { FromIoThread, IoBeginning, IoThreadData, ToIoThread } from '../src/server/threads/thread-messages.js';
import { withDeadline } from '../src/stores/deadline.js';
import { loadBackends, openStores } from '../src/stores/open-stores.js';
import type { Subscription } from '../src/stores/store-ports.js';

/** Of a stop, for events that the log has not taken. */
const FLUSH_MS_MAX = 2500;
/** Of a stop, for a group whose log does not answer to let us go. */
const LEAVE_MS_MAX = 2000;
/** Of a stop, for checkpoints that the cold store has not taken. */
const CHECKPOINT_MS_MAX = 2500;
/** With the time to close, less than main waits for this thread. */
const LAST_SNAPSHOT_MS_MAX = 5500;
const RELEASE_MS_MAX = 500;
const CLOSE_MS_MAX = 2000;

const { plan, players, eventNames, eventForms } = workerData as IoThreadData;
const port = parentPort;
assert(port !== null, 'the I/O thread has a parent');
const send = (message: FromIoThread): void => port.postMessage(message);
const say = (line: string): void => send({ kind: 'notice', line });

const { data, kafka, redis, mongodb, tickHz, hotSnapshotMs, coldSnapshotMs, journalFlushMs } = plan.settings;
const { checkpointMs } = plan.settings;
await loadBackends({ kafka, redis, mongodb });
const { session, shape, lease, earlierWorlds, checkpoints, recoveredEvents } = await begun();
const { epoch, originMs } = session;
const counters = new IoCounters(plan.io);
const stores = openStores({ folder: join(data, STORES_FOLDER), kafka, redis, mongodb, onNotice: say });
const leases = openLeases(stores, { redis, mongodb }, lease, say);
leases.hot?.keep();
leases.cold?.keep();
const losses = new EventLosses(eventNames, counters, say);
const spool = openSpool();
const pump = new EventPump(
  plan.events.map((buffer) => new RecordRing(buffer)),
  stores.log,
  { names: eventNames, forms: eventForms, epoch, originMs, tickHz },
  losses,
  spool,
);
const bans = new BanBook(stores.cold, say);
void bans.load().then((loaded) => loaded && send({ kind: 'bans', bans: loaded }));
const ledger = new CommandLedger(stores.cold, say);
ledger.sweepDaily();
const desk = new PlatformDesk(
  (request, command) => send({ kind: 'command', request, command }),
  // Not by way of the rings' events: it is answered when the log has it, or not at all.
  (record) => stores.log.append([record]),
  counters,
  ledger,
  bans,
);
const worlds = plan.worlds.map((buffer) => new WorldBuffer(buffer, plan.layout));
const jobs = new JobPool({ entry: new URL('./job-thread.js', import.meta.url) });
const requirePlace = (store: 'hot' | 'cold'): void => leases[store]?.require();
const whenKept = (): Promise<void> => waitUntilKept(pump, counters, nowMs);
const { hot, cold } = stores;
const snapshotter = new Snapshotter(worlds, shape, epoch, hot, cold, jobs, counters, say, requirePlace, whenKept);

// They are safe before the journal of this session begins: from then on nobody runs the ticks again that they come from.
await pump.takeUp(formRecovered());
const journal = openJournal();
await journal
  ?.begin(nowMs())
  .catch((error: Error) => say(`the journal does not begin: ${error.message}; until it does, a kill loses more`));
send({ kind: 'ready' });
/** Nobody else keeps a world in this store as long as the lease is ours. */
const mayDrop = (): boolean => leases.cold?.isHeld ?? true;
const checkpointer =
  checkpointMs === 0
    ? undefined
    : new Checkpointer({
        worlds,
        plan: checkpoints,
        store: stores.cold,
        counters,
        say,
        mayDrop,
      });

const playerSnapshotter = new PlayerSnapshotter(worlds, shape.worldId, players, stores.hot, counters, say);

let isStopping = false;
// Not sooner: main's answers would find nobody who listens.
const subscribed = subscribe();

const cells =
  plan.cells &&
  new CellKeeper({
    worlds,
    plan: plan.cells,
    departToCell: DEPART_TO_CELL,
    store: stores.cold,
    worldId: shape.worldId,
    earlierWorlds,
    mayDrop,
    counters,
    say,
    startedMs: Date.now(),
    now: nowMs,
  });
const keepingCells = cells && setInterval(() => cells.run(), IO_BEAT_MS);
const pumping = setInterval(() => pump.run(nowMs()), IO_BEAT_MS);
let periods = { hotSnapshotMs, coldSnapshotMs };
let snapshotting = beginSnapshots();
const checkpointing = checkpointer && setInterval(() => checkpointer.take(), checkpointMs);

// Twice within the time that may be lost: what was written down last is never older than that.
const journaling = journal && setInterval(() => void journal.run(nowMs()), Math.max(1, journalFlushMs / 2));

port.on('message', (message: ToIoThread) => {
  if (message.kind === 'stop') void stop();
  else if (message.kind === 'settings') changePeriods(message);
  else if (message.kind === 'outcome') desk.settle(message.request, message.outcome);
  else if (message.kind === 'session') playerSnapshotter.joined(message.session);
  else if (message.kind === 'sessionOver') playerSnapshotter.left(message.client, message.epoch, message.isForGood);
  else if (message.kind === 'findPlayer') void findPlayer(message.request, message.playerId);
});

async function findPlayer(request: number, playerId: string): Promise<void> {
  try {
    send({ kind: 'player', request, player: await playerSnapshotter.find(playerId), problem: '' });
  } catch (error) {
    send({ kind: 'player', request, player: undefined, problem: (error as Error).message });
  }
}

/** Main says so when this thread has loaded and the world is recovered. */
function begun(): Promise<IoBeginning> {
  return new Promise((resolve) => {
    const listen = (message: ToIoThread): void => {
      if (message.kind !== 'begin') return;
      port?.off('message', listen);
      resolve(message.beginning);
    };
    port?.on('message', listen);
    send({ kind: 'loaded' });
  });
}

function openJournal(): JournalWriter | undefined {
  if (journalFlushMs === 0) return undefined;
  return new JournalWriter({
    folder: join(data, JOURNAL_FOLDER),
    epoch,
    worlds,
    rings: plan.journals.map((buffer) => new ByteRing(buffer)),
    shape,
    session,
    segmentMs: JOURNAL_SEGMENT_MS,
    keepMs: plan.settings.journalKeepMinutes * 60000,
    hashEveryTicks: plan.settings.hashEveryTicks,
    counters,
    say,
    whenKept,
  });
}

/** In their outward form, under the names that they had in the session that is gone. */
function* formRecovered(): Iterable<EventRecord> {
  if (recoveredEvents === undefined) return;
  const { records, ...then } = recoveredEvents;
  const context = { names: eventNames, forms: eventForms, ...then };
  const view = new DataView(records.buffer, records.byteOffset, records.byteLength);
  for (let at = 0; at < records.length; at += EVENT_RECORD_BYTES) yield formEvent(view, at, context);
}

function beginSnapshots(): NodeJS.Timeout[] {
  return [
    setInterval(() => void snapshotter.takeHot(Date.now()), periods.hotSnapshotMs),
    setInterval(() => void playerSnapshotter.take(Date.now()), periods.hotSnapshotMs),
    setInterval(() => void snapshotter.takeCold(Date.now()), periods.coldSnapshotMs),
  ];
}

/** A period that is under way begins anew, so one that did not change is left alone. */
function changePeriods(next: { hotSnapshotMs: number; coldSnapshotMs: number }): void {
  const isSame = next.hotSnapshotMs === periods.hotSnapshotMs && next.coldSnapshotMs === periods.coldSnapshotMs;
  if (isSame || isStopping) return;
  periods = next;
  for (const timer of snapshotting) clearInterval(timer);
  snapshotting = beginSnapshots();
}

/** A spool that does not open leaves events to wait in memory alone: worse, but no reason to take none. */
function openSpool(): EventSpool | undefined {
  try {
    return new EventSpool(join(data, STORES_FOLDER, 'spool'), SPOOL_BYTES_MAX, losses);
  } catch (error) {
    counters.add('spoolFailures', 1);
    say(`there is no event spool, events wait in memory only: ${(error as Error).message}`);
    return undefined;
  }
}

async function subscribe(): Promise<Subscription> {
  await stores.log
    .createTopics([...EVENT_TOPICS, PLATFORM_TOPIC])
    .catch((error: Error) => say(`topics are not made yet: ${error.message}`));
  return desk.subscribe(stores.log);
}

/** Commits what was answered; what was not comes again after the next start. */
async function leaveGroup(): Promise<void> {
  const stopped = subscribed.then((subscription) => subscription.stop());
  await Promise.race([stopped, sleep(LEAVE_MS_MAX, undefined, { ref: false })]).catch((error: Error) =>
    say(`the platform's commands: ${error.message}`),
  );
}

/** A backend that has fallen silent must not keep the rest from its end. */
async function within(limitMs: number, work: Promise<void>, complaint: string): Promise<void> {
  await withDeadline(work, limitMs, complaint).catch((error: Error) => say(error.message));
}

async function stop(): Promise<void> {
  isStopping = true;
  for (const timer of [pumping, keepingCells, journaling, checkpointing, ...snapshotting]) {
    clearInterval(timer);
  }
  const [eventsLost] = await Promise.all([
    pump.flush(nowMs() + FLUSH_MS_MAX, nowMs),
    leaveGroup().then(() => bans.stop()),
    journal?.close(nowMs()),
    within(LAST_SNAPSHOT_MS_MAX, snapshotter.takeLast(Date.now()), 'the last snapshot is not acknowledged'),
    within(LAST_SNAPSHOT_MS_MAX, playerSnapshotter.takeLast(Date.now), 'the last of players is not acknowledged'),
    checkpointer?.stop(CHECKPOINT_MS_MAX),
  ]);
  const released = Promise.allSettled([leases.hot?.release(), leases.cold?.release()]);
  await Promise.race([released, sleep(RELEASE_MS_MAX, undefined, { ref: false })]);
  await Promise.all([within(CLOSE_MS_MAX, stores.close(), 'the stores do not close'), spool?.close(), jobs.close()]);
  send({ kind: 'stopped', eventsLost });
  port?.close();
}
