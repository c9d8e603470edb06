// A scenario is a bench of a whole server or of a whole thread: it takes minutes, may need services, and gives a report
// and a verdict instead of rows. Scenarios run one at a time, by name, with options of their own.

import { say } from '../src/server/cli/progress.js';

export interface Scenario {
  name: string;
  /** One line for --help. */
  summary: string;
  options: readonly ScenarioOption[];
  /** Problems that the machine and the environment show: one line each; empty when it can begin. */
  findProblems(values: ScenarioValues): string[];
  /** Prints its report. `signal` is aborted by Ctrl-C: what was measured so far is reported then. */
  run(values: ScenarioValues, signal: AbortSignal): Promise<void>;
}

export type ScenarioOption =
  | { name: string; value: number; min: number; max: number; about: string }
  | { name: string; value: string; choices: readonly string[]; about: string }
  /** Any text. */
  | { name: string; value: string; about: string };

export type ScenarioValues = Readonly<Record<string, number | string>>;

const EXIT_WRONG = 1;
/** What a shell calls a program that ended on SIGINT. */
const EXIT_INTERRUPTED = 130;

/** The exit code. A missed promise is a finding and no failure. */
export async function runScenario(scenario: Scenario, argv: readonly string[]): Promise<number> {
  if (argv.includes('--help') || argv.includes('-h')) {
    process.stdout.write(`${helpText(scenario)}\n`);
    return 0;
  }
  const { values, problems } = parseValues(scenario, argv);
  if (problems.length === 0) problems.push(...scenario.findProblems(values));
  if (problems.length > 0) {
    for (const problem of problems) say(`${scenario.name}: ${problem}`);
    return EXIT_WRONG;
  }
  const interrupt = new AbortController();
  const stop = (): void => {
    // Asked twice: leave at once; exit handlers end processes and remove folders.
    if (interrupt.signal.aborted) process.exit(EXIT_INTERRUPTED);
    say('\nstopping; what was measured so far follows');
    interrupt.abort();
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.on(signal, stop);
  try {
    await scenario.run(values, interrupt.signal);
  } catch (error) {
    say(`${scenario.name}: ${(error as Error).message}`);
    return EXIT_WRONG;
  } finally {
    for (const signal of signals) process.off(signal, stop);
  }
  return interrupt.signal.aborted ? EXIT_INTERRUPTED : 0;
}

export function parseValues(
  scenario: Scenario,
  argv: readonly string[],
): { values: Record<string, number | string>; problems: string[] } {
  const values = Object.fromEntries(scenario.options.map(({ name, value }) => [name, value]));
  const problems: string[] = [];
  for (let i = 0; i < argv.length; i++) {
    const [flag, inline] = argv[i].split(/=(.*)/s);
    const option = scenario.options.find(({ name }) => flag === `--${name}`);
    if (option === undefined) {
      problems.push(`${argv[i]}: no such option; --help lists them`);
      continue;
    }
    const text = inline ?? argv[++i];
    const value = parseValue(option, text);
    if (value === undefined) {
      problems.push(
        `--${option.name}: ${text === undefined ? 'value is missing' : `"${text}" is not allowed`}; allowed: ${allowed(option)}`,
      );
    } else {
      values[option.name] = value;
    }
  }
  return { values, problems };
}

function parseValue(option: ScenarioOption, text: string | undefined): number | string | undefined {
  if (text === undefined) return undefined;
  if ('choices' in option) return option.choices.includes(text) ? text : undefined;
  if (!('min' in option)) return text;
  const number = Number(text);
  return /^\d+$/.test(text) && number >= option.min && number <= option.max ? number : undefined;
}

function allowed(option: ScenarioOption): string {
  if ('choices' in option) return option.choices.join(', ');
  return 'min' in option ? `a whole number from ${option.min} to ${option.max}` : 'any text';
}

function helpText({ name, summary, options }: Scenario): string {
  const lines = options.map((option) => {
    const usage = `--${option.name} ${'choices' in option ? option.choices.join('|') : 'min' in option ? 'N' : 'TEXT'}`;
    return `  ${usage.padEnd(32)}${option.about} (${option.value})`;
  });
  return [`npm run bench -- ${name} [options]`, '', summary, '', ...lines].join('\n');
}

/** Resolves early when the scenario is stopped. */
export function pauseUnlessStopped(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const finish = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', finish);
      resolve();
    };
    const timer = setTimeout(finish, ms);
    signal.addEventListener('abort', finish, { once: true });
  });
}

/** Columns as wide as they need to be; the first to the left, the others to the right. */
export function formatColumns(lines: readonly (readonly string[])[]): string {
  const widths = lines[0].map((_, column) => Math.max(...lines.map((line) => line[column].length)));
  return lines
    .map((line) => line.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join('  '))
    .map((line) => line.trimEnd())
    .join('\n');
}
