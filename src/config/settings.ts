// Reads the settings from all of their sources: flags win over the environment, the environment over the config file, the
// file over the defaults. Every mistake in any source is reported, all at once, even where a stronger source hides it.
// setting-table.ts says what each setting means and may be, setting-relations.ts what must fit together.

import {
  allowedText,
  closestName,
  DEFAULT_SOURCE,
  defaultSettings,
  describeSetting,
  findSetting,
  parseSetting,
  SETTING_PAIRS,
} from './setting-lookup.js';
import { camelName, ENVIRONMENT_PREFIX, environmentName, kebabName } from './setting-names.js';
import { relationErrors } from './setting-relations.js';
import { SETTING_NAMES } from './setting-table.js';
import type { SettingName, SettingSources, Settings } from './setting-types.js';

export type { SettingName, SettingSources, Settings, SpawnPolicy } from './setting-types.js';

export const DEFAULTS: Readonly<Settings> = defaultSettings();
export const CONFIG_FILE = 'tessera.json';

export interface SettingInputs {
  /** Without the program: process.argv.slice(2). */
  argv: readonly string[];
  env: Readonly<Record<string, string | undefined>>;
  /** Throws as the file system does; ENOENT means that there is no default file. */
  readFile: (path: string) => string;
}

export type LoadedSettings =
  | { ok: true; settings: Settings; sources: SettingSources }
  | { ok: true; help: true }
  | { ok: true; version: true }
  | { ok: false; errors: string[] };

/** One value as a source gave it. */
interface Offer {
  /** In kebab-case, whatever the source calls it. */
  name: string;
  /** Undefined: a flag without a value. */
  text: string | undefined;
  source: string;
  /** The name as it was written, and how this source spells other names. */
  given: string;
  spell: (kebab: string) => string;
}

export function loadSettings({ argv, env, readFile }: SettingInputs): LoadedSettings {
  if (argv.includes('--help') || argv.includes('-h')) return { ok: true, help: true };
  if (argv.includes('--version')) return { ok: true, version: true };

  const errors: string[] = [];
  const outerOffers = [...readEnvironment(env), ...readFlags(argv, errors)];
  const configOffer = outerOffers.findLast((offer) => offer.name === 'config');
  const fileOffers = readConfigFile(configOffer, readFile, errors);
  const offers = [...fileOffers, ...outerOffers.filter((offer) => offer.name !== 'config')].flatMap(splitPair);

  const settings = { ...DEFAULTS };
  const sources = Object.fromEntries(SETTING_NAMES.map((name) => [name, DEFAULT_SOURCE])) as SettingSources;
  const wrongNames = new Set<SettingName>();
  for (const offer of offers) {
    const name = findSetting(offer.name);
    const value = name === undefined || offer.text === undefined ? undefined : parseSetting(name, offer.text);
    if (name !== undefined && value !== undefined) {
      Object.assign(settings, { [name]: value });
      sources[name] = offer.source;
    } else {
      errors.push(complaintAbout(offer));
      for (const wrong of SETTING_PAIRS.get(offer.name)?.names ?? (name ? [name] : [])) wrongNames.add(wrong);
    }
  }
  const fitting = fitDefaults(settings, sources, settings.tickHz);
  errors.push(...relationErrors(fitting, sources, wrongNames));
  return errors.length > 0 ? { ok: false, errors } : { ok: true, settings: fitting, sources };
}

/** The default update rate follows a slower tick rate instead of conflicting with it. */
export function fitDefaults(settings: Settings, sources: SettingSources, tickHz: number): Settings {
  if (sources.updateHz !== DEFAULT_SOURCE) return settings;
  return { ...settings, updateHz: Math.min(DEFAULTS.updateHz, tickHz) };
}

function readFlags(argv: readonly string[], errors: string[]): Offer[] {
  const offers: Offer[] = [];
  for (let index = 0; index < argv.length; index++) {
    const argument = argv[index];
    if (!argument.startsWith('--')) {
      errors.push(`${JSON.stringify(argument)} belongs to no flag; allowed: --name value and --name=value`);
      continue;
    }
    const [given, ...rest] = argument.split('=');
    let text = rest.length > 0 ? rest.join('=') : undefined;
    if (text === undefined && index + 1 < argv.length && !argv[index + 1].startsWith('--')) {
      index++;
      text = argv[index];
    }
    offers.push({ name: kebabName(given.slice(2)), text, source: given, given, spell: (kebab) => `--${kebab}` });
  }
  return offers;
}

function readEnvironment(env: SettingInputs['env']): Offer[] {
  const offers: Offer[] = [];
  for (const [given, text] of Object.entries(env)) {
    if (!given.startsWith(ENVIRONMENT_PREFIX)) continue;
    const name = given.slice(ENVIRONMENT_PREFIX.length).toLowerCase().replaceAll('_', '-');
    offers.push({ name, text, source: given, given, spell: environmentName });
  }
  return pairsFirst(offers);
}

function readConfigFile(configOffer: Offer | undefined, readFile: (path: string) => string, errors: string[]): Offer[] {
  const path = configOffer === undefined ? CONFIG_FILE : configOffer.text;
  if (path === undefined) {
    errors.push('--config has no value; allowed: the path of a JSON file');
    return [];
  }
  const about =
    configOffer === undefined
      ? `the config file ${path}`
      : `${describeSetting('config', path, configOffer.source)}, which`;
  let content: unknown;
  try {
    content = JSON.parse(readFile(path));
  } catch (error) {
    if (error instanceof SyntaxError) {
      errors.push(`${about} is not valid JSON: ${error.message}`);
    } else {
      const code = (error as { code?: string }).code;
      if (code === 'ENOENT' && configOffer === undefined) return [];
      errors.push(`${about} cannot be read (${code ?? String(error)}); allowed: the path of a JSON file`);
    }
    return [];
  }
  if (typeof content !== 'object' || content === null || Array.isArray(content)) {
    errors.push(`${about} holds no object; allowed: names and values, such as {"port": 8080, "tickHz": 60}`);
    return [];
  }
  const offers = Object.entries(content).map(([key, value]) => ({
    name: kebabName(key),
    // Other types become JSON text, which no setting accepts, so that the complaint shows what was written.
    text: typeof value === 'string' ? value : JSON.stringify(value),
    source: path,
    given: `${JSON.stringify(key)} in ${path}`,
    spell: (kebab: string) => JSON.stringify(camelName(kebab)),
  }));
  return pairsFirst(offers);
}

/** Flags have an order of their own. Elsewhere the single setting overrides the pair, so pairs come first. */
function pairsFirst(offers: Offer[]): Offer[] {
  return [
    ...offers.filter((offer) => SETTING_PAIRS.has(offer.name)),
    ...offers.filter((offer) => !SETTING_PAIRS.has(offer.name)),
  ];
}

/** A pair that cannot be split stays as it is, so that the error names the pair. */
function splitPair(offer: Offer): Offer[] {
  const pair = SETTING_PAIRS.get(offer.name);
  const parts = /^(\d+)x(\d+)$/.exec(offer.text ?? '');
  if (pair === undefined || parts === null) return [offer];
  return pair.names.map((name, index) => ({ ...offer, name: kebabName(name), text: parts[index + 1] }));
}

function complaintAbout(offer: Offer): string {
  const allowed = allowedText(offer.name);
  if (allowed === undefined) {
    const closest = closestName(offer.name);
    const hint = closest === undefined ? '' : ` (did you mean ${offer.spell(closest)}?)`;
    return `${offer.given} is no setting${hint}; allowed: what --help lists`;
  }
  if (offer.text === undefined) return `${offer.given} has no value; allowed: ${allowed}`;
  return `${describeSetting(camelName(offer.name), offer.text, offer.source)}; allowed: ${allowed}`;
}
