// What late round trips are made of: one client beside a load, followed through socket, main, tick, ring and socket.

import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { processMs } from '../../src/base/clock.js';
import type { TesseraClient } from '../../src/client/client.js';
import { NODE_FLAGS } from '../../src/server/cli/node-flags.js';
import { say } from '../../src/server/cli/progress.js';
import { joinPlayer } from '../durability/cells-player.js';
import { defaultOptions, type LoadOptions } from '../load/options.js';
import { type ProcessFigures, readProcessFigures, threadUse } from '../load/report/process-figures.js';
import { planSwarm } from '../load/run.js';
import { planScene } from '../load/scene.js';
import { serverArguments } from '../load/server-under-test.js';
import { SwarmThreads } from '../load/swarm/swarm-threads.js';
import { formatColumns, pauseUnlessStopped, type Scenario, type ScenarioValues } from '../scenario.js';
import { ServerProcess } from '../server-process.js';
import { type ClientTrip, joinTrips, LATE_FILE_VARIABLE, PARTS, readNotes, type Trip } from './late-trace.js';

const HOOKS = new URL('./late-hooks.js', import.meta.url).href;
const WARM_UP_MS = 3000;
/** The hooks write to the disk twice a second. */
const NOTES_MS = 1500;
/** Threads that neither ran nor waited for this part of a core are left out. */
const SHOWN_SHARE = 0.02;
const LATE_SHARE = 0.99;

export const scenario: Scenario = {
  name: 'late',
  summary: 'what late round trips are made of: one client beside a load, followed through every thread',
  options: [
    {
      name: 'clients',
      value: 2000,
      min: 1,
      max: 10000,
      about: 'of the load, spread, 30 inputs and 30 updates per second',
    },
    { name: 'seconds', value: 15, min: 1, max: 600, about: 'measured' },
    { name: 'worst', value: 5, min: 0, max: 100, about: 'round trips shown one by one' },
  ],
  findProblems: () => [],
  run: runLate,
};

async function runLate(values: ScenarioValues, signal: AbortSignal): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'tessera-late-'));
  process.env[LATE_FILE_VARIABLE] = join(folder, 'notes');
  const options = { ...defaultOptions(), clients: Number(values.clients) };
  const plan = planScene(options.scene, options.clients, options.visible);
  const server = new ServerProcess(serverArguments(options, plan, join(folder, 'data')), {
    nodeFlags: [...NODE_FLAGS, `--import=${HOOKS}`],
    ownGroup: true,
  });
  try {
    await server.ready(signal);
    const follower = new Follower(await joinPlayer(server.url, 'followed'), options.inputHz);
    const threads = new SwarmThreads(planSwarm(options, plan, new URL(server.wsUrl)), options.threads);
    try {
      say(`${options.clients} clients are joining`);
      await threads.requestAll('connect');
      await threads.requestAll('startInputs');
      await pauseUnlessStopped(WARM_UP_MS, signal);
      follower.begin();
      const begin = readProcessFigures(server.pid);
      await pauseUnlessStopped(Number(values.seconds) * 1000, signal);
      const end = readProcessFigures(server.pid);
      follower.end();
      await pauseUnlessStopped(NOTES_MS, signal);
      report(follower.trips, folder, options, Number(values.worst), begin, end);
    } finally {
      await threads.close();
    }
  } finally {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Walks to and fro from the beginning, so that the server follows it, and notes its round trips when told. */
class Follower {
  readonly trips: ClientTrip[] = [];
  private readonly waiting: { seq: number; sentMs: number }[] = [];
  private readonly timer: NodeJS.Timeout;
  private isNoting = false;
  private count = 0;

  constructor(
    private readonly client: TesseraClient,
    inputHz: number,
  ) {
    this.timer = setInterval(() => this.send(), 1000 / inputHz);
    client.onFrame = ({ ack, tick }) => this.answered(ack, tick);
  }

  begin(): void {
    this.isNoting = true;
  }

  end(): void {
    clearInterval(this.timer);
    this.client.close();
  }

  private send(): void {
    const sentMs = processMs();
    const seq = this.client.send('Move', { x: this.count++ % 2 === 0 ? 100 : -100, y: 0 });
    if (this.isNoting && seq !== 0) this.waiting.push({ seq, sentMs });
  }

  private answered(ack: number, tick: number): void {
    const receivedMs = processMs();
    while (this.waiting.length > 0 && this.waiting[0].seq <= ack) {
      const { seq, sentMs } = this.waiting.shift()!;
      this.trips.push({ seq, sentMs, receivedMs, tick });
    }
  }
}

function report(
  seen: readonly ClientTrip[],
  folder: string,
  { clients, inputHz, updateHz }: LoadOptions,
  worst: number,
  begin: ProcessFigures | null,
  end: ProcessFigures | null,
): void {
  const files = readdirSync(folder).filter((name) => name.startsWith('notes.'));
  const trips = joinTrips(seen, readNotes(files.map((name) => readFileSync(join(folder, name), 'utf8'))));
  say(
    `${clients} clients, ${inputHz} inputs and ${updateHz} updates per second; ${seen.length} round trips, ${trips.length} followed`,
  );
  if (trips.length === 0) {
    say('no round trip was noted by all threads');
    return;
  }
  const sorted = [...trips].sort((a, b) => a.totalMs - b.totalMs);
  const late = sorted.slice(Math.floor(sorted.length * LATE_SHARE));
  const lines = [
    ['round trips', 'ms', ...PARTS],
    meanLine('half of them, the quicker', sorted.slice(0, Math.ceil(sorted.length / 2))),
    meanLine('all', sorted),
    meanLine('the latest 1%', late),
    ...late.slice(Math.max(0, late.length - worst)).map((trip) => line(`input ${trip.seq}`, trip.totalMs, trip.parts)),
  ];
  say(formatColumns(lines));
  if (begin === null || end === null) return;
  const seconds = (end.atMs - begin.atMs) / 1000;
  const threads = threadUse(begin, end).filter((one) => one.cpuSeconds + one.waitSeconds > SHOWN_SHARE * seconds);
  const cores = (value: number): string => (value / seconds).toFixed(2);
  const rows = threads.map((one) => [one.name, cores(one.cpuSeconds), cores(one.waitSeconds)]);
  say(formatColumns([['thread', 'cores', 'waits for one'], ...rows]));
}

function meanLine(name: string, trips: readonly Trip[]): string[] {
  const mean = (read: (trip: Trip) => number): number =>
    trips.reduce((sum, trip) => sum + read(trip), 0) / Math.max(1, trips.length);
  return line(
    name,
    mean(({ totalMs }) => totalMs),
    PARTS.map((_, part) => mean(({ parts }) => parts[part])),
  );
}

function line(name: string, totalMs: number, parts: readonly number[]): string[] {
  return [name, totalMs.toFixed(1), ...parts.map((ms) => ms.toFixed(1))];
}
