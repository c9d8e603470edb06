// The state file: which service runs where. Written whole and renamed, so that a reader never sees half of it.

import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { STATE_FILE } from './paths.mjs';

export function readState(file = STATE_FILE) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return { services: {} };
  }
}

export function writeState(state, file = STATE_FILE) {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(`${file}.${process.pid}`, `${JSON.stringify(state, undefined, 2)}\n`);
  renameSync(`${file}.${process.pid}`, file);
}

export function removeState(file = STATE_FILE) {
  rmSync(file, { force: true });
}
