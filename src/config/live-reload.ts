// Which settings can change while the server runs: those whose owner takes a new value at once. All others shaped the world,
// its memory, its threads or its connections at the start, and wait for the next start.

import { relationErrors } from './setting-relations.js';
import { SETTING_NAMES } from './setting-table.js';
import { fitDefaults, type LoadedSettings, type SettingName, type SettingSources, type Settings } from './settings.js';

export const LIVE_SETTINGS: ReadonlySet<SettingName> = new Set<SettingName>([
  'hangMs',
  // For clients that join from then on.
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
  /** If there are any, nothing was applied. */
  errors: string[];
  applied: SettingName[];
  /** Changed, and waiting for a restart. */
  restart: SettingName[];
}

const NOTHING = { applied: [], restart: [], values: {} };

export interface Comparison extends Reloaded {
  /** The new values of what is applied. */
  values: Partial<Settings>;
}

/** What a configuration that was read again changes. Leaves `running` as it is. */
export function compareSettings(running: Settings, loaded: LoadedSettings): Comparison {
  if (!loaded.ok) return { errors: loaded.errors, ...NOTHING };
  if (!('settings' in loaded)) return { errors: [], ...NOTHING };
  const { sources } = loaded;
  const settings = fitDefaults(loaded.settings, sources, running.tickHz);
  const changed = SETTING_NAMES.filter((name) => settings[name] !== running[name]);
  const applied = changed.filter((name) => LIVE_SETTINGS.has(name));
  const restart = changed.filter((name) => !LIVE_SETTINGS.has(name));
  // The applied values must fit the settings that go on running, not only the others in the new configuration.
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
