// The settings by name and type, and what the table says of each. Imports nothing, so that every file of the folder can
// import it.

import type { StartMode } from './start-mode.js';

export type SpawnPolicy = 'spread' | 'crowd' | `hubs:${number}`;

export interface Settings {
  host: string;
  port: number;
  web: string;
  data: string;
  game: string;
  checked: 'off' | 'on';
  bots: number;
  seed: number;
  zoneColumns: number;
  zoneRows: number;
  threads: number;
  worldWidth: number;
  worldHeight: number;
  tickHz: number;
  updateHz: number;
  viewRadius: number;
  cellSize: number;
  cellsLiveMax: number;
  cellTtlMs: number;
  cellEntitiesMax: number;
  spawn: SpawnPolicy;
  entitiesPerZone: number;
  clientsMax: number;
  spectators: number;
  spectatorDelayMs: number;
  connectionsPerAddress: number;
  messagesPerSecond: number;
  commandsPerTick: number;
  commandsPerClientTick: number;
  bytesPerSecond: number;
  joinTimeoutMs: number;
  idleTimeoutMs: number;
  slowClientMs: number;
  resumeMs: number;
  resumeSecret: string;
  hangMs: number;
  kafka: string;
  redis: string;
  mongodb: string;
  hotSnapshotMs: number;
  coldSnapshotMs: number;
  journalFlushMs: number;
  journalKeepMinutes: number;
  hashEveryTicks: number;
  checkpointMs: number;
  start: StartMode;
  logLevel: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'silent';
  log: 'auto' | 'text' | 'json';
}

export type SettingName = keyof Settings;
/** Where each value came from: 'default', a flag, an environment variable, or the path of the config file. */
export type SettingSources = Record<SettingName, string>;

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
    | { form: 'text'; pattern: RegExp; allowed: string; isSecret?: boolean }
  );
