// One run: server, clients, a census, the timed part, another census. Each phase leaves what it found; whatever cuts
// the run short, what was found so far is reported.

import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { loadSettings, type Settings } from '../../src/config/settings.js';
import { Progress, say } from '../../src/server/cli/progress.js';
import type { LoadOptions } from './options.js';
import { compareCensus } from './report/census.js';
import { findListener, openFilesMax, readMachineCpuSeconds, readProcessFigures } from './report/process-figures.js';
import { assembleResult, type CensusOutcome, type Findings, type LoadResult } from './report/result.js';
import { longestTickMs, readServer, type ServerReading } from './report/server-figures.js';
import { planScene, type ScenePlan } from './scene.js';
import { type ServerUnderTest, serverArguments, startServer } from './server-under-test.js';
import type { SwarmPlan } from './swarm/messages.js';
import { SwarmThreads } from './swarm/swarm-threads.js';

const WARM_UP_MS = 2000;
const PROGRESS_MS = 500;
/** Well within the 16 s for which the server remembers its longest tick. */
const TICK_MAX_POLL_MS = 10000;
const CENSUS_ATTEMPTS = 3;
const CENSUS_RETRY_MS = 1000;
/** Files that a process needs beside its client sockets. */
const FILES_SPARE = 64;

/** Mistakes that a look at the machine and at the server's settings shows; one line each. */
export function findProblems(options: LoadOptions): string[] {
  const problems: string[] = [];
  const filesWanted = options.clients + FILES_SPARE;
  const filesMax = openFilesMax();
  if (filesMax !== null && filesMax < filesWanted) {
    problems.push(
      `--clients ${options.clients}: needs ${filesWanted} open files, and this process may have ${filesMax}; ` +
        `raise the limit with "ulimit -n ${filesWanted}", or use fewer clients`,
    );
  }
  if (options.url === null) {
    const loaded = settingsOf(options, planScene(options.scene, options.clients, options.visible));
    if (!loaded.ok) problems.push(...loaded.errors.map((error) => `server setting ${error}`));
  }
  return problems;
}

/** The server's settings as it will read them. */
function settingsOf(options: LoadOptions, plan: ScenePlan): ReturnType<typeof loadSettings> {
  return loadSettings({
    argv: serverArguments(options, plan, '.'),
    env: process.env,
    readFile: (path) => readFileSync(path, 'utf8'),
  });
}

/** Zones are equal rectangles; unknown for a server that was not started here. */
function zoneFinder(settings: Settings | null): ((x: number, y: number) => number) | null {
  if (settings === null) return null;
  const { zoneColumns, zoneRows, worldWidth, worldHeight } = settings;
  const indexOf = (at: number, side: number, count: number): number =>
    Math.min(count - 1, Math.max(0, Math.floor((at / side) * count)));
  return (x, y) => indexOf(y, worldHeight, zoneRows) * zoneColumns + indexOf(x, worldWidth, zoneColumns);
}

class Run {
  readonly findings: Findings = {
    joins: [],
    censusBefore: null,
    censusAfter: null,
    windows: [],
    disconnects: [],
    serverBegin: null,
    serverEnd: null,
    tickMsMaxPolled: 0,
    processBegin: null,
    processEnd: null,
    machineCpuSeconds: null,
    generatorCpuSeconds: 0,
    generatorSeconds: 0,
    serverExit: null,
    interrupted: false,
  };
  private readonly options: LoadOptions;
  private readonly server: ServerUnderTest;
  private readonly threads: SwarmThreads;
  private readonly zoneAt: ((x: number, y: number) => number) | null;
  private readonly signal: AbortSignal;

  constructor(
    options: LoadOptions,
    server: ServerUnderTest,
    threads: SwarmThreads,
    settings: Settings | null,
    signal: AbortSignal,
  ) {
    this.options = options;
    this.server = server;
    this.threads = threads;
    this.zoneAt = zoneFinder(settings);
    this.signal = signal;
  }

  async perform(): Promise<void> {
    await this.join();
    if (this.mayGoOn()) this.findings.censusBefore = await this.takeCensus('before the timed part');
    if (this.mayGoOn()) await this.measure();
    if (this.mayGoOn()) this.findings.censusAfter = await this.takeCensus('after the timed part');
    this.findings.serverExit = this.server.exitText();
    this.findings.interrupted = this.signal.aborted;
  }

  private mayGoOn(): boolean {
    return !this.signal.aborted && this.server.exitText() === null && this.joinedCount() > 0;
  }

  private joinedCount(): number {
    return this.findings.joins.reduce((count, join) => count + join.joined, 0);
  }

  private async join(): Promise<void> {
    const progress = new Progress('joining', this.options.clients);
    const timer = setInterval(() => progress.update(this.threads.progress().joined, ''), PROGRESS_MS);
    const interrupted = new Promise<null>((resolve) => {
      this.signal.addEventListener('abort', () => resolve(null), { once: true });
    });
    const joins = await Promise.race([this.threads.requestAll('connect'), interrupted]);
    clearInterval(timer);
    if (joins !== null) this.findings.joins = joins;
    progress.update(this.joinedCount(), '');
    progress.stop();
  }

  /** What is wrong at once may only be late: what is still wrong in the last attempt is wrong. */
  private async takeCensus(when: string): Promise<CensusOutcome> {
    say(`census ${when}: everybody stands still and is asked what is in view`);
    const stands = await this.threads.requestAll('lookAround');
    const welcome = this.findings.joins.find((join) => join.welcome !== null)!.welcome!;
    const rules = { ...welcome, zoneAt: this.zoneAt };
    let report = compareCensus((await this.threads.requestAll('readCensus')).flat(), rules);
    for (let attempt = 1; attempt < CENSUS_ATTEMPTS && report.mismatches > 0; attempt++) {
      await sleep(CENSUS_RETRY_MS);
      report = compareCensus((await this.threads.requestAll('readCensus')).flat(), rules);
    }
    await this.threads.requestAll('endCensus');
    const unstopped = stands.reduce((count, stand) => count + stand.unstopped, 0);
    const withoutFull = stands.reduce((count, stand) => count + stand.withoutFull, 0);
    return { ...report, unstopped, withoutFull };
  }

  private async measure(): Promise<void> {
    const { findings, threads, server } = this;
    await threads.requestAll('startInputs');
    await this.pause(WARM_UP_MS);
    findings.serverBegin = await this.readServer();
    await threads.requestAll('beginWindow');
    findings.processBegin = server.pid === null ? null : readProcessFigures(server.pid);
    const cpuBegin = process.cpuUsage();
    const machineBegin = readMachineCpuSeconds();
    const beganMs = performance.now();
    await this.watchTimedPart();
    findings.processEnd = server.pid === null ? null : readProcessFigures(server.pid);
    const cpu = process.cpuUsage(cpuBegin);
    const machineEnd = readMachineCpuSeconds();
    if (machineBegin !== null && machineEnd !== null) findings.machineCpuSeconds = machineEnd - machineBegin;
    findings.generatorCpuSeconds = (cpu.user + cpu.system) / 1e6;
    findings.generatorSeconds = (performance.now() - beganMs) / 1000;
    const [windows, serverEnd] = await Promise.all([threads.requestAll('endWindow'), this.readServer()]);
    findings.windows = windows;
    findings.serverEnd = serverEnd;
  }

  private async watchTimedPart(): Promise<void> {
    const progress = new Progress('measuring', this.options.seconds);
    const beganMs = performance.now();
    let before = this.threads.progress();
    let beforeMs = beganMs;
    let readMs = beganMs;
    while (performance.now() - beganMs < this.options.seconds * 1000 && this.mayGoOn()) {
      await this.pause(Math.min(PROGRESS_MS, this.options.seconds * 1000 - (performance.now() - beganMs)));
      const now = this.threads.progress();
      const nowMs = performance.now();
      // Threads tell of their progress twice a second: a shorter piece has no rate.
      if (nowMs - beforeMs < PROGRESS_MS / 2) continue;
      const perSecond = (key: 'framesReceived' | 'inputsSent'): number =>
        Math.round(((now[key] - before[key]) * 1000) / (nowMs - beforeMs));
      const rates = `${perSecond('inputsSent')} packets/s in, ${perSecond('framesReceived')} out`;
      progress.update(Math.round((nowMs - beganMs) / 1000), `s, ${now.joined} clients, ${rates}`);
      before = now;
      beforeMs = nowMs;
      if (nowMs - readMs >= TICK_MAX_POLL_MS) {
        readMs = nowMs;
        await this.readTickMax();
      }
    }
    progress.stop();
  }

  /** The server remembers its longest tick for some seconds only. */
  private async readTickMax(): Promise<void> {
    const reading = await this.readServer();
    const max = reading === null ? null : longestTickMs(reading.metrics);
    if (max !== null) this.findings.tickMsMaxPolled = Math.max(this.findings.tickMsMaxPolled, max);
  }

  private async readServer(): Promise<ServerReading | null> {
    return readServer(this.server.base).catch((error: Error) => {
      say(`the server's own figures are missing: ${error.message}`);
      return null;
    });
  }

  private async pause(ms: number): Promise<void> {
    await sleep(Math.max(0, ms), undefined, { signal: this.signal }).catch(() => undefined);
  }
}

function attach(url: URL): ServerUnderTest {
  const port = Number(url.port || 80);
  return {
    base: `http://${url.host}`,
    url,
    pid: findListener(port),
    log: () => '',
    exitText: () => null,
    stop: async () => undefined,
  };
}

export async function runLoad(options: LoadOptions, signal: AbortSignal): Promise<LoadResult> {
  const plan = planScene(options.scene, options.clients, options.visible);
  const loaded = options.url === null ? settingsOf(options, plan) : null;
  const settings = loaded?.ok === true && 'settings' in loaded ? loaded.settings : null;
  const server = options.url === null ? await startServer(options, plan) : attach(options.url);
  say(`server ${server.url.href}${server.pid === null ? '' : ` in process ${server.pid}`}`);
  try {
    const threads = new SwarmThreads(planSwarm(options, plan, server.url), options.threads);
    const run = new Run(options, server, threads, settings, signal);
    try {
      await run.perform();
    } finally {
      run.findings.disconnects = await threads.close();
    }
    const result = assembleResult(options, describeSettings(options, plan, server), run.findings);
    if (!result.ok && server.log() !== '')
      say(`the server's last lines:\n${server.log().split('\n').slice(-20).join('\n')}`);
    return result;
  } finally {
    await server.stop();
  }
}

export function planSwarm(options: LoadOptions, plan: ScenePlan, url: URL): SwarmPlan {
  const { clients, sample, inputHz, updateHz, ramp, seed } = options;
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const target = { host, port: Number(url.port || 80), path: url.pathname + url.search };
  return { target, firstClient: 0, clients, sample, inputHz, updateHz, movement: plan.movement, ramp, seed };
}

function describePlan({ worldSide, zonesPerSide, spawn }: ScenePlan): Record<string, string> {
  return { world: `${worldSide}x${worldSide}`, zones: `${zonesPerSide}x${zonesPerSide}`, spawn };
}

function describeSettings(options: LoadOptions, plan: ScenePlan, server: ServerUnderTest): LoadResult['settings'] {
  const { scene, inputHz, updateHz, seconds, threads, seed, ramp, sample } = options;
  const world: Record<string, string | number> = options.url === null ? describePlan(plan) : {};
  if (options.url === null && scene === 'spread') world.visible = options.visible;
  const serverArgs = options.serverArgs.join(' ');
  return {
    server: server.url.href,
    scene,
    inputHz,
    updateHz,
    seconds,
    threads,
    seed,
    ramp,
    sample,
    ...world,
    serverArgs,
  };
}
