// The command line of the load tester. Everything that is wrong with it is found before anything starts, and told at once.

import { DEFAULTS } from '../../src/config/settings.js';
import { SCENES, type Scene } from './scene.js';

/** Beyond this the ports of one loopback address run out. */
const CLIENTS_LIMIT = 25000;
const LOOPBACK_NAMES = ['localhost', '127.0.0.1', '[::1]'];
export const GAME_PATH = '/ws/game';

export interface LoadOptions {
  clients: number;
  seconds: number;
  inputHz: number;
  updateHz: number;
  scene: Scene;
  visible: number;
  /** null: start a server of our own. */
  url: URL | null;
  json: boolean;
  threads: number;
  seed: number;
  /** Connections opened per second. */
  ramp: number;
  /** Clients that are decoded in full all the time. */
  sample: number;
  serverArgs: string[];
  allowRemote: boolean;
  help: boolean;
}

export function defaultOptions(): LoadOptions {
  return {
    clients: 2000,
    seconds: 30,
    inputHz: 30,
    updateHz: DEFAULTS.updateHz,
    scene: 'spread',
    visible: 32,
    url: null,
    json: false,
    threads: 1,
    seed: 1,
    ramp: 500,
    sample: 32,
    serverArgs: [],
    allowRemote: false,
    help: false,
  };
}

interface OptionRule {
  name: string;
  /** '' for a switch without a value. */
  placeholder: string;
  allowed: string;
  about: string;
  /** False: the value is not allowed. */
  set(options: LoadOptions, value: string): boolean;
}

function numberRule(
  name: string,
  key: 'clients' | 'seconds' | 'inputHz' | 'updateHz' | 'visible' | 'threads' | 'seed' | 'ramp' | 'sample',
  min: number,
  max: number,
  about: string,
): OptionRule {
  const set = (options: LoadOptions, value: string): boolean => {
    const number = Number(value);
    options[key] = number;
    return /^\d+$/.test(value) && number >= min && number <= max;
  };
  return { name, placeholder: 'N', allowed: `a whole number from ${min} to ${max}`, about, set };
}

function switchRule(name: string, key: 'json' | 'allowRemote' | 'help', about: string): OptionRule {
  const set = (options: LoadOptions): boolean => {
    options[key] = true;
    return true;
  };
  return { name, placeholder: '', allowed: 'no value', about, set };
}

const RULES: readonly OptionRule[] = [
  numberRule('clients', 'clients', 1, CLIENTS_LIMIT, 'clients to connect'),
  numberRule('seconds', 'seconds', 1, 3600, 'length of the timed part'),
  numberRule('input-hz', 'inputHz', 1, 120, 'inputs per second of each client'),
  numberRule('update-hz', 'updateHz', 1, 128, 'state frames per second that each client asks for'),
  {
    name: 'scene',
    placeholder: SCENES.join('|'),
    allowed: SCENES.join(', '),
    about: 'players over the whole world, all in one spot, or in spots of 200',
    set: (options, value) => {
      options.scene = value as Scene;
      return SCENES.includes(value as Scene);
    },
  },
  numberRule('visible', 'visible', 2, 500, 'entities in view on average; sizes the world of the spread scene'),
  {
    name: 'url',
    placeholder: 'ws://...',
    allowed: `a ws:// address; of this machine unless --allow-remote is given`,
    about: 'a server that runs already; without it one is started, and stopped in the end',
    set: (options, value) => {
      if (!URL.canParse(value)) return false;
      options.url = new URL(value);
      if (options.url.pathname === '/') options.url.pathname = GAME_PATH;
      return options.url.protocol === 'ws:';
    },
  },
  switchRule('json', 'json', 'print the result as one JSON object in the last line'),
  numberRule('threads', 'threads', 1, 16, 'threads that generate load'),
  numberRule('seed', 'seed', 0, 0x7fffffff, 'seed of every heading'),
  numberRule('ramp', 'ramp', 1, 100000, 'connections opened per second'),
  numberRule('sample', 'sample', 1, 1000, 'clients that are decoded in full all the time'),
  {
    name: 'server-args',
    placeholder: '"..."',
    allowed: 'settings of the server, separated by spaces',
    about: 'more settings for the server that is started; they win over those of the scene',
    set: (options, value) => {
      options.serverArgs = value.split(/\s+/).filter((part) => part !== '');
      return true;
    },
  },
  switchRule('allow-remote', 'allowRemote', 'let --url name another machine: one of your own'),
  switchRule('help', 'help', 'print this'),
];

function keyOf(rule: OptionRule): keyof LoadOptions {
  return rule.name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase()) as keyof LoadOptions;
}

/** Options, and one line for every mistake. */
export function parseLoadOptions(argv: readonly string[]): { options: LoadOptions; problems: string[] } {
  const options = defaultOptions();
  const problems: string[] = [];
  for (let i = 0; i < argv.length; i++) {
    const [flag = '', inlineValue] = splitFlag(argv[i]);
    const rule = RULES.find((candidate) => flag === `--${candidate.name}`);
    if (rule === undefined) {
      problems.push(`${argv[i]}: no such option; --help lists them`);
      continue;
    }
    const takesNext = rule.placeholder !== '' && inlineValue === undefined;
    const value = takesNext ? argv[++i] : inlineValue;
    const isMissing = rule.placeholder !== '' && value === undefined;
    const isSurplus = rule.placeholder === '' && value !== undefined;
    if (isMissing || isSurplus || !rule.set(options, value ?? '')) {
      problems.push(
        `--${rule.name}: ${isMissing ? 'value is missing' : `"${value}" is not allowed`}; allowed: ${rule.allowed}`,
      );
    }
  }
  return { options, problems: problems.concat(checkTogether(options)) };
}

function splitFlag(argument: string): [string, string | undefined] {
  const equals = argument.indexOf('=');
  return equals < 0 ? [argument, undefined] : [argument.slice(0, equals), argument.slice(equals + 1)];
}

/** Mistakes that only show when options are seen beside each other. */
function checkTogether(options: LoadOptions): string[] {
  const problems: string[] = [];
  if (options.url !== null && options.serverArgs.length > 0) {
    problems.push('--server-args: only for a server that is started here; leave it out with --url');
  }
  if (options.url !== null && !isLoopback(options.url.hostname) && !options.allowRemote) {
    problems.push(
      `--url: ${options.url.hostname} is not this machine; a load test floods its target, and aimed at a machine of ` +
        'somebody else it is an attack. allowed: 127.0.0.1, localhost, [::1], or any address of yours with --allow-remote',
    );
  }
  return problems;
}

function isLoopback(hostname: string): boolean {
  return LOOPBACK_NAMES.includes(hostname) || /^127\.\d+\.\d+\.\d+$/.test(hostname);
}

export function helpText(): string {
  const defaults = defaultOptions();
  const lines = RULES.map((rule) => {
    const usage = rule.placeholder === '' ? `--${rule.name}` : `--${rule.name} ${rule.placeholder}`;
    const value = defaults[keyOf(rule)];
    const suffix = typeof value === 'number' || typeof value === 'string' ? ` (${value})` : '';
    return `  ${usage.padEnd(28)}${rule.about}${suffix}`;
  });
  return [
    'tessera loadtest [options], or npm run loadtest -- [options]',
    '',
    'Connects clients to a server, lets them play, checks what each of them sees, and prints what it cost.',
    '',
    ...lines,
    '',
    'Ends with 0 when every client joined, stayed and saw what it should; with 1 when not; with 2 for wrong options.',
  ].join('\n');
}
