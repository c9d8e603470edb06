// The hash of a game's code as it is run: the module, and all that it imports statically from files. Packages count by name and
// version, modules of Node not at all. What cannot be followed is named, so that nobody takes the hash for more than it is.

import { createHash } from 'node:crypto';
import { readFileSync, realpathSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Log } from '../../base/log.js';
import { CODE_BYTES_MAX, CODE_FILES_MAX, CODE_HASH_DIGITS, CODE_NOTES_MAX } from './limits.js';

export interface GameCode {
  /** In hex. */
  hash: string;
  /** What it does not cover, and why. */
  notCovered: string[];
}

const MODULE = /\.[cm]?[jt]s$/;
/** Between `import` or `export` and `from`: names and comments, and nothing that a statement of another kind has. */
const CLAUSE = String.raw`(?:[^"'\`;()=/]|\/\*[\s\S]*?\*\/|\/\/[^\n]*)*?`;
const STATIC_IMPORT = new RegExp(
  String.raw`\b(?:import|export)\b${CLAUSE}\bfrom\s*(["'])([^"'\n]+)\1|\bimport\s*(["'])([^"'\n]+)\3|\brequire\s*\(\s*(["'])([^"'\n]+)\5\s*\)`,
  'g',
);
const DYNAMIC_IMPORT = /\bimport\s*\(/;

/** `only`: files outside of this folder are not followed; a game of the server's own is its folder, not the engine. */
export function hashCode(url: string, only?: string): GameCode {
  const entry = realpathSync(fileURLToPath(url));
  const parts = new Map<string, string>();
  const notCovered: string[] = [];
  const waiting = [entry];
  const known = new Set(waiting);
  let bytes = 0;
  for (let path = waiting.shift(); path !== undefined; path = waiting.shift()) {
    const name = relative(dirname(entry), path);
    const source = read(path);
    if (source === undefined || parts.size === CODE_FILES_MAX || bytes + source.length > CODE_BYTES_MAX) {
      parts.set(name, '');
      notCovered.push(
        source === undefined
          ? `${name} cannot be read`
          : `more than ${CODE_FILES_MAX} files or ${CODE_BYTES_MAX} bytes`,
      );
      if (source === undefined) continue;
      break;
    }
    bytes += source.length;
    parts.set(name, createHash('sha256').update(source).digest('hex'));
    if (!MODULE.test(path)) continue;
    const text = source.toString();
    if (DYNAMIC_IMPORT.test(text)) notCovered.push(`a dynamic import in ${name}`);
    for (const specifier of listImports(text)) {
      const target = resolveImport(specifier, path);
      if (target === undefined) {
        const found = describePackage(specifier, path);
        parts.set(found ?? specifier, 'package');
        if (found === undefined) notCovered.push(`${specifier}, which ${name} imports`);
      } else if (!known.has(target) && (only === undefined || target.startsWith(only))) {
        known.add(target);
        waiting.push(target);
      }
    }
  }
  const sum = createHash('sha256');
  for (const [name, part] of [...parts].sort(([a], [b]) => (a < b ? -1 : 1))) sum.update(`${name}\0${part}\n`);
  const more = notCovered.length - CODE_NOTES_MAX;
  return {
    hash: sum.digest('hex').slice(0, CODE_HASH_DIGITS),
    notCovered: more > 0 ? [...notCovered.slice(0, CODE_NOTES_MAX), `and ${more} more`] : notCovered,
  };
}

/** Tick threads load the game when they begin: one that begins after its files have changed runs other code than the rest. */
export class CodeWatch {
  private last: string;

  constructor(
    private readonly hash: string,
    private readonly log: Log,
  ) {
    this.last = hash;
  }

  /** The files are about to be loaded. Says once of each change that they are not what the server began with. */
  look(now: string): void {
    if (now !== this.last && now !== this.hash) {
      this.log.warn(
        {},
        `the files of the game have changed since the start, from code ${this.hash} to ${now}: a tick thread that begins now runs them; restart the server`,
      );
    }
    this.last = now;
  }
}

function listImports(text: string): string[] {
  const found = Array.from(text.matchAll(STATIC_IMPORT), (match) => match[2] ?? match[4] ?? match[6]);
  return found.filter((specifier) => !isBuiltin(specifier));
}

/** Of a file of the author's own; undefined: it is a package's. */
function resolveImport(specifier: string, from: string): string | undefined {
  if (!/^(\.{0,2}\/|file:)/.test(specifier)) return undefined;
  const path = fileURLToPath(new URL(specifier, pathToFileURL(from)));
  const real = realPathOf(path);
  return real.includes('/node_modules/') ? undefined : real;
}

/** `name@version`, from the nearest node_modules. */
function describePackage(specifier: string, from: string): string | undefined {
  if (/^[./#]/.test(specifier)) return undefined;
  const name = specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
  for (let folder = dirname(from); ; folder = dirname(folder)) {
    const installed = readPackage(join(folder, 'node_modules', name));
    const own = readPackage(folder); // a package may import itself by its name
    const found = installed ?? (own?.name === name ? own : undefined);
    if (found !== undefined) return `${name}@${found.version}`;
    if (folder === dirname(folder)) return undefined;
  }
}

function readPackage(folder: string): { name?: string; version?: string } | undefined {
  try {
    return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) ?? undefined;
  } catch {
    return undefined;
  }
}

function read(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch {
    return undefined;
  }
}

/** As it is where it does not exist: then it is named as what cannot be read. */
function realPathOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
