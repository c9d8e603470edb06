// npm test [-- FILTER ...]: runs the compiled tests of which the path contains one of the filters, or all of them. A test
// that is skipped lacked a real part, such as a browser: its name and reason are printed at the end, and where CI is set
// it counts as a failure.
//
// Each file is a run of its own, because only a run's own signal ends a file that hangs on every Node that we support.

import { existsSync, readdirSync } from 'node:fs';
import { relative, sep } from 'node:path';
import { PassThrough } from 'node:stream';
import { finished } from 'node:stream/promises';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { fileURLToPath } from 'node:url';

/** Two, so that tests which start servers of their own leave each other some of a small machine. */
const FILES_AT_ONCE = 2;
const FILE_TIMEOUT_MS = 180000;
const NAME_OPTION = '--test-name-pattern=';
/** The closing lines of a run, in their order. */
const TOTALS = ['tests', 'suites', 'pass', 'fail', 'cancelled', 'skipped', 'todo', 'duration_ms'];
const TOTAL_LINE = new RegExp(`^(${TOTALS.join('|')}) ([\\d.]+)$`);

const startedAt = performance.now();
const root = fileURLToPath(new URL('../', import.meta.url));
const compiled = `${root}dist${sep}test`;
const { filters, namePatterns } = readOptions(process.argv.slice(2));
const files = findFiles();

const totals = new Map(TOTALS.map((name) => [name, 0]));
const skips = [];
const events = new PassThrough({ objectMode: true });
const report = events.pipe(new spec());
report.pipe(process.stdout);

const waiting = [...files];
await Promise.all(Array.from({ length: FILES_AT_ONCE }, runWaiting));
totals.set('duration_ms', Math.round(performance.now() - startedAt));
for (const [name, count] of totals) events.write(diagnostic(`${name} ${count}`));
events.end();
await finished(report);
printSkips();
const isSkipFailure = isSet(process.env.CI) && skips.length > 0;
if (isSkipFailure) process.stdout.write('CI is set, so each of them is a failure.\n');
process.exitCode = totals.get('fail') + totals.get('cancelled') > 0 || isSkipFailure ? 1 : 0;

async function runWaiting() {
  for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
    // What a file has to say is shown in one piece.
    for (const event of await runFile(file)) events.write(event);
  }
}

async function runFile(file) {
  const shown = [];
  const running = new Set();
  const stream = run({
    files: [file],
    concurrency: 1,
    signal: AbortSignal.timeout(FILE_TIMEOUT_MS),
    ...(namePatterns.length > 0 && { testNamePatterns: namePatterns }),
  });
  for await (const event of stream) {
    const { type, data } = event;
    if (type === 'test:dequeue' && data.name !== file) running.add(data.name);
    if (type === 'test:complete') running.delete(data.name);
    if (type === 'test:pass') noteSkip(data);
    const total = type === 'test:diagnostic' && data.file === undefined ? TOTAL_LINE.exec(data.message) : null;
    if (total !== null) totals.set(total[1], totals.get(total[1]) + Number(total[2]));
    else if (type !== 'test:plan' && type !== 'test:summary') shown.push(event);
    if (type === 'test:fail' && data.name === file && running.size > 0) {
      shown.push(diagnostic(`ended while this ran: ${[...running].join(', ')}`));
    }
  }
  return shown;
}

function noteSkip({ name, file, skip }) {
  if (skip === undefined || skip === false) return;
  // What a name pattern leaves out is no missing part.
  if (namePatterns.length > 0 && /does not match pattern/.test(skip)) return;
  const where = file === undefined ? '' : `${relative(compiled, file)}: `;
  skips.push(`${where}${name}${skip === true ? '' : ` (${skip})`}`);
}

function printSkips() {
  if (skips.length === 0) return;
  process.stdout.write(
    `\nNot run, because a real part was missing here:\n${skips.map((line) => `  ${line}\n`).join('')}`,
  );
}

function diagnostic(message) {
  return { type: 'test:diagnostic', data: { nesting: 0, message, level: 'info' } };
}

function readOptions(options) {
  const isName = (option) => option.startsWith(NAME_OPTION);
  const unknown = options.filter((option) => option.startsWith('-') && !isName(option));
  if (unknown.length > 0) {
    fail(`unknown option ${unknown.join(', ')}; allowed: parts of paths, and ${NAME_OPTION}PATTERN`);
  }
  return {
    filters: options.filter((option) => !option.startsWith('-')),
    namePatterns: options.filter(isName).map((option) => new RegExp(option.slice(NAME_OPTION.length))),
  };
}

function findFiles() {
  if (!existsSync(compiled)) fail('there are no compiled tests; npm test builds them');
  const names = readdirSync(compiled, { recursive: true })
    .filter((name) => name.endsWith('.test.js'))
    // The output folder keeps what was compiled from a source that has gone since.
    .filter((name) => existsSync(`${root}test${sep}${name.replace(/\.js$/, '.ts')}`))
    .filter((name) => filters.length === 0 || filters.some((filter) => name.split(sep).join('/').includes(filter)))
    .sort();
  if (names.length === 0) fail(`no test file has ${filters.join(' or ')} in its path`);
  return names.map((name) => `${compiled}${sep}${name}`);
}

function isSet(variable) {
  return variable !== undefined && !['', '0', 'false'].includes(variable);
}

function fail(line) {
  process.stderr.write(`test: ${line}\n`);
  process.exit(1);
}
