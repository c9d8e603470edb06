// npm run simulate: runs simulated worlds, one per seed, and stops at the first that breaks a rule.
//
//   npm run simulate -- --seeds 1000 --from 1 --ticks 300
//   npm run simulate -- --seed 17 --trace
//   npm run simulate -- --seeds 100 --faults thread-dies,process-crashes

import { parseArgs } from 'node:util';
import { FAULT_NAMES, type FaultName } from './faults.js';
import { describeFailure, Tally, TICKS } from './report.js';
import { type SimulationOptions, simulate } from './simulation.js';

const PROGRESS_EVERY_MS = 2000;
const COUNT_MAX = 2 ** 31;

const HELP = `npm run simulate -- [options]: a whole server on virtual time, with faults, from seeds
  --seeds N        how many seeds (100)
  --from N         the first one (1)
  --seed N         this one only
  --ticks N        ticks with faults in each (${TICKS})
  --faults A,B     exactly these instead of a random part of them; none: no faults
  --trace          prints what happens
  --keep-going     goes on after a failure
faults: ${FAULT_NAMES.join(', ')}`;

interface Options {
  from: number;
  seeds: number;
  ticks: number;
  trace: boolean;
  keepGoing: boolean;
  faults?: FaultName[];
}

/** Undefined: help was asked for. */
function readOptions(): Options | undefined {
  const { values } = parseArgs({
    options: {
      seeds: { type: 'string', default: '100' },
      from: { type: 'string', default: '1' },
      seed: { type: 'string' },
      ticks: { type: 'string', default: String(TICKS) },
      faults: { type: 'string' },
      trace: { type: 'boolean', default: false },
      'keep-going': { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return undefined;
  return {
    from: values.seed === undefined ? readCount('from', values.from) : readCount('seed', values.seed),
    seeds: values.seed === undefined ? readCount('seeds', values.seeds) : 1,
    ticks: readCount('ticks', values.ticks),
    trace: values.trace,
    keepGoing: values['keep-going'],
    ...(values.faults !== undefined && { faults: readFaults(values.faults) }),
  };
}

function readFaults(text: string): FaultName[] {
  const names = text === 'none' ? [] : text.split(',');
  const stranger = names.find((name) => !FAULT_NAMES.includes(name as FaultName));
  if (stranger !== undefined) {
    throw new Error(`--faults '${stranger}' is no fault; allowed: ${FAULT_NAMES.join(', ')}, or none`);
  }
  return names as FaultName[];
}

function readCount(name: string, text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < 1 || value > COUNT_MAX) {
    throw new Error(`--${name} is '${text}'; allowed: a whole number from 1 to ${COUNT_MAX}`);
  }
  return value;
}

async function runAll({ from, seeds, ticks, trace, keepGoing, faults }: Options): Promise<void> {
  const startMs = performance.now();
  const tally = new Tally();
  let isStopping = false;
  process.on('SIGINT', () => {
    isStopping = true; // after the present seed
  });
  let toldMs = startMs;
  for (let seed = from; seed < from + seeds && !isStopping; seed++) {
    const options: SimulationOptions = { seed, ticks, ...(faults && { faults }), ...(trace && { print: console.log }) };
    const result = await simulate(options);
    tally.add(result);
    if (result.violation !== undefined) {
      process.exitCode = 1;
      console.log(
        keepGoing ? `seed ${seed}: ${result.violation.message.split('\n')[0]}` : describeFailure(result, options),
      );
      if (!keepGoing) return;
    }
    if (seeds === 1) console.log(`seed ${seed}: ${result.violation ? 'failed' : 'held'}, trace ${result.digest}`);
    if (performance.now() - toldMs > PROGRESS_EVERY_MS) {
      toldMs = performance.now();
      const perSecond = (tally.runs * 1000) / (toldMs - startMs);
      process.stderr.write(`${tally.runs} of ${seeds} seeds, ${perSecond.toFixed(1)} per second\n`);
    }
  }
  const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
  console.log(tally.describe());
  console.log(`${tally.runs} seeds in ${seconds} s${isStopping ? ', stopped' : ''}`);
}

try {
  const options = readOptions();
  if (options === undefined) console.log(HELP);
  else await runAll(options);
} catch (error) {
  process.stderr.write(`simulate: ${(error as Error).message.split('\n')[0]}\n`);
  process.exit(1);
}
