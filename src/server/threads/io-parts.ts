// Opens what the I/O thread works with, in the order in which the parts need each other.

import { join } from 'node:path';
import { nowMs, wallMs } from '../../base/clock.js';
import { JOURNAL_FOLDER, STORES_FOLDER } from '../../base/data-folder.js';
import { CellKeeper } from '../../durability/cells/cell-keeper.js';
import { Checkpointer } from '../../durability/checkpoints/checkpointer.js';
import { BanBook } from '../../durability/commands/ban-book.js';
import { CommandLedger } from '../../durability/commands/command-ledger.js';
import { PLATFORM_TOPIC, PlatformDesk } from '../../durability/commands/platform-desk.js';
import { EVENT_TOPICS, type EventRecord, formEvent } from '../../durability/events/event-form.js';
import { EventLosses } from '../../durability/events/event-losses.js';
import { EventPump } from '../../durability/events/event-pump.js';
import { EventSpool } from '../../durability/events/event-spool.js';
import { waitUntilKept } from '../../durability/events/kept-events.js';
import { SPOOL_BYTES_MAX } from '../../durability/events/limits.js';
import { JournalWriter } from '../../durability/journal/journal-writer.js';
import { JOURNAL_SEGMENT_MS } from '../../durability/journal/limits.js';
import { openLeases, type StoreLeases } from '../../durability/lease/world-lease.js';
import { LastStoredFile } from '../../durability/recovery/last-stored.js';
import { JobPool } from '../../durability/snapshots/job-pool.js';
import { PlayerSnapshotter } from '../../durability/snapshots/player-snapshot.js';
import { Snapshotter } from '../../durability/snapshots/snapshotter.js';
import { DEPART_TO_CELL } from '../../engine/entities/columns.js';
import { EVENT_RECORD_BYTES } from '../../memory/limits.js';
import { ByteRing } from '../../memory/rings/byte-ring.js';
import { RecordRing } from '../../memory/rings/record-ring.js';
import { IoCounters } from '../../memory/tables/io-counters.js';
import { WorldBuffer } from '../../memory/world/world-buffer.js';
import { openStores, SPOOL_FOLDER, type Stores } from '../../stores/open-stores.js';
import type { Fence, Subscription } from '../../stores/store-ports.js';
import type { FromIoThread, IoBeginning, IoThreadData } from './thread-messages.js';

export interface IoContext {
  data: IoThreadData;
  beginning: IoBeginning;
  /** Module of the job thread. */
  jobEntry: URL;
  send(message: FromIoThread): void;
  /** One line for the log of the server. */
  say(line: string): void;
}

export interface IoParts {
  counters: IoCounters;
  stores: Stores;
  leases: StoreLeases;
  /** Undefined: it does not open, so events wait in memory only. */
  spool: EventSpool | undefined;
  pump: EventPump;
  bans: BanBook;
  desk: PlatformDesk;
  jobs: JobPool;
  lastStored: LastStoredFile;
  snapshotter: Snapshotter;
  playerSnapshotter: PlayerSnapshotter;
  /** Undefined: --journal-flush-ms 0. */
  journal: JournalWriter | undefined;
  /** Undefined: --checkpoint-ms 0. */
  checkpointer: Checkpointer | undefined;
  /** Undefined: the whole world is in memory. */
  cells: CellKeeper | undefined;
}

/** Resolves when events that a recovery brought forth again are on the disk: the journal may begin only then. */
export async function openIoParts(context: IoContext): Promise<IoParts> {
  const { data, beginning, jobEntry, say } = context;
  const { plan, players } = data;
  const { redis, mongodb, kafka, checkpointMs } = plan.settings;
  const { session, shape, lease, checkpoints } = beginning;
  const counters = new IoCounters(plan.io);
  const folder = join(plan.settings.data, STORES_FOLDER);
  const stores = openStores({ folder, kafka, redis, mongodb, onNotice: say });
  const leases = openLeases(stores, { redis, mongodb }, lease, say);
  leases.hot?.keep();
  leases.cold?.keep();
  const losses = new EventLosses(data.eventNames, counters, say);
  const spool = openSpool(folder, losses);
  const pump = openPump(context, stores, losses, spool);
  const { bans, desk } = openDesk(context, stores, counters);
  const worlds = plan.worlds.map((buffer) => new WorldBuffer(buffer, plan.layout));
  const jobs = new JobPool({ entry: jobEntry });
  const requireFence = (store: 'hot' | 'cold'): Fence | undefined => leases[store]?.require();
  const whenKept = (): Promise<void> => waitUntilKept(pump, counters, nowMs);
  const { epoch } = session;
  const { hot, cold } = stores;
  const lastStored = new LastStoredFile(plan.settings.data, shape.worldId, say);
  const snapshotter = new Snapshotter(
    ...([worlds, shape, epoch, hot, cold, jobs, counters, say, requireFence, whenKept] as const),
    (store, zones) => lastStored.noteSnapshot(store, zones),
  );
  const playerSnapshotter = new PlayerSnapshotter(worlds, shape.worldId, players, hot, counters, say);
  // They are safe before the journal of this session begins: from then on nobody runs the ticks again that they come from.
  await pump.takeUp(formRecovered(context));
  /** Nobody else keeps a world in this store as long as the lease is ours. */
  const mayDrop = (): boolean => leases.cold?.isHeld ?? true;
  const checkpointer =
    checkpointMs === 0
      ? undefined
      : new Checkpointer({ worlds, plan: checkpoints, store: cold, counters, say, mayDrop });
  return {
    ...{
      counters,
      stores,
      leases,
      spool,
      pump,
      bans,
      desk,
      jobs,
      lastStored,
      snapshotter,
      playerSnapshotter,
      checkpointer,
    },
    journal: openJournal(context, worlds, counters, whenKept, lastStored),
    cells: openCells(context, worlds, stores, counters, mayDrop),
  };
}

/** Resolves at once with a log that answers; one that does not is asked on, and the topics are made when it does. */
export async function subscribeToPlatform(
  { stores, desk }: Pick<IoParts, 'stores' | 'desk'>,
  say: (line: string) => void,
): Promise<Subscription> {
  await stores.log
    .createTopics([...EVENT_TOPICS, PLATFORM_TOPIC])
    .catch((error: Error) => say(`topics are not made yet: ${error.message}`));
  return desk.subscribe(stores.log);
}

/** A spool that does not open leaves events to wait in memory alone: worse, but no reason to take none. */
function openSpool(folder: string, losses: EventLosses): EventSpool | undefined {
  try {
    return new EventSpool(join(folder, SPOOL_FOLDER), SPOOL_BYTES_MAX, losses);
  } catch (error) {
    losses.counters.add('spoolFailures', 1);
    losses.say(`there is no event spool, events wait in memory only: ${(error as Error).message}`);
    return undefined;
  }
}

function openPump(
  { data, beginning }: IoContext,
  stores: Stores,
  losses: EventLosses,
  spool: EventSpool | undefined,
): EventPump {
  const { plan, eventNames, eventForms } = data;
  const { epoch, originMs } = beginning.session;
  const rings = plan.events.map((buffer) => new RecordRing(buffer));
  const eventContext = { names: eventNames, forms: eventForms, epoch, originMs, tickHz: plan.settings.tickHz };
  return new EventPump(rings, stores.log, eventContext, losses, spool);
}

function openDesk(
  { send, say }: IoContext,
  stores: Stores,
  counters: IoCounters,
): { bans: BanBook; desk: PlatformDesk } {
  const bans = new BanBook(stores.cold, say);
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
  return { bans, desk };
}

function openJournal(
  { data, beginning, say }: IoContext,
  worlds: WorldBuffer[],
  counters: IoCounters,
  whenKept: () => Promise<void>,
  lastStored: LastStoredFile,
): JournalWriter | undefined {
  const { plan } = data;
  const { settings } = plan;
  const { session, shape } = beginning;
  if (settings.journalFlushMs === 0) return undefined;
  return new JournalWriter({
    folder: join(settings.data, JOURNAL_FOLDER),
    epoch: session.epoch,
    worlds,
    rings: plan.journals.map((buffer) => new ByteRing(buffer)),
    shape,
    session,
    segmentMs: JOURNAL_SEGMENT_MS,
    keepMs: settings.journalKeepMinutes * 60000,
    hashEveryTicks: settings.hashEveryTicks,
    counters,
    say,
    whenKept,
    onSegment: (number) => lastStored.noteSegment({ epoch: session.epoch, number }),
  });
}

function openCells(
  { data, beginning, say }: IoContext,
  worlds: WorldBuffer[],
  stores: Stores,
  counters: IoCounters,
  mayDrop: () => boolean,
): CellKeeper | undefined {
  const { cells } = data.plan;
  if (cells === undefined) return undefined;
  return new CellKeeper({
    worlds,
    plan: cells,
    departToCell: DEPART_TO_CELL,
    store: stores.cold,
    worldId: beginning.shape.worldId,
    earlierWorlds: beginning.earlierWorlds,
    mayDrop,
    counters,
    say,
    startedMs: wallMs(),
    now: nowMs,
  });
}

/** In their outward form, under the names that they had in the session that is gone. */
function* formRecovered({ data, beginning }: IoContext): Iterable<EventRecord> {
  const { recoveredEvents } = beginning;
  if (recoveredEvents === undefined) return;
  const { records, ...then } = recoveredEvents;
  const context = { names: data.eventNames, forms: data.eventForms, ...then };
  const view = new DataView(records.buffer, records.byteOffset, records.byteLength);
  for (let at = 0; at < records.length; at += EVENT_RECORD_BYTES) yield formEvent(view, at, context);
}
