// Sees which files of some folders have changed. It looks at sizes and times again and again: that works alike on every
// file system and with every editor, and costs little for the files that a game has.

import { type Dirent, readdirSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { DEV_FILES_MAX } from '../../limits.js';

export class FileWatch {
  private known: Map<string, string>;

  /** `excluded` is a folder in which the server writes. */
  constructor(
    readonly folders: readonly string[],
    private readonly excluded: string,
  ) {
    this.known = this.look();
  }

  /** What was changed, made or removed since the last look, by path in its folder. */
  poll(): string[] {
    const before = this.known;
    this.known = this.look();
    const paths = new Set([...before.keys(), ...this.known.keys()]);
    return [...paths].filter((path) => before.get(path) !== this.known.get(path)).map((path) => this.shorten(path));
  }

  private shorten(path: string): string {
    const folder = this.folders.find((candidate) => path.startsWith(candidate)) ?? '';
    return relative(folder, path);
  }

  private look(): Map<string, string> {
    const stamps = new Map<string, string>();
    for (const folder of this.folders) this.walk(folder, stamps);
    return stamps;
  }

  private walk(folder: string, stamps: Map<string, string>): void {
    for (const entry of list(folder)) {
      const path = join(folder, entry.name);
      if (entry.name.startsWith('.') || entry.name === 'node_modules' || path === this.excluded) continue;
      if (stamps.size >= DEV_FILES_MAX) return;
      if (entry.isDirectory()) this.walk(path, stamps);
      else stamps.set(path, stampOf(path));
    }
  }
}

function list(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return []; // removed since it was listed
  }
}

function stampOf(path: string): string {
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats === undefined ? '' : `${stats.mtimeMs} ${stats.size}`;
}
