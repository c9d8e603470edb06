// node dist/bench/run.js [--json FILE] [--small] [--seed N] [name...], or: SCENARIO [option...]

import { appendFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, totalmem } from 'node:os';
import { parseArgs } from 'node:util';
import type { BenchModule, BenchRow } from './bench.js';
import { BENCH_MODULES } from './modules.js';
import { runScenario } from './scenario.js';
import { SCENARIOS } from './scenarios.js';

const DEFAULT_SEED = 1;

interface BenchArguments {
  json: string | undefined;
  small: boolean;
  seed: number;
  help: boolean;
  names: string[];
}

interface ReportRow extends BenchRow {
  module: string;
}

/** Wrong arguments, as opposed to a bench that failed. */
class UsageError extends Error {}

try {
  const [first = '', ...rest] = process.argv.slice(2);
  if (Object.hasOwn(SCENARIOS, first)) process.exitCode = await runScenario(await SCENARIOS[first](), rest);
  else await main(readArguments(process.argv.slice(2)));
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}

async function main({ json, small, seed, help, names }: BenchArguments): Promise<void> {
  if (help) {
    console.log(await describeUsage());
    return;
  }
  if (json !== undefined) {
    assertWritable(json);
  }
  const machine = describeMachine();
  console.log(`${machine.cpu}, ${machine.cores} cores, ${machine.memoryMiB} MiB, Node ${machine.node}`);
  console.log(`seed ${seed}${small ? ', small form: checks the checksums, says little about speed' : ''}`);

  const rows: ReportRow[] = [];
  for (const name of names) {
    const bench = await BENCH_MODULES[name]();
    const moduleRows = await bench.run({ small, seed });
    console.log(`\n${formatTable(bench, moduleRows)}`);
    for (const row of moduleRows) {
      rows.push({ module: name, ...row });
    }
  }
  if (json !== undefined) {
    writeFileSync(json, `${JSON.stringify({ machine, seed, small, rows }, null, 2)}\n`);
  }
}

function readArguments(argv: string[]): BenchArguments {
  const { values, positionals } = parse(argv);
  const seed = Number(values.seed ?? DEFAULT_SEED);
  if (!Number.isInteger(seed) || seed < 0 || seed > 0xffffffff) {
    throw new UsageError(`--seed is ${values.seed}; it may be an integer from 0 to 4294967295`);
  }
  const known = Object.keys(BENCH_MODULES);
  const scenario = positionals.find((name) => Object.hasOwn(SCENARIOS, name));
  if (scenario !== undefined) throw new UsageError(`${scenario} runs alone, and its name comes first`);
  const unknown = positionals.filter((name) => !Object.hasOwn(BENCH_MODULES, name));
  if (unknown.length > 0) {
    throw new UsageError(`no bench is called ${unknown.join(', ')}; there are: ${known.join(', ')}`);
  }
  const names = positionals.length > 0 ? known.filter((name) => positionals.includes(name)) : known;
  return { json: values.json, small: values.small ?? false, seed, help: values.help ?? false, names };
}

function parse(argv: string[]) {
  try {
    return parseArgs({
      args: argv,
      allowPositionals: true,
      options: {
        json: { type: 'string' },
        small: { type: 'boolean' },
        seed: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch (error) {
    throw new UsageError(`${(error as Error).message}\nSee --help.`);
  }
}

async function describeUsage(): Promise<string> {
  const lines = [
    'Usage: tessera bench, or npm run bench -- [--json FILE] [--small] [--seed N] [name...]',
    '',
    '  --json FILE  also write machine, seed and all rows to FILE',
    '  --small      little work and time, as in the tests',
    `  --seed N     seed of everything random, default ${DEFAULT_SEED}`,
    '',
    'Without names all benches run:',
  ];
  for (const load of Object.values(BENCH_MODULES)) {
    const { name, summary } = await load();
    lines.push(`  ${name.padEnd(14)} ${summary}`);
  }
  lines.push('', 'Of whole servers, one at a time, with options of their own (NAME --help):');
  for (const load of Object.values(SCENARIOS)) {
    const { name, summary } = await load();
    lines.push(`  ${name.padEnd(14)} ${summary}`);
  }
  return lines.join('\n');
}

function describeMachine() {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown processor',
    cores: availableParallelism(),
    memoryMiB: Math.round(totalmem() / 1048576),
    node: process.versions.node,
    platform: `${process.platform} ${process.arch}`,
  };
}

/** Better before the benches have run than after. */
function assertWritable(file: string): void {
  try {
    appendFileSync(file, '');
  } catch (error) {
    throw new UsageError(`cannot write --json ${file}: ${(error as Error).message}`);
  }
}

function formatTable({ name, summary }: BenchModule, rows: readonly BenchRow[]): string {
  const cells = rows.map((row) => [
    row.name,
    formatRate(row.perSecond),
    formatMicroseconds(row.meanUs),
    formatMicroseconds(row.p99Us),
    String(row.samples),
    row.checksum.toString(16).padStart(8, '0'),
    row.note ?? '',
  ]);
  const table = [['', 'per second', 'mean us', 'p99 us', 'samples', 'checksum', ''], ...cells];
  const widths = table[0].map((_, column) => Math.max(...table.map((line) => line[column].length)));
  const lines = table.map((line) =>
    line
      .map((cell, column) => (isText(column) ? cell.padEnd(widths[column]) : cell.padStart(widths[column])))
      .join('  ')
      .trimEnd(),
  );
  return [`${name}: ${summary}`, ...lines].join('\n');
}

/** Names and notes stand to the left, figures to the right. */
function isText(column: number): boolean {
  return column === 0 || column === 6;
}

function formatRate(perSecond: number): string {
  if (perSecond < 10) return perSecond.toFixed(2);
  return perSecond >= 1e6 ? `${(perSecond / 1e6).toFixed(2)} M` : Math.round(perSecond).toLocaleString('en-US');
}

function formatMicroseconds(us: number): string {
  return us >= 100 ? us.toFixed(0) : us >= 1 ? us.toFixed(2) : us.toFixed(4);
}
