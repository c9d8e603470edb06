// What a server costs that nobody plays on: CPU by thread and memory, with the settings of a first start.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Progress } from '../../src/server/cli/progress.js';
import { type ProcessFigures, readProcessFigures, threadUse } from '../load/report/process-figures.js';
import { formatColumns, pauseUnlessStopped, type Scenario, type ScenarioValues } from '../scenario.js';
import { flagsOf, ServerProcess } from '../server-process.js';

const PROMISED_CPU_PERCENT = 2;
const PROMISED_RSS_MIB = 110;
/** Threads that used less than this share of a core go into one line. */
const SHOWN_PERCENT = 0.05;

export const scenario: Scenario = {
  name: 'idle',
  summary: 'CPU by thread, and memory, of a server without clients and bots',
  options: [
    { name: 'seconds', value: 20, min: 1, max: 3600, about: 'measured' },
    { name: 'warm-up', value: 30, min: 0, max: 3600, about: 'seconds before that' },
    { name: 'rounds', value: 1, min: 1, max: 100, about: 'servers, one after the other' },
  ],
  findProblems: () => (readProcessFigures(process.pid) === null ? ['CPU and memory are read from /proc'] : []),
  async run(values, signal) {
    for (let round = 0; round < Number(values.rounds) && !signal.aborted; round++) {
      process.stdout.write(await measure(values, signal));
    }
  },
};

async function measure(values: ScenarioValues, signal: AbortSignal): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'tessera-idle-'));
  const server = new ServerProcess(flagsOf({ host: '127.0.0.1', port: 0, data: join(folder, 'data') }));
  const progress = new Progress('idle', 2);
  try {
    await server.ready(signal);
    progress.update(0, 'warming up');
    await pauseUnlessStopped(Number(values['warm-up']) * 1000, signal);
    const begin = readProcessFigures(server.pid);
    progress.update(1, 'measuring');
    await pauseUnlessStopped(Number(values.seconds) * 1000, signal);
    const end = readProcessFigures(server.pid);
    if (begin === null || end === null) throw new Error(`the server has gone:\n${server.log()}`);
    return describe(begin, end);
  } finally {
    progress.stop();
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

function describe(begin: ProcessFigures, end: ProcessFigures): string {
  const seconds = (end.atMs - begin.atMs) / 1000;
  const threads = threadUse(begin, end).sort((a, b) => b.cpuSeconds - a.cpuSeconds);
  const percent = (value: number): string => ((100 * value) / seconds).toFixed(2);
  const isShown = ({ cpuSeconds }: { cpuSeconds: number }): boolean => (100 * cpuSeconds) / seconds >= SHOWN_PERCENT;
  const others = threads.filter((thread) => !isShown(thread));
  const sum = (list: typeof threads, key: 'cpuSeconds' | 'waitSeconds' | 'wakeUps'): number =>
    list.reduce((total, thread) => total + thread[key], 0);
  const row = (name: string, list: typeof threads): string[] => [
    name,
    percent(sum(list, 'cpuSeconds')),
    percent(sum(list, 'waitSeconds')),
    (sum(list, 'wakeUps') / seconds).toFixed(0),
  ];
  const table = formatColumns([
    ['thread', '% of a core', '% waiting for one', 'wake-ups/s'],
    ...threads.filter(isShown).map((thread) => row(thread.name, [thread])),
    row(`${others.length} others`, others),
    row('all', threads),
  ]);
  const cpuPercent = (100 * sum(threads, 'cpuSeconds')) / seconds;
  const { rssMiB, anonMiB } = end;
  return [
    table,
    `memory ${rssMiB.toFixed(1)} MiB, of which ${anonMiB.toFixed(1)} MiB its own and the rest mapped files`,
    `under ${PROMISED_CPU_PERCENT}% of a core: ${verdict(cpuPercent < PROMISED_CPU_PERCENT)}`,
    `under ${PROMISED_RSS_MIB} MiB: ${verdict(rssMiB < PROMISED_RSS_MIB)}`,
    '',
  ].join('\n');
}

function verdict(isKept: boolean): string {
  return isKept ? 'kept' : 'not kept';
}
