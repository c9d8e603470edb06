// Which settings can change while the server runs: each has an owner that takes a new value at once. The others made the
// world, its memory, its threads or its connections when the server started, and wait for the next start.

import { relationErrors } from './setting-relations.js';
import { SETTING_NAMES } from './setting-table.js';
import { fitDefaults, type LoadedSettings, type SettingName, type SettingSources, type Settings } from './settings.js';

export const LIVE_SETTINGS: ReadonlySet<SettingName> = new Set<SettingName>([
  'hangMs',
  // Of who joins from then on.
  'updateHz',
  'connectionsPerAddress',
  'messagesPerSecond',
  'bytesPerSecond',
  'commandsPerTick',
  'commandsPerClientTick',
  'joinTimeoutMs',
  'idleTimeoutMs',
  'slowClientMs',
  'hotSnapshotMs',
  'coldSnapshotMs',
  'logLevel',
]);

export interface Reloaded {
  /** Not empty: nothing was applied. */
  errors: string[];
  applied: SettingName[];
  /** Differ from what runs, and cannot change while it does. */
  restart: SettingName[];
}

const NOTHING = { applied: [], restart: [], values: {} };

export interface Comparison extends Reloaded {
  /** Of what is applied. */
  values: Partial<Settings>;
}

/** What a configuration that was read again would change. `running` is not touched. */
export function compareSettings(running: Settings, loaded: LoadedSettings): Comparison {
  if (!loaded.ok) return { errors: loaded.errors, ...NOTHING };
  if (!('settings' in loaded)) return { errors: [], ...NOTHING };
  const { sources } = loaded;
  const settings = fitDefaults(loaded.settings, sources, running.tickHz);
  const changed = SETTING_NAMES.filter((name) => settings[name] !== running[name]);
  const applied = changed.filter((name) => LIVE_SETTINGS.has(name));
  const restart = changed.filter((name) => !LIVE_SETTINGS.has(name));
  // What is applied must fit what goes on as it is, not only what it was written down with.
  const values = pick(settings, applied);
  const errors = relationErrors({ ...running, ...values }, nameRunning(sources, restart), new Set());
  return errors.length > 0 ? { errors, ...NOTHING } : { errors, applied, restart, values };
}

function pick(settings: Settings, names: readonly SettingName[]): Partial<Settings> {
  return Object.fromEntries(names.map((name) => [name, settings[name]]));
}

function nameRunning(sources: SettingSources, names: readonly SettingName[]): SettingSources {
  return { ...sources, ...Object.fromEntries(names.map((name) => [name, 'the running server'])) };
}
