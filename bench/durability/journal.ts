// What the journal costs: 2,000 players in one zone, each with 30 commands per second, in two worlds that are the same but
// for the journal and take turns, so that both see the same machine. Frames are drained, there are no sockets. The writer
// is the I/O thread's own and runs here as often as there, twice per flush interval, beside the clock of the ticks; its
// cost is the processor time of the whole process meanwhile, the file system's threads included.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { assert } from '../../src/base/assert.js';
import { createRandom } from '../../src/base/chance.js';
import { JournalWriter } from '../../src/durability/journal/journal-writer.js';
import { JOURNAL_SEGMENT_MS } from '../../src/durability/journal/limits.js';
import { shapeOf } from '../../src/durability/recovery/recovery.js';
import { copyZone, packZone } from '../../src/durability/snapshots/zone-snapshot.js';
import { ByteRing } from '../../src/memory/rings/byte-ring.js';
import { IoCounters } from '../../src/memory/tables/io-counters.js';
import { hashCommitted, hashText } from '../../src/memory/world/state-hash.js';
import { type BenchModule, type BenchOptions, type BenchRow, foldChecksum } from '../bench.js';
import { HeadlessWorld, worldSide } from '../engine/headless-world.js';

const SEEN = 40;
const VIEW_RADIUS = 24;
const FLUSH_MS = 100;
const COMMANDS_HZ = 30;

interface Pace {
  clients: number;
  rounds: number;
  ticksPerRound: number;
}

const PACE: Pace = { clients: 2000, rounds: 20, ticksPerRound: 60 };
const SMALL_PACE: Pace = { clients: 100, rounds: 2, ticksPerRound: 12 };

export const bench: BenchModule = {
  name: 'journal',
  summary: 'ticks with a journal and without one in turns, and what writing it takes',
  async run({ small, seed }: BenchOptions): Promise<BenchRow[]> {
    const pace = small ? SMALL_PACE : PACE;
    const folder = mkdtempSync(join(tmpdir(), 'tessera-bench-'));
    try {
      return await measure(pace, seed, folder);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

/** A world with players who send, and the times of its ticks. */
class Play {
  readonly world: HeadlessWorld;
  readonly times: number[] = [];
  private readonly random: () => number;

  constructor(
    private readonly clients: number,
    seed: number,
    journalFlushMs: number,
  ) {
    const side = worldSide(clients, SEEN, VIEW_RADIUS);
    this.world = new HeadlessWorld({
      worldWidth: side,
      worldHeight: side,
      viewRadius: VIEW_RADIUS,
      entitiesPerZone: 4096,
      clientsMax: clients,
      commandsPerTick: clients,
      journalFlushMs,
      seed,
    });
    this.random = createRandom(seed);
    this.world.joinAll(clients);
  }

  tick(): void {
    const { world, clients, random } = this;
    const every = world.settings.tickHz / COMMANDS_HZ;
    for (let client = world.tick % every; client < clients; client += every) {
      world.sendMove(client, Math.floor(random() * 255) - 127, Math.floor(random() * 255) - 127);
    }
    this.times.push(world.runTick());
    world.deliver();
  }

  row(name: string, checksum: number): BenchRow {
    const sorted = this.times.toSorted((a, b) => a - b);
    const mean = this.meanMs();
    const p99 = sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * 0.99) - 1)];
    const note = `p50 ${sorted[sorted.length >> 1].toFixed(2)} ms`;
    return {
      name,
      perSecond: 1000 / mean,
      meanUs: mean * 1000,
      p99Us: p99 * 1000,
      samples: sorted.length,
      checksum,
      note,
    };
  }

  meanMs(): number {
    return this.times.reduce((sum, ms) => sum + ms, 0) / this.times.length;
  }
}

class Writing {
  readonly counters = new IoCounters(IoCounters.create());
  readonly cpuMs: number[] = [];
  private readonly writer: JournalWriter;

  constructor({ plan, settings, game, hosts }: HeadlessWorld, folder: string) {
    this.writer = new JournalWriter({
      folder,
      epoch: 1,
      worlds: hosts.map(({ zone }) => zone.buffer),
      rings: plan.journals.map((buffer) => new ByteRing(buffer)),
      shape: { ...shapeOf(settings, game, plan), worldId: '' },
      session: {},
      segmentMs: JOURNAL_SEGMENT_MS,
      keepMs: JOURNAL_SEGMENT_MS,
      hashEveryTicks: settings.hashEveryTicks,
      counters: this.counters,
      say: (line) => assert(false, 'the journal is written', line),
    });
  }

  begin(): Promise<void> {
    return this.spend(() => this.writer.begin(performance.now()));
  }

  run(): Promise<void> {
    return this.spend(() => this.writer.run(performance.now()));
  }

  close(): Promise<void> {
    return this.writer.close(performance.now());
  }

  private async spend(work: () => Promise<void>): Promise<void> {
    const before = process.cpuUsage();
    await work();
    const { user, system } = process.cpuUsage(before);
    this.cpuMs.push((user + system) / 1000);
  }
}

async function measure({ clients, rounds, ticksPerRound }: Pace, seed: number, folder: string): Promise<BenchRow[]> {
  const without = new Play(clients, seed, 0);
  const during = new Play(clients, seed, FLUSH_MS);
  const writing = new Writing(during.world, folder);
  await writing.begin();
  const [beginMs] = writing.cpuMs.splice(0);
  const { tickHz } = during.world.settings;
  const ticksPerRun = Math.round((tickHz * FLUSH_MS) / 2000);
  let bytesBefore = 0;
  for (let round = -1; round < rounds; round++) {
    for (let i = 0; i < ticksPerRound; i++) without.tick();
    for (let i = 0; i < ticksPerRound; i++) {
      during.tick();
      if (i % ticksPerRun === ticksPerRun - 1) await writing.run();
    }
    if (round >= 0) continue;
    // The first one is for the compiler.
    for (const list of [without.times, during.times, writing.cpuMs]) list.length = 0;
    bytesBefore = writing.counters.get('journalBytes');
  }
  await writing.close();
  const states = [without, during].map(({ world }) => stateOf(world));
  assert(states[0] === states[1], 'the journal changes nothing', states.join(' '));
  const checksum = Number.parseInt(states[0], 16);
  const seconds = (rounds * ticksPerRound) / tickHz;
  const bytes = (writing.counters.get('journalBytes') - bytesBefore) / seconds;
  const writeMs = writing.cpuMs.reduce((sum, ms) => sum + ms, 0) / seconds;
  const tickMs = Math.max(0, during.meanMs() - without.meanMs()) * tickHz;
  const hash = timeOf(() => stateOf(during.world));
  const { settings, game, plan, hosts } = during.world;
  const snapshot = timeOf(() => {
    const copy = copyZone(hosts[0].zone.buffer, { ...shapeOf(settings, game, plan), worldId: '' }, 1, 0);
    assert(copy !== undefined, 'nobody commits while this thread copies');
    packZone(copy);
  });
  const totalMs =
    writeMs + tickMs + (snapshot.meanMs * 1000) / settings.hotSnapshotMs + (beginMs * 1000) / JOURNAL_SEGMENT_MS;
  const players = `${clients.toLocaleString('en-US')} players`;
  return [
    without.row(`tick, ${players}, no journal`, foldChecksum(checksum, 0)),
    during.row(`tick, ${players}, journal`, foldChecksum(checksum, 1)),
    costRow('writing a second of play', writeMs, writing.cpuMs, foldChecksum(checksum, 2), {
      note: `${Math.round(bytes).toLocaleString('en-US')} bytes per second of play; ${(bytes / clients / COMMANDS_HZ).toFixed(1)} per command`,
    }),
    costRow('state hash of the zone, every second', hash.meanMs, hash.times, foldChecksum(checksum, 3)),
    costRow('hot snapshot, every 5 s', snapshot.meanMs, snapshot.times, foldChecksum(checksum, 4)),
    costRow('journal and snapshots, a second of play', totalMs, [totalMs], foldChecksum(checksum, 5), {
      note: `${(totalMs / 10).toFixed(2)}% of one core: longer ticks ${tickMs.toFixed(1)}, writing ${writeMs.toFixed(1)}, the rest snapshots and segments, in ms`,
    }),
  ];
}

function stateOf({ hosts }: HeadlessWorld): string {
  const hash = hashCommitted(hosts[0].zone.buffer);
  assert(hash !== undefined, 'nobody commits while this thread reads');
  return hashText(hash);
}

function timeOf(work: () => unknown): { meanMs: number; times: number[] } {
  const times: number[] = [];
  for (let i = 0; i < 60; i++) {
    const start = performance.now();
    work();
    if (i >= 10) times.push(performance.now() - start);
  }
  return { meanMs: times.reduce((sum, ms) => sum + ms, 0) / times.length, times };
}

function costRow(
  name: string,
  meanMs: number,
  samples: readonly number[],
  checksum: number,
  more: { note?: string } = {},
): BenchRow {
  const sorted = samples.toSorted((a, b) => a - b);
  const meanUs = Math.max(1e-3, meanMs * 1000);
  const p99Us = Math.max(1e-3, sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * 0.99) - 1)] * 1000);
  return { name, perSecond: 1e6 / meanUs, meanUs, p99Us, samples: sorted.length, checksum, ...more };
}
