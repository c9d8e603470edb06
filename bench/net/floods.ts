// Honest clients beside floods of one attacker's machine: what their round trips to the gateway become, and what memory
// the server takes. The attackers take a processor themselves, which `busy` shows alone.

import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { TesseraClient } from '../../src/client/client.js';
import { say } from '../../src/server/cli/progress.js';
import { joinPlayer } from '../durability/cells-player.js';
import { readProcessFigures } from '../load/report/process-figures.js';
import { formatColumns, pauseUnlessStopped, type Scenario, type ScenarioValues } from '../scenario.js';
import { flagsOf, ServerProcess } from '../server-process.js';
import { FLOODS, type Flood, type FloodFigures, type FloodPlan } from './flood-plan.js';

const PINGS_PER_SECOND = 20;
const WARM_UP_MS = 1000;
/** Between two floods: sockets that were told to go are gone after one. */
const SETTLE_MS = 2000;
/** Waited for after the last ping. */
const ANSWER_MS = 2000;

interface Row {
  flood: Flood;
  roundTripsMs: number[];
  unanswered: number;
  mainCores: number;
  rssMiB: number;
  figures: FloodFigures;
}

export const scenario: Scenario = {
  name: 'floods',
  summary: 'round trips of honest clients, and memory, while one address floods the server in different ways',
  options: [
    { name: 'seconds', value: 8, min: 1, max: 600, about: 'of each flood' },
    { name: 'clients', value: 20, min: 1, max: 500, about: 'honest clients, 20 pings per second each' },
    { name: 'flood', value: 'all', choices: ['all', ...FLOODS], about: 'which of them' },
    { name: 'server', value: '', about: 'the program of another build, to compare with: its cli.js' },
  ],
  findProblems: ({ server }) =>
    server === '' || existsSync(String(server)) ? [] : [`--server: ${server} is not there`],
  run: runFloods,
};

async function runFloods(values: ScenarioValues, signal: AbortSignal): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'tessera-floods-'));
  const other = values.server === '' ? {} : { cli: String(values.server) };
  const server = new ServerProcess(flagsOf({ port: 0, host: '127.0.0.1', data: folder }), { ownGroup: true, ...other });
  const rows: Row[] = [];
  try {
    await server.ready(signal);
    const clients = await Promise.all(
      Array.from({ length: Number(values.clients) }, (_, i) => joinPlayer(server.url, `honest${i}`)),
    );
    await pauseUnlessStopped(WARM_UP_MS, signal);
    for (const flood of FLOODS) {
      if (signal.aborted) break;
      if (values.flood !== 'all' && values.flood !== flood) continue;
      rows.push(await measure(flood, server, clients, Number(values.seconds) * 1000, signal));
      await pauseUnlessStopped(SETTLE_MS, signal);
    }
    for (const client of clients) client.close();
  } finally {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  }
  say(report(rows));
}

async function measure(
  flood: Flood,
  server: ServerProcess,
  clients: readonly TesseraClient[],
  ms: number,
  signal: AbortSignal,
): Promise<Row> {
  const plan: FloodPlan = { flood, port: server.port };
  const attackers = new Worker(new URL('./flood-thread.js', import.meta.url), { workerData: plan });
  await once(attackers, 'online');
  await pauseUnlessStopped(WARM_UP_MS, signal);
  const before = readProcessFigures(server.pid);
  const pings = clients.map((client) => new Pings(client));
  await pauseUnlessStopped(ms, signal);
  const after = readProcessFigures(server.pid);
  for (const ping of pings) ping.stop();
  await pauseUnlessStopped(ANSWER_MS, signal);
  const message = once(attackers, 'message');
  attackers.postMessage('stop');
  const [figures] = (await message) as [FloodFigures];
  const mainCpu = (process: typeof before) => process?.threads.find(({ name }) => name === 'main')?.cpuSeconds ?? 0;
  return {
    flood,
    roundTripsMs: pings.flatMap(({ answeredMs }) => answeredMs).sort((a, b) => a - b),
    unanswered: pings.filter(({ isWaiting }) => isWaiting).length,
    mainCores: (mainCpu(after) - mainCpu(before)) / (ms / 1000),
    rssMiB: after?.rssMiBMax ?? 0,
    figures,
  };
}

/** One ping at a time; a late answer holds up the next one, and its time says so. */
class Pings {
  readonly answeredMs: number[] = [];
  isWaiting = false;
  private readonly timer: NodeJS.Timeout;

  constructor(private readonly client: TesseraClient) {
    client.pingMs = Number.NaN;
    this.timer = setInterval(() => this.send(), 1000 / PINGS_PER_SECOND);
    const before = client.onFrame;
    client.onFrame = (frame) => {
      before?.(frame);
      this.look();
    };
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private send(): void {
    this.look();
    if (this.isWaiting) return;
    this.isWaiting = true;
    this.client.pingMs = Number.NaN;
    this.client.ping();
  }

  private look(): void {
    if (!this.isWaiting || Number.isNaN(this.client.pingMs)) return;
    this.isWaiting = false;
    this.answeredMs.push(this.client.pingMs);
  }
}

function report(rows: readonly Row[]): string {
  const lines = rows.map(({ flood, roundTripsMs, unanswered, mainCores, rssMiB, figures }) => [
    flood,
    ...[0.5, 0.99, 1].map((part) => percentile(roundTripsMs, part).toFixed(1)),
    String(roundTripsMs.length),
    String(unanswered),
    mainCores.toFixed(2),
    rssMiB.toFixed(0),
    String(figures.connects),
    figures.mebibytesWritten.toFixed(0),
  ]);
  const head = ['flood', 'p50 ms', 'p99', 'max', 'pings', 'lost', 'main cores', 'RSS MiB', 'connects', 'MiB written'];
  return formatColumns([head, ...lines]);
}

function percentile(sorted: readonly number[], part: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
}
