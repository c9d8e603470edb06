// The sources of this repository as the layout tests see them, and the ratchet by which a rule is brought in.

import { readdirSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { lineAt, readSource, type SourceFile } from './source-text.js';

export const root = fileURLToPath(new URL('../../../', import.meta.url));
export const sources = readTree('src', 'workers');
export const benches = readTree('bench');

function readTree(...folders: string[]): SourceFile[] {
  return folders
    .flatMap((folder) => listFiles(folder))
    .filter((path) => /\.tsx?$/.test(path))
    .sort()
    .map((path) => readSource(path, readFileSync(root + path, 'utf8')));
}

/** Every file below a folder but what was installed there, by its path from the top of the repository. */
export function listFiles(folder: string): string[] {
  return readdirSync(root + folder, { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (!entry.isDirectory()) return [path];
    return entry.name === 'node_modules' ? [] : listFiles(path);
  });
}

/** The folder of src that a file belongs to; of what stands beside src the top folder. */
export function layerOf(path: string): string {
  const [top, second] = path.split('/');
  return top === 'src' ? second : top;
}

export function resolveSource(path: string, specifier: string): string {
  return posix.join(posix.dirname(path), specifier).replace(/\.js$/, '.ts');
}

/** One complaint for each match: path, line, and what was found. */
export function findPatternErrors(file: SourceFile, text: string, pattern: RegExp): string[] {
  return [...text.matchAll(pattern)].map((match) => `${file.path}:${lineAt(text, match.index)} ${match[0].trim()}`);
}

/**
 * Complaints that are more in a file than its debt allows, and debts that are larger than what is left of them: a rule that
 * old code does not keep yet holds for all new code, and the debts only shrink.
 */
export function findOverDebt(errors: readonly string[], debts: Readonly<Record<string, number>>): string[] {
  const paths = new Set([...errors.map((error) => error.split(':')[0]), ...Object.keys(debts)]);
  return [...paths].sort().flatMap((path) => {
    const found = errors.filter((error) => error.startsWith(`${path}:`));
    const allowed = debts[path] ?? 0;
    if (found.length < allowed) return [`${path}: ${found.length} left of ${allowed}; lower the number in debts.ts`];
    return found.length === allowed ? [] : found.map((error) => `${error} (${allowed} allowed in this file)`);
  });
}
