// The one table of all settings: what each is for, what it may be, what it is when nobody says. Parsing, complaints and
// the help text are made from it.

import type { SettingName, Settings } from './config.js';
import { editDistance, kebabName } from './config-names.js';
import {
  CLIENTS_MAX_LIMIT,
  COMMAND_RING_RECORDS,
  ENTITIES_PER_ZONE_MAX,
  FRAME_BYTES_MAX,
  PING_PERIOD_MS,
  TICK_HZ_MAX,
  TICK_HZ_MIN,
  TICK_THREADS_MAX,
  WORLD_SIDE_MAX,
  WORLD_SIDE_MIN,
  ZONES_MAX,
} from './constants.js';

export const SETTING_GROUPS = [
  'Network',
  'World',
  'Ticks',
  'Clients',
  'Limits per client and zone',
  'Timeouts',
  'What lasts',
  'Log',
] as const;
export type SettingGroup = (typeof SETTING_GROUPS)[number];

interface Described<T> {
  group: SettingGroup;
  /** What stands for the value in the help text. */
  placeholder: string;
  help: string;
  value: T;
}
export type SettingDefinition<T> = Described<T> &
  (
    | { form: 'integer' | 'number'; min: number; max: number }
    | { form: 'choice'; choices: readonly string[] }
    | { form: 'text'; pattern: RegExp; allowed: string }
  );

export const SETTINGS: { readonly [K in SettingName]: SettingDefinition<Settings[K]> } = {
  host: {
    group: 'Network',
    placeholder: 'ADDRESS',
    help: 'Address to listen on; 0.0.0.0 or :: for all.',
    value: '127.0.0.1',
    form: 'text',
    pattern: /^[A-Za-z0-9._:%-]+$/,
    allowed: 'an IP address or a host name',
  },
  port: {
    group: 'Network',
    placeholder: 'N',
    help: 'Port for the page, WebSocket, health and metrics; 0 takes a free one.',
    value: 8080,
    form: 'integer',
    min: 0,
    max: 65535,
  },
  data: {
    group: 'World',
    placeholder: 'FOLDER',
    help: 'Folder for what lasts. One server at a time may use it.',
    value: 'data',
    form: 'text',
    pattern: /^[^\0]+$/,
    allowed: 'the path of a folder',
  },
  game: {
    group: 'World',
    placeholder: 'GAME',
    help: 'What is played.',
    value: 'arena',
    form: 'text',
    pattern: /^(arena|[^\0]*[/\\][^\0]+|[^\0]+\.[cm]?js)$/,
    allowed: 'arena, or the path of a JavaScript module such as ./my-game.js',
  },
  worldWidth: {
    group: 'World',
    placeholder: 'N',
    help: 'Width of the world in units.',
    value: 512,
    form: 'integer',
    min: WORLD_SIDE_MIN,
    max: WORLD_SIDE_MAX,
  },
  worldHeight: {
    group: 'World',
    placeholder: 'N',
    help: 'Height of the world in units.',
    value: 512,
    form: 'integer',
    min: WORLD_SIDE_MIN,
    max: WORLD_SIDE_MAX,
  },
  zoneColumns: {
    group: 'World',
    placeholder: 'N',
    help: `The world is cut into columns times rows zones, ${ZONES_MAX} at most.`,
    value: 2,
    form: 'integer',
    min: 1,
    max: ZONES_MAX,
  },
  zoneRows: {
    group: 'World',
    placeholder: 'N',
    help: 'See --zone-columns.',
    value: 2,
    form: 'integer',
    min: 1,
    max: ZONES_MAX,
  },
  entitiesPerZone: {
    group: 'World',
    placeholder: 'N',
    help: 'Room for entities in one zone: players, bots, projectiles.',
    value: 32768,
    form: 'integer',
    min: 16,
    max: ENTITIES_PER_ZONE_MAX,
  },
  bots: {
    group: 'World',
    placeholder: 'N',
    help: "Entities that the game's own logic moves, over all zones.",
    value: 0,
    form: 'integer',
    min: 0,
    max: ZONES_MAX * ENTITIES_PER_ZONE_MAX,
  },
  spawn: {
    group: 'World',
    placeholder: 'POLICY',
    help: 'Where clients begin: all over the world, all on one spot, or N together on each of many spots.',
    value: 'spread',
    form: 'text',
    pattern: /^(spread|crowd|hubs:[1-9]\d{0,4})$/,
    allowed: 'spread, crowd, or hubs:N with N from 1 to 99999',
  },
  seed: {
    group: 'World',
    placeholder: 'N',
    help: 'Where chance begins; the same seed makes the same world.',
    value: 1,
    form: 'integer',
    min: 0,
    max: 2 ** 32 - 1,
  },
  tickHz: {
    group: 'Ticks',
    placeholder: 'N',
    help: 'Ticks per second.',
    value: 60,
    form: 'integer',
    min: TICK_HZ_MIN,
    max: TICK_HZ_MAX,
  },
  threads: {
    group: 'Ticks',
    placeholder: 'N',
    help: 'Tick threads; 0: as many as there are cores less one, at least one, at most one per zone.',
    value: 0,
    form: 'integer',
    min: 0,
    max: TICK_THREADS_MAX,
  },
  hangMs: {
    group: 'Ticks',
    placeholder: 'MS',
    help: 'A tick thread that shows no progress for this long is replaced.',
    value: 500,
    form: 'integer',
    min: 50,
    max: 60000,
  },
  updateHz: {
    group: 'Clients',
    placeholder: 'N',
    help: 'State frames per second for one client, at most one per tick.',
    value: 30,
    form: 'integer',
    min: 1,
    max: TICK_HZ_MAX,
  },
  viewRadius: {
    group: 'Clients',
    placeholder: 'UNITS',
    help: 'Entities nearer than this are in view.',
    value: 24,
    form: 'number',
    min: 1,
    max: WORLD_SIDE_MAX,
  },
  clientsMax: {
    group: 'Clients',
    placeholder: 'N',
    help: 'Clients at a time.',
    value: 4096,
    form: 'integer',
    min: 1,
    max: CLIENTS_MAX_LIMIT,
  },
  connectionsPerAddress: {
    group: 'Clients',
    placeholder: 'N',
    help: 'Connections at a time from one address.',
    value: 4096,
    form: 'integer',
    min: 1,
    max: CLIENTS_MAX_LIMIT,
  },
  messagesPerSecond: {
    group: 'Limits per client and zone',
    placeholder: 'N',
    help: 'Messages that one client may send, with a burst of as many.',
    value: 90,
    form: 'integer',
    min: 1,
    max: 10000,
  },
  bytesPerSecond: {
    group: 'Limits per client and zone',
    placeholder: 'N',
    help: 'Bytes of state for one client; the most important entities come first.',
    value: 65536,
    form: 'integer',
    min: 1024,
    max: FRAME_BYTES_MAX * TICK_HZ_MAX,
  },
  commandsPerTick: {
    group: 'Limits per client and zone',
    placeholder: 'N',
    help: 'Commands that one zone applies in one tick.',
    value: 1000,
    form: 'integer',
    min: 1,
    max: COMMAND_RING_RECORDS,
  },
  commandsPerClientTick: {
    group: 'Limits per client and zone',
    placeholder: 'N',
    help: 'Commands of one client that a zone applies in one tick.',
    value: 8,
    form: 'integer',
    min: 1,
    max: COMMAND_RING_RECORDS,
  },
  joinTimeoutMs: {
    group: 'Timeouts',
    placeholder: 'MS',
    help: 'A client that has not joined by then is closed.',
    value: 5000,
    form: 'integer',
    min: 100,
    max: 60000,
  },
  idleTimeoutMs: {
    group: 'Timeouts',
    placeholder: 'MS',
    help: `A client that answers no ping for this long is closed; one is sent every ${PING_PERIOD_MS} ms.`,
    value: 30000,
    form: 'integer',
    min: PING_PERIOD_MS + 1000,
    max: 3600000,
  },
  slowClientMs: {
    group: 'Timeouts',
    placeholder: 'MS',
    help: 'A client that stays backed up for this long is closed.',
    value: 10000,
    form: 'integer',
    min: 100,
    max: 600000,
  },
  kafka: {
    group: 'What lasts',
    placeholder: 'HOST:PORT,...',
    help: 'Brokers of the event log; empty: the embedded one.',
    value: '',
    form: 'text',
    pattern: /^$|^[^\s,]+:\d+(,[^\s,]+:\d+)*$/,
    allowed: 'host:port, several with commas, or nothing',
  },
  redis: {
    group: 'What lasts',
    placeholder: 'URL',
    help: 'Store of hot snapshots; empty: the embedded one.',
    value: '',
    form: 'text',
    pattern: /^$|^rediss?:\/\/\S+$/,
    allowed: 'redis://host:port, or nothing',
  },
  mongodb: {
    group: 'What lasts',
    placeholder: 'URL',
    help: 'Store of cold snapshots; empty: the embedded one.',
    value: '',
    form: 'text',
    pattern: /^$|^mongodb(\+srv)?:\/\/\S+$/,
    allowed: 'mongodb://host:port/database, or nothing',
  },
  hotSnapshotMs: {
    group: 'What lasts',
    placeholder: 'MS',
    help: 'Every so often the world goes to the hot store.',
    value: 5000,
    form: 'integer',
    min: 1000,
    max: 10000,
  },
  coldSnapshotMs: {
    group: 'What lasts',
    placeholder: 'MS',
    help: 'Every so often, and at the end, it goes to the cold store.',
    value: 60000,
    form: 'integer',
    min: 5000,
    max: 300000,
  },
  start: {
    group: 'What lasts',
    placeholder: 'HOW',
    help: 'Go on with the world in the data folder: if it fits, or not start, or never.',
    value: 'auto',
    form: 'choice',
    choices: ['auto', 'resume', 'fresh'],
  },
  logLevel: {
    group: 'Log',
    placeholder: 'LEVEL',
    help: 'What is logged.',
    value: 'info',
    form: 'choice',
    choices: ['trace', 'debug', 'info', 'warn', 'error', 'silent'],
  },
};

export const SETTING_NAMES = Object.keys(SETTINGS) as SettingName[];

/** Two settings by one name, given as 2x2. They are settings of one group. */
export interface SettingPair {
  names: readonly [SettingName, SettingName];
  placeholder: string;
  example: string;
}
export const SETTING_PAIRS: ReadonlyMap<string, SettingPair> = new Map([
  ['world', { names: ['worldWidth', 'worldHeight'], placeholder: 'WxH', example: '512x512' }],
  ['zones', { names: ['zoneColumns', 'zoneRows'], placeholder: 'CxR', example: '2x2' }],
]);

const NAME_BY_KEBAB = new Map(SETTING_NAMES.map((name) => [kebabName(name), name]));

export function findSetting(kebab: string): SettingName | undefined {
  return NAME_BY_KEBAB.get(kebab);
}

export function defaultSettings(): Settings {
  return Object.fromEntries(SETTING_NAMES.map((name) => [name, SETTINGS[name].value])) as unknown as Settings;
}

/** Undefined: not a value of this setting. */
export function parseSetting(name: SettingName, text: string): string | number | undefined {
  const definition: SettingDefinition<string | number> = SETTINGS[name];
  switch (definition.form) {
    case 'choice':
      return definition.choices.includes(text) ? text : undefined;
    case 'text':
      return definition.pattern.test(text) ? text : undefined;
    default: {
      const pattern = definition.form === 'integer' ? /^\d+$/ : /^\d+(\.\d+)?$/;
      const value = Number(text);
      return pattern.test(text) && value >= definition.min && value <= definition.max ? value : undefined;
    }
  }
}

/** What a setting or a pair, named in kebab-case, may be. Undefined: there is no such name. */
export function allowedText(kebab: string): string | undefined {
  const pair = SETTING_PAIRS.get(kebab);
  if (pair !== undefined) return `two whole numbers, such as ${pair.example}`;
  const name = findSetting(kebab);
  if (name === undefined) return undefined;
  const { form } = SETTINGS[name];
  if (form === 'integer') return `a whole number from ${rangeText(name)}`;
  return form === 'number' ? `a number from ${rangeText(name)}` : rangeText(name);
}

/** The same in few words. */
export function rangeText(name: SettingName): string {
  const definition: SettingDefinition<string | number> = SETTINGS[name];
  switch (definition.form) {
    case 'choice':
      return definition.choices.join(', ');
    case 'text':
      return definition.allowed;
    default:
      return `${definition.min} to ${definition.max}`;
  }
}

export const DEFAULT_SOURCE = 'default';

/** How every complaint about a setting begins. */
export function describeSetting(name: string, value: string | number, source: string): string {
  const shown = /^[\w.:/+-]+$/.test(String(value)) ? value : JSON.stringify(value);
  return `${name} is ${shown} (${source === DEFAULT_SOURCE ? source : `from ${source}`})`;
}

/** The known name that was most likely meant, if one is near. */
export function closestName(kebab: string): string | undefined {
  let closest: string | undefined;
  // A third of the letters may be wrong; beyond that a guess is no help.
  let distanceMin = Math.floor(kebab.length / 3) + 1;
  for (const candidate of [...NAME_BY_KEBAB.keys(), ...SETTING_PAIRS.keys(), 'config']) {
    const distance = editDistance(kebab, candidate);
    if (distance > 0 && distance < distanceMin) {
      distanceMin = distance;
      closest = candidate;
    }
  }
  return closest;
}
