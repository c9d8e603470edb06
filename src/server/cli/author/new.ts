#!/usr/bin/env node
// The command that makes the folder of a new game: the files of template/, with its name and the versions filled in.

import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { GAME_NAME_LENGTH_MAX, INSTALL_MS_MAX } from '../../limits.js';
import { type Fail, failAs, readArguments } from '../arguments.js';

const HELP = `tessera new NAME [--no-install]

Makes the folder NAME with a small game to begin with: its rules, its page, its tests.

  --no-install  leaves out npm install, which brings the type checker
  --help        this text
`;
const TEMPLATE = fileURLToPath(new URL('./template/', import.meta.url));
const PACKAGE_ROOT = fileURLToPath(new URL('../../../../../', import.meta.url));
const NAME = /^[a-z0-9][a-z0-9._-]*$/;
/** npm packs no file of the name .gitignore. */
const RENAMED = { gitignore: '.gitignore' };
const FILLED = ['package.json', 'game.js', 'README.md', 'web/index.html'];

interface PackageFile {
  version: string;
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
}

const fail: Fail = failAs('new', 1);

function main(): void {
  const { values, positionals } = readArguments(
    {
      allowPositionals: true,
      options: { 'no-install': { type: 'boolean', default: false }, help: { type: 'boolean', default: false } },
    },
    fail,
  );
  if (values.help) {
    process.stdout.write(HELP);
    return;
  }
  const [name = ''] = positionals;
  if (positionals.length !== 1) fail('one NAME is needed; --help says what there is');
  if (!NAME.test(name) || name.length > GAME_NAME_LENGTH_MAX) {
    fail(
      `NAME is ${name}; allowed: a-z, 0-9, '.', '_' and '-', beginning with a letter or a digit, at most ${GAME_NAME_LENGTH_MAX}`,
    );
  }
  const folder = resolve(name);
  if (existsSync(folder) && readdirSync(folder).length > 0)
    fail(`${name} exists and is not empty; choose another NAME`);
  writeGame(folder, name);
  const isInstalled = values['no-install'] !== true && install(folder);
  process.stdout.write(describeNext(name, isInstalled));
}

function writeGame(folder: string, name: string): void {
  mkdirSync(folder, { recursive: true });
  cpSync(TEMPLATE, folder, { recursive: true });
  for (const [from, to] of Object.entries(RENAMED)) renameSync(join(folder, from), join(folder, to));
  const own = readPackage(PACKAGE_ROOT);
  const values: Record<string, string> = {
    name,
    // A game's name is an identifier, a package's is not.
    gameName: name.replace(/[^a-z0-9_]/g, '_').replace(/^(?=\d)/, '_'),
    tessera: findSpec(folder) ?? `file:${toUrlPath(relative(folder, PACKAGE_ROOT))}`,
    typescript: own?.devDependencies?.typescript ?? '*',
    typesNode: own?.devDependencies?.['@types/node'] ?? '*',
  };
  for (const path of FILLED) {
    const text = readFileSync(join(folder, path), 'utf8');
    writeFileSync(
      join(folder, path),
      text.replace(/\{\{(\w+)\}\}/g, (_, key: string) => values[key]),
    );
  }
}

/** How the project around the new folder asks for tessera; the path of a file is made relative to the new folder. */
function findSpec(folder: string): string | undefined {
  for (let above = dirname(folder); ; above = dirname(above)) {
    const { dependencies, devDependencies } = readPackage(above) ?? {};
    const spec = dependencies?.tessera ?? devDependencies?.tessera;
    if (spec?.startsWith('file:'))
      return `file:${toUrlPath(relative(folder, resolve(above, spec.slice('file:'.length))))}`;
    if (spec !== undefined || above === dirname(above)) return spec;
  }
}

function readPackage(folder: string): PackageFile | undefined {
  const path = join(folder, 'package.json');
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as PackageFile) : undefined;
}

function toUrlPath(path: string): string {
  return path.split(sep).join('/');
}

/** Whether it came to an end. Without a registry in reach the game runs all the same, on the tessera that made it. */
function install(folder: string): boolean {
  process.stdout.write('npm install ...\n');
  const options = ['--prefer-offline', '--no-fund', '--no-audit', '--fetch-retries=0', '--loglevel=error'];
  const { status } = spawnSync('npm', ['install', ...options], {
    cwd: folder,
    stdio: 'inherit',
    timeout: INSTALL_MS_MAX,
  });
  if (status !== 0) process.stdout.write('npm install failed; the game runs without, the type check does not\n');
  return status === 0;
}

function describeNext(name: string, isInstalled: boolean): string {
  return `
${name} is made. Next:

  cd ${name}
${isInstalled ? '' : '  npm install          the type checker\n'}  npm start            plays it: open the address that is printed
  npm run dev          the same, and again whenever a file is saved
  npm test             its tests
  npx tsc --noEmit     its types
`;
}

main();
