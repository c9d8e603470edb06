// Looks settings up in the table: by name, by text, and for error texts.

import { editDistance, kebabName } from './setting-names.js';
import { SETTING_NAMES, SETTINGS } from './setting-table.js';
import type { SettingDefinition, SettingName, Settings } from './setting-types.js';

/** One name for two settings of one group, given as 2x2. */
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

/** What a setting or a pair, named in kebab-case, may be. Undefined: unknown name. */
export function allowedText(kebab: string): string | undefined {
  const pair = SETTING_PAIRS.get(kebab);
  if (pair !== undefined) return `two whole numbers, such as ${pair.example}`;
  const name = findSetting(kebab);
  if (name === undefined) return undefined;
  const { form } = SETTINGS[name];
  if (form === 'integer') return `a whole number from ${rangeText(name)}`;
  return form === 'number' ? `a number from ${rangeText(name)}` : rangeText(name);
}

/** A short form of it. */
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

function isSecret(name: string): boolean {
  const definition = SETTINGS[name as SettingName] as SettingDefinition<string | number> | undefined;
  return definition?.form === 'text' && definition.isSecret === true;
}

/** The beginning of every error about a setting. */
export function describeSetting(name: string, value: string | number, source: string): string {
  const shown = isSecret(name) ? 'not shown' : /^[\w.:/+-]+$/.test(String(value)) ? value : JSON.stringify(value);
  return `${name} is ${shown} (${source === DEFAULT_SOURCE ? source : `from ${source}`})`;
}

/** The most similar known name, if one is near. */
export function closestName(kebab: string): string | undefined {
  return closestOf(kebab, [...NAME_BY_KEBAB.keys(), ...SETTING_PAIRS.keys(), 'config']);
}

/** The one of several names that was probably meant. */
export function closestOf(given: string, names: readonly string[]): string | undefined {
  let closest: string | undefined;
  // At most a third of the letters may be wrong; beyond that a guess does not help.
  let distanceMin = Math.floor(given.length / 3) + 1;
  for (const candidate of names) {
    const distance = editDistance(given, candidate);
    if (distance > 0 && distance < distanceMin) {
      distanceMin = distance;
      closest = candidate;
    }
  }
  return closest;
}
