// What --help and --version print. The settings come from the table, so that none can be missing.

import { readFileSync } from 'node:fs';
import { LIVE_SETTINGS } from '../../config/live-reload.js';
import { rangeText, SETTING_PAIRS } from '../../config/setting-lookup.js';
import { environmentName, kebabName } from '../../config/setting-names.js';
import { SETTING_NAMES, SETTINGS } from '../../config/setting-table.js';
import { SETTING_GROUPS, type SettingGroup } from '../../config/setting-types.js';
import { CONFIG_FILE, type SettingName } from '../../config/settings.js';

const COLUMNS = 100;
const INDENT = 31;

export function helpText(): string {
  const groups = SETTING_GROUPS.map((group) => `${group}\n${groupLines(group).join('\n')}`);
  return `Tessera: an authoritative real-time game server.

Usage: tessera start [flags], or npm start -- [flags]

${groups.join('\n\n')}

Program
${entry('--config FILE', `Config file. Default: ${CONFIG_FILE} in the working directory, if there is one.`)}
${entry('--help', 'Prints this.')}
${entry('--version', 'Prints the version.')}

Where a setting comes from, the strongest first
${entry('flag', '--tick-hz 30 or --tick-hz=30')}
${entry('environment', `${environmentName('tick-hz')}=30; ${environmentName('config')} names the config file.`)}
${entry('config file', 'JSON such as {"tickHz": 30, "zones": "2x2"}; "tick-hz" is the same name.')}
A setting marked as live can change while the server runs: SIGHUP, or the platform's
command reload, reads the configuration again and applies what is new.

Whatever is wrong in any of them is reported, all at once, before a port is opened.
`;
}

/** The version of the package that this file was built into. */
export function versionText(): string {
  const path = new URL('../../../../package.json', import.meta.url);
  const { name, version } = JSON.parse(readFileSync(path, 'utf8')) as { name: string; version: string };
  return `${name} ${version} (Node ${process.version})\n`;
}

function groupLines(group: SettingGroup): string[] {
  return SETTING_NAMES.filter((name) => SETTINGS[name].group === group).flatMap((name) => {
    const pair = [...SETTING_PAIRS].find(([, { names }]) => names[0] === name);
    return pair === undefined ? [settingEntry(name)] : [pairEntry(...pair), settingEntry(name)];
  });
}

function settingEntry(name: SettingName): string {
  const { placeholder, help, value } = SETTINGS[name];
  return entry(
    `--${kebabName(name)} ${placeholder}`,
    `${help}${LIVE_SETTINGS.has(name) ? ' Live.' : ''} [${rangeText(name)}; default ${value}]`,
  );
}

function pairEntry(
  kebab: string,
  { names, placeholder }: { names: readonly SettingName[]; placeholder: string },
): string {
  const value = names.map((name) => SETTINGS[name].value).join('x');
  const parts = names.map((name) => `--${kebabName(name)}`).join(' and ');
  return entry(`--${kebab} ${placeholder}`, `${parts} in one. [default ${value}]`);
}

/** The name on the left, its text to the right of it in as many lines as it takes. */
function entry(name: string, text: string): string {
  const lines = [''];
  // A short bracket stays in one piece.
  for (const word of text.match(/\[[^\]]{1,40}\]|\S+/g) ?? []) {
    const line = lines[lines.length - 1];
    if (INDENT + line.length + 1 + word.length > COLUMNS) lines.push(word);
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`;
  }
  const head = `  ${name}`.padEnd(INDENT);
  return lines.map((line, index) => (index === 0 ? head : ' '.repeat(INDENT)) + line).join('\n');
}
