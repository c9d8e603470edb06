// npm test [-- FILTER ...]: runs the compiled tests of which the path contains one of the filters, or all of them. Each
// file is a process of its own with a deadline. A test that is skipped lacked a real part, such as a browser: its name and
// reason are printed at the end, and where CI is set it counts as a failure.

import { existsSync, readdirSync } from 'node:fs';
import { relative, sep } from 'node:path';
import { finished } from 'node:stream/promises';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { fileURLToPath } from 'node:url';

/** Two, so that tests which start servers of their own leave each other some of a small machine. */
const FILES_AT_ONCE = 2;
const FILE_TIMEOUT_MS = 180000;
const NAME_OPTION = '--test-name-pattern=';

const root = fileURLToPath(new URL('../', import.meta.url));
const compiled = `${root}dist${sep}test`;

const options = process.argv.slice(2);
const filters = options.filter((option) => !option.startsWith('-'));
const namePatterns = options.filter((option) => option.startsWith(NAME_OPTION));
const unknown = options.filter((option) => option.startsWith('-') && !option.startsWith(NAME_OPTION));
if (unknown.length > 0)
  fail(`unknown option ${unknown.join(', ')}; allowed: parts of paths, and ${NAME_OPTION}PATTERN`);

if (!existsSync(compiled)) fail('there are no compiled tests; npm test builds them');
const names = readdirSync(compiled, { recursive: true })
  .filter((name) => name.endsWith('.test.js'))
  // The output folder keeps what was compiled from a source that has gone since.
  .filter((name) => existsSync(`${root}test${sep}${name.replace(/\.js$/, '.ts')}`))
  .filter((name) => filters.length === 0 || filters.some((filter) => name.split(sep).join('/').includes(filter)))
  .sort();
if (names.length === 0) fail(`no test file has ${filters.join(' or ')} in its path`);

const skipped = [];
let failures = 0;
const events = run({
  files: names.map((name) => `${compiled}${sep}${name}`),
  concurrency: FILES_AT_ONCE,
  timeout: FILE_TIMEOUT_MS,
  ...(namePatterns.length > 0 && {
    testNamePatterns: namePatterns.map((option) => new RegExp(option.slice(NAME_OPTION.length))),
  }),
});
events.on('test:fail', () => failures++);
events.on('test:pass', ({ name, file, skip }) => {
  if (skip === undefined || skip === false) return;
  // What a name pattern leaves out is no missing part.
  if (namePatterns.length > 0 && /does not match pattern/.test(skip)) return;
  skipped.push(
    `${file === undefined ? '' : `${relative(compiled, file)}: `}${name}${skip === true ? '' : ` (${skip})`}`,
  );
});
const report = events.compose(new spec());
report.pipe(process.stdout);
await finished(report);

if (skipped.length > 0) {
  process.stdout.write(
    `\nNot run, because a real part was missing here:\n${skipped.map((line) => `  ${line}\n`).join('')}`,
  );
}
const skipsCount = process.env.CI !== undefined && process.env.CI !== '' && process.env.CI !== 'false';
if (skipsCount && skipped.length > 0) process.stdout.write('CI is set, so each of them is a failure.\n');
process.exitCode = failures > 0 || (skipsCount && skipped.length > 0) ? 1 : 0;

function fail(line) {
  process.stderr.write(`test: ${line}\n`);
  process.exit(1);
}
