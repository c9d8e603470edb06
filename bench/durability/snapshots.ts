// What snapshots cost the ticks: a real tick thread, started by the supervisor, and a real I/O thread with its job pool and
// the embedded stores, started by its keeper; no sockets, journal or checkpoints, and bots that move. Rounds with a hot snapshot every second and
// rounds with none take turns in one run, so that both see the same machine; both have an I/O thread, which is started anew
// for each round.
//
// Times of ticks are the upper bounds of the histogram's buckets, which are 5% apart. The checksum is of the world at a tick
// that was counted, before any clock runs, after it has gone through a snapshot and back.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { assert } from '../../src/base/assert.js';
import type { Log } from '../../src/base/log.js';
import { planCheckpoints } from '../../src/durability/checkpoints/checkpoint-plan.js';
import { describeSession } from '../../src/durability/journal/journal-session.js';
import { shapeOf } from '../../src/durability/recovery/recovery.js';
import { copyZone, decodeZone, packZone } from '../../src/durability/snapshots/zone-snapshot.js';
import type { WorldPlan } from '../../src/engine/plan/world-plan.js';
import { IoCounters } from '../../src/memory/tables/io-counters.js';
import { bucketLimitMs, percentileMs, ThreadControl } from '../../src/memory/tables/thread-control.js';
import { PlayerDesk } from '../../src/server/main/player-desk.js';
import { IoKeeper } from '../../src/server/threads/io-keeper.js';
import { Supervisor } from '../../src/server/threads/supervisor.js';
import { type BenchModule, type BenchOptions, type BenchRow, foldChecksum } from '../bench.js';
import { HeadlessWorld, worldSide } from '../engine/headless-world.js';

const GAME_URL = new URL('../../src/games/arena/game.js', import.meta.url).href;
const SEEN = 40;
const VIEW_RADIUS = 24;
const ENTITIES = [2000, 100_000];
const CHECKED_TICKS = 30;
/** As good as never: the longest time a timer takes. */
const NEVER_MS = 2 ** 31 - 1;
const POLL_MS = 10;
const FIRST_MS_MAX = 20_000;

interface Pace {
  roundsEach: number;
  /** From the start of an I/O thread to the first tick that counts: loading it takes a processor too. */
  settleMs: number;
  roundMs: number;
  snapshotMs: number;
}

const PACE: Pace = { roundsEach: 4, settleMs: 1800, roundMs: 5000, snapshotMs: 1000 };
const SMALL_PACE: Pace = { roundsEach: 1, settleMs: 300, roundMs: 400, snapshotMs: 100 };

export const bench: BenchModule = {
  name: 'snapshots',
  summary: 'ticks with a hot snapshot every second and with none in turns, and what a snapshot takes',
  async run(options: BenchOptions): Promise<BenchRow[]> {
    const rows: BenchRow[] = [];
    for (const entities of options.small ? ENTITIES.slice(0, 1) : ENTITIES) {
      rows.push(...(await measure(entities, options)));
    }
    return rows;
  },
};

async function measure(entities: number, { small, seed }: BenchOptions): Promise<BenchRow[]> {
  const folder = mkdtempSync(join(tmpdir(), 'tessera-bench-'));
  const world = createWorld(entities, seed, folder);
  const checksum = checkWorld(world);
  const { plan, settings } = world;
  plan.originMs = performance.timeOrigin + performance.now() - (world.tick * 1000) / settings.tickHz;
  const supervisor = new Supervisor({ plan, gameUrl: GAME_URL, log: ERRORS_ONLY, onReplaced: () => {} });
  try {
    await supervisor.start();
    const pace = small ? SMALL_PACE : PACE;
    const without = new TickTimes(plan);
    const during = new TickTimes(plan);
    const snapshots: SnapshotSample[] = [];
    for (let round = 0; round < pace.roundsEach; round++) {
      await runRound(world, pace, NEVER_MS, without, snapshots);
      await runRound(world, pace, pace.snapshotMs, during, snapshots);
    }
    assert(supervisor.restarts === 0, 'no tick thread fails in a bench', supervisor.restarts);
    const name = `${entities.toLocaleString('en-US')} entities`;
    return [
      without.row(`tick, ${name}, no snapshots`, foldChecksum(checksum, 0)),
      during.row(`tick, ${name}, hot snapshot every ${pace.snapshotMs} ms`, foldChecksum(checksum, 1)),
      copyRow(name, snapshots, foldChecksum(checksum, 2)),
      jobRow(name, snapshots, foldChecksum(checksum, 3)),
    ];
  } finally {
    await supervisor.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

function createWorld(entities: number, seed: number, folder: string): HeadlessWorld {
  const side = worldSide(entities, SEEN, VIEW_RADIUS);
  return new HeadlessWorld({
    worldWidth: side,
    worldHeight: side,
    viewRadius: VIEW_RADIUS,
    bots: entities,
    entitiesPerZone: Math.ceil((entities * 1.2 + 4096) / 64) * 64,
    clientsMax: 16,
    data: folder,
    coldSnapshotMs: NEVER_MS,
    journalFlushMs: 0,
    checkpointMs: 0,
    seed,
  });
}

/** The world some ticks on, by way of a snapshot. */
function checkWorld(world: HeadlessWorld): number {
  for (let i = 0; i < CHECKED_TICKS; i++) world.runTick();
  const { settings, game, plan } = world;
  const copy = copyZone(world.hosts[0].zone.buffer, { ...shapeOf(settings, game, plan), worldId: '' }, plan.epoch, 0);
  assert(copy !== undefined, 'nobody commits while this thread copies');
  const { columns } = decodeZone(packZone(copy).bytes);
  let checksum = 0;
  for (const cells of columns.values()) {
    for (let row = 0; row < cells.length; row++) checksum = foldChecksum(checksum, cells[row]);
  }
  return checksum;
}

interface SnapshotSample {
  copyMs: number;
  jobMs: number;
  rawBytes: number;
  bytes: number;
}

async function runRound(
  { plan, settings, game }: HeadlessWorld,
  { settleMs, roundMs }: Pace,
  hotSnapshotMs: number,
  times: TickTimes,
  snapshots: SnapshotSample[],
): Promise<void> {
  const paced = { ...plan, settings: { ...settings, hotSnapshotMs } };
  const shape = { ...shapeOf(settings, game, plan), worldId: '' };
  const data = {
    plan: paced,
    players: { kinds: game.kinds, fields: [] },
    eventNames: game.events,
    eventForms: game.eventForms ?? {},
  };
  const beginning = {
    session: describeSession(plan, game),
    shape,
    earlierWorlds: [],
    lease: { folder: '', token: '', worldId: '', server: '' },
    checkpoints: planCheckpoints(game, settings, { worldId: '', startedAtMs: 0 }),
    recoveredEvents: undefined,
  };
  const io = new IoKeeper({
    data,
    log: ERRORS_ONLY,
    desk: new PlayerDesk(ERRORS_ONLY),
    obey: async () => ({ ok: false, reason: 'a bench obeys nobody' }),
    onBans: () => {},
    onStatus: () => {},
  });
  const counters = new IoCounters(plan.io);
  const taken = counters.get('hotSnapshots');
  try {
    io.open();
    await io.load();
    await io.begin(beginning);
    await sleep(settleMs);
    // The first one starts the job thread, once in the life of a server.
    if (hotSnapshotMs !== NEVER_MS) await untilTaken(counters, taken + 1);
    times.begin();
    await watchSnapshots(counters, roundMs, snapshots);
    times.end();
  } finally {
    await io.stop();
  }
}

async function untilTaken(counters: IoCounters, count: number): Promise<void> {
  const deadlineMs = performance.now() + FIRST_MS_MAX;
  while (counters.get('hotSnapshots') < count) {
    assert(performance.now() < deadlineMs, 'the I/O thread takes snapshots', counters.get('hotSnapshots'));
    await sleep(POLL_MS);
  }
}

/** The counters tell of the last snapshot only, so they are looked at much more often than there is one. */
async function watchSnapshots(counters: IoCounters, forMs: number, snapshots: SnapshotSample[]): Promise<void> {
  const endMs = performance.now() + forMs;
  let seen = counters.get('hotSnapshots');
  while (performance.now() < endMs) {
    await sleep(POLL_MS);
    const taken = counters.get('hotSnapshots');
    if (taken === seen) continue;
    seen = taken;
    snapshots.push({
      copyMs: counters.get('snapshotMs'),
      jobMs: counters.get('snapshotJobMs'),
      rawBytes: counters.get('snapshotRawBytes'),
      bytes: counters.get('snapshotBytes'),
    });
  }
  assert(counters.get('hotFailures') === 0, 'every snapshot is taken', counters.get('hotFailures'));
}

/** Of all rounds of one kind. */
class TickTimes {
  private readonly control: ThreadControl;
  private readonly counts: Float64Array;
  private readonly roundsP99: number[] = [];
  private phasesMs = 0;
  private begun: { histogram: Uint32Array; phasesMs: number } | undefined;

  constructor(plan: WorldPlan) {
    this.control = new ThreadControl(plan.controls[0]);
    this.counts = new Float64Array(this.control.histogram.length);
  }

  begin(): void {
    this.begun = { histogram: this.control.histogram.slice(), phasesMs: sum(this.control.phaseMs) };
  }

  end(): void {
    assert(this.begun !== undefined, 'a round begins before it ends');
    const { histogram, phasesMs } = this.begun;
    const counts = this.control.histogram.map((count, bucket) => count - histogram[bucket]);
    for (const [bucket, count] of counts.entries()) this.counts[bucket] += count;
    this.roundsP99.push(percentileMs(counts, 0.99));
    this.phasesMs += sum(this.control.phaseMs) - phasesMs;
  }

  row(name: string, checksum: number): BenchRow {
    const { counts } = this;
    const ticks = sum(counts);
    const meanMs = this.phasesMs / ticks;
    const maxMs = bucketLimitMs(counts.findLastIndex((count) => count > 0));
    const p99s = this.roundsP99.map((ms) => ms.toFixed(2)).join(', ');
    return {
      name,
      perSecond: 1000 / meanMs,
      meanUs: meanMs * 1000,
      p99Us: percentileMs(counts, 0.99) * 1000,
      samples: ticks,
      checksum,
      note: `p50 ${percentileMs(counts, 0.5).toFixed(2)}, max ${maxMs.toFixed(2)} ms; p99 of each round ${p99s} ms`,
    };
  }
}

function copyRow(name: string, snapshots: readonly SnapshotSample[], checksum: number): BenchRow {
  const rawKiB = (snapshots.at(-1)?.rawBytes ?? 0) / 1024;
  const note = `the I/O thread's own time of a snapshot; ${rawKiB.toFixed(0)} KiB; p99 is the longest`;
  return { name: `copy, ${name}`, ...figures(snapshots.map(({ copyMs }) => copyMs)), checksum, note };
}

function jobRow(name: string, snapshots: readonly SnapshotSample[], checksum: number): BenchRow {
  const { rawBytes = 0, bytes = 0 } = snapshots.at(-1) ?? {};
  const note = `${(rawBytes / 1024).toFixed(0)} KiB become ${(bytes / 1024).toFixed(0)} KiB; p99 is the longest`;
  return { name: `compress and sum, ${name}`, ...figures(snapshots.map(({ jobMs }) => jobMs)), checksum, note };
}

function figures(ms: readonly number[]): Pick<BenchRow, 'perSecond' | 'meanUs' | 'p99Us' | 'samples'> {
  const meanMs = sum(ms) / ms.length;
  return { perSecond: 1000 / meanMs, meanUs: meanMs * 1000, p99Us: Math.max(...ms) * 1000, samples: ms.length };
}

function sum(values: ArrayLike<number>): number {
  let total = 0;
  for (let i = 0; i < values.length; i++) total += values[i];
  return total;
}

/** Overruns are in the figures, and what the I/O thread says of events is of no interest here. */
const ERRORS_ONLY: Log = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: (_, text) => console.error(text),
};
