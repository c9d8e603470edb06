// npm run loadtest: options in, a table (and with --json one last line for machines) out.

import { say } from '../../src/server/cli/progress.js';
import { helpText, parseLoadOptions } from './options.js';
import { formatReport } from './report/report.js';
import { findProblems, runLoad } from './run.js';

const EXIT_FAILED = 1;
const EXIT_WRONG_OPTIONS = 2;
/** What a shell calls a program that ended on SIGINT. */
const EXIT_INTERRUPTED = 130;

async function main(): Promise<number> {
  const { options, problems } = parseLoadOptions(process.argv.slice(2));
  if (options.help) {
    process.stdout.write(`${helpText()}\n`);
    return 0;
  }
  if (problems.length === 0) problems.push(...findProblems(options));
  if (problems.length > 0) {
    for (const problem of problems) say(problem);
    return EXIT_WRONG_OPTIONS;
  }
  const interrupt = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      // Asked twice: leave at once; the exit handler of the server process ends the server.
      if (interrupt.signal.aborted) process.exit(EXIT_INTERRUPTED);
      say('\nstopping; what was measured so far follows');
      interrupt.abort();
    });
  }
  const result = await runLoad(options, interrupt.signal);
  process.stdout.write(`${formatReport(options, result)}\n`);
  if (options.json) process.stdout.write(`${JSON.stringify(result)}\n`);
  if (result.interrupted) return EXIT_INTERRUPTED;
  return result.ok ? 0 : EXIT_FAILED;
}

main().then(
  (code) => {
    process.exitCode = code;
  },
  (error: Error) => {
    say(error.message);
    process.exitCode = EXIT_FAILED;
  },
);
