#!/usr/bin/env node
// The command for whoever writes a game: a server that is started again, on the same data folder, when a file of the game
// was saved.

import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { loadSettings, type Settings } from '../../../config/settings.js';
import { findWebProblem } from '../../../net/http/web-folder.js';
import { DEV_POLL_MS } from '../../limits.js';
import { DevServer } from './dev-server.js';
import { FileWatch } from './file-watch.js';

const HELP = `tessera dev --game MODULE [flags]

Starts a server with --checked on. When a file in the folder of the game, or in that of --web, is saved, the server stops
and starts again on the same data folder: the world goes on, with the fields that the game still has, and clients come
back by themselves. A game with mistakes is told of, and the next save is waited for.

All flags are those of tessera start, whose --help lists them. Ctrl-C ends it.
`;
const BUILT_IN = /^[a-z]+$/;

function say(text: string): void {
  process.stdout.write(`dev: ${text}\n`);
}

function fail(lines: readonly string[]): never {
  for (const line of lines) process.stderr.write(`dev: ${line}\n`);
  process.exit(1);
}

function main(): void {
  const flags = process.argv.slice(2);
  const loaded = loadSettings({ argv: flags, env: process.env, readFile: (path) => readFileSync(path, 'utf8') });
  if (!loaded.ok) fail(loaded.errors);
  if (!('settings' in loaded)) {
    process.stdout.write(HELP);
    return;
  }
  const { game, web, data } = loaded.settings;
  if (BUILT_IN.test(game)) fail([`game is ${game}, which has no file to watch; allowed: the path of a module`]);
  const problem = web === '' ? undefined : findWebProblem(web);
  if (problem !== undefined) fail([`web is ${web}, ${problem}`]);
  watch(loaded.settings, new FileWatch(foldersOf(game, web), resolve(data)), flags);
}

function foldersOf(game: string, web: string): string[] {
  const folders = [dirname(resolve(game)), ...(web === '' ? [] : [resolve(web)])];
  return folders.filter((folder) => !folders.some((other) => folder.startsWith(`${other}/`)));
}

function watch({ game }: Pick<Settings, 'game'>, files: FileWatch, flags: readonly string[]): void {
  // What is given comes last and counts.
  const server = new DevServer(['--checked', 'on', ...flags], say);
  say(`watching ${files.folders.join(' and ')} for ${game}`);
  server.start();
  let changed: string[] = [];
  let isBusy = false;
  const timer = setInterval(async () => {
    if (isBusy) return;
    const found = files.poll();
    changed.push(...found);
    // An editor writes several files, or one in several steps: wait until a look finds nothing new.
    if (found.length > 0 || changed.length === 0) return;
    isBusy = true;
    say(`${[...new Set(changed)].join(', ')} changed; starting again`);
    changed = [];
    await server.restart();
    isBusy = false;
  }, DEV_POLL_MS);
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    clearInterval(timer);
    // To a server without a terminal a hangup would mean to read its settings again.
    process.exit(await server.end(signal === 'SIGHUP' ? 'SIGTERM' : signal));
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void end(signal));
}

main();
