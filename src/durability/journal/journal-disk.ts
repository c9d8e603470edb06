// What the journal asks of a disk. Tests give another one.

import { readdirSync, readFileSync } from 'node:fs';
import { mkdir, open, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';

export interface JournalFile {
  appendFile(bytes: Uint8Array): Promise<void>;
  close(): Promise<void>;
}

export interface JournalFiles {
  mkdir(path: string, options: { recursive: true }): Promise<unknown>;
  readdir(path: string): Promise<string[]>;
  rename(from: string, to: string): Promise<void>;
  rm(path: string, options: { recursive?: boolean; force: true }): Promise<void>;
  stat(path: string): Promise<{ mtimeMs: number; size: number }>;
  writeFile(path: string, text: string): Promise<void>;
  /** Rejects when there is such a file. */
  open(path: string, flags: 'wx'): Promise<JournalFile>;
  readdirSync(path: string): string[];
  readFileSync(path: string): Buffer;
}

export const DISK: JournalFiles = { mkdir, readdir, rename, rm, stat, writeFile, open, readdirSync, readFileSync };
