// How many events per second go from a zone's ring to the log, through the real I/O thread, and what that costs the tick:
// rounds with events and rounds without take turns, in one server with a world of bots.

import { setTimeout as sleep } from 'node:timers/promises';
import { Progress } from '../../../src/server/cli/progress.js';
import type { ServerUnderTest } from '../../load/server-under-test.js';
import { formatColumns, pauseUnlessStopped, type Scenario, type ScenarioValues } from '../../scenario.js';
import { startEventServer, Tap } from './event-server.js';
import { backlogOf, formatPercent, PhaseFigures, percentAbove, readMetrics } from './figures.js';

const PROMISED_PERCENT = 10;
const TICK_HZ = 60;
const WARM_UP_MS = 4000;
const DRAIN_MS_MAX = 60000;
/** What arrives within a beat or two of the I/O thread is no backlog. */
const BACKLOG_SECONDS = 0.5;

export const scenario: Scenario = {
  name: 'event-path',
  summary: 'events per second from a zone to the log through the I/O thread, and what they cost the tick',
  options: [
    { name: 'log', value: 'both', choices: ['both', 'embedded', 'kafka'], about: 'where they go' },
    { name: 'events', value: 100000, min: 60, max: 300000, about: 'per second' },
    { name: 'bots', value: 2000, min: 1, max: 100000, about: 'in the world' },
    { name: 'seconds', value: 8, min: 1, max: 600, about: 'of each round' },
    { name: 'rounds', value: 4, min: 1, max: 100, about: 'with events, and as many and one without' },
    { name: 'seed', value: 1, min: 0, max: 2 ** 31 - 1, about: 'of the world' },
  ],
  findProblems: ({ log }) =>
    log === 'kafka' && !process.env.TESSERA_KAFKA
      ? ['--log kafka needs TESSERA_KAFKA, such as 127.0.0.1:9092. Use one that no game runs on: it writes to it']
      : [],
  async run(values, signal) {
    const kafka = process.env.TESSERA_KAFKA ?? '';
    const logs = values.log === 'both' ? ['embedded', 'kafka'] : [String(values.log)];
    const rows: string[][] = [HEAD];
    for (const log of logs) {
      if (log === 'kafka' && kafka === '') {
        process.stdout.write('Kafka is left out: TESSERA_KAFKA names none\n');
        continue;
      }
      if (!signal.aborted) rows.push(await measureLog(log, log === 'kafka' ? kafka : '', values, signal));
    }
    process.stdout.write(`${formatColumns(rows)}\n`);
  },
};

const HEAD = [
  'log',
  'emitted/s',
  'acknowledged/s',
  'ring full',
  'lost',
  'backlog, most',
  'tick p50',
  'p99',
  'without p50',
  'p99',
  'p99 against it',
  'promise',
];

async function measureLog(log: string, kafka: string, values: ScenarioValues, signal: AbortSignal): Promise<string[]> {
  const { bots, seed, events } = values;
  const settings = { kafka, redis: '', mongodb: '', zones: '1x1', world: '1024x1024', bots, start: 'fresh' };
  const server = await startEventServer({ clients: 0, seed: Number(seed), settings });
  const progress = new Progress(log, Number(values.rounds) * 2 + 1);
  try {
    const tap = await Tap.open(server);
    await tap.set(Math.round(Number(events) / TICK_HZ));
    await pauseUnlessStopped(WARM_UP_MS, signal);
    await tap.set(0);
    await drain(server, signal);
    const figures = await measureRounds(server, tap, progress, values, signal);
    tap.close();
    return describe(log, figures, Number(events));
  } finally {
    progress.stop();
    await server.stop();
  }
}

interface Rounds {
  with: PhaseFigures[];
  without: PhaseFigures[];
  backlogMost: number;
}

async function measureRounds(
  server: ServerUnderTest,
  tap: Tap,
  progress: Progress,
  { rounds, seconds, events }: ScenarioValues,
  signal: AbortSignal,
): Promise<Rounds> {
  const found: Rounds = { with: [], without: [], backlogMost: 0 };
  for (let round = 0; round <= 2 * Number(rounds) && !signal.aborted; round++) {
    const isWith = round % 2 === 1;
    await tap.set(isWith ? Math.round(Number(events) / TICK_HZ) : 0);
    const begin = await readMetrics(server);
    const beganMs = performance.now();
    await pauseUnlessStopped(Number(seconds) * 1000, signal);
    const end = await readMetrics(server);
    const figures = PhaseFigures.between(begin, end, (performance.now() - beganMs) / 1000);
    if (isWith) found.backlogMost = Math.max(found.backlogMost, backlogOf(end));
    (isWith ? found.with : found.without).push(figures);
    progress.update(round + 1, isWith ? `${Math.round(figures.counts.appended / figures.seconds)} events/s` : '');
    await tap.set(0);
    await drain(server, signal);
  }
  return found;
}

async function drain(server: ServerUnderTest, signal: AbortSignal): Promise<void> {
  const beganMs = performance.now();
  while (backlogOf(await readMetrics(server)) > 0 && performance.now() - beganMs < DRAIN_MS_MAX && !signal.aborted) {
    await sleep(100);
  }
}

function describe(log: string, { with: withEvents, without, backlogMost }: Rounds, events: number): string[] {
  const busy = PhaseFigures.sum(withEvents);
  const idle = PhaseFigures.sum(without);
  const perSecond = (count: number): string => String(Math.round(count / Math.max(busy.seconds, 0.001)));
  const percent = percentAbove(busy.tickMs(0.99), idle.tickMs(0.99));
  const isSustained = backlogMost <= events * BACKLOG_SECONDS && busy.counts.lost + busy.counts.ringFull === 0;
  const ticks = [busy, idle].flatMap((figures) =>
    [figures.tickMs(0.5), figures.tickMs(0.99)].map((ms) => ms.toFixed(3)),
  );
  return [
    log,
    perSecond(busy.counts.emitted),
    perSecond(busy.counts.appended),
    String(busy.counts.ringFull),
    String(busy.counts.lost),
    String(backlogMost),
    ...ticks,
    formatPercent(percent),
    [isSustained ? 'sustained' : 'not sustained', percent <= PROMISED_PERCENT ? 'kept' : 'missed'].join(', '),
  ];
}
