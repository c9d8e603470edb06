#!/usr/bin/env -S node --max-semi-space-size=64 --v8-pool-size=1
// The program `tessera`: finds the command that its first argument names, and leaves the rest to it. The flags above are
// those of node-flags.ts: a server that is started by way of this file needs no second process.

import { fileURLToPath } from 'node:url';
import { closestOf } from '../../config/setting-lookup.js';
import { COMMANDS } from './commands.js';
import { versionText } from './help.js';

const EXIT_UNKNOWN = 2;

const [name = '--help', ...rest] = process.argv.slice(2);
const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;

if (command !== undefined) {
  // Each command is a program of its own, which reads its arguments from where Node puts them.
  process.argv = [process.argv[0], fileURLToPath(command.module), ...rest];
  await import(command.module.href);
} else if (['--help', '-h', 'help'].includes(name)) {
  process.stdout.write(helpText());
} else if (name === '--version') {
  process.stdout.write(versionText());
} else {
  const closest = closestOf(name, Object.keys(COMMANDS));
  const guess = closest === undefined ? '' : ` (did you mean ${closest}?)`;
  process.stderr.write(`tessera: ${name} is no command${guess}; allowed: ${Object.keys(COMMANDS).join(', ')}\n`);
  process.exitCode = EXIT_UNKNOWN;
}

function helpText(): string {
  const lines = Object.entries(COMMANDS).map(([command, { summary }]) => `  ${command.padEnd(10)} ${summary}`);
  return `Tessera: an authoritative real-time game server.

Usage: tessera COMMAND [options]

${lines.join('\n')}

tessera COMMAND --help lists the options of a command; tessera --version prints the version.
`;
}
