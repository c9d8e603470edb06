// A server whose disk can be filled up: from then on every write beyond the first bytes of a file fails.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { requireOrSkip } from '../require.js';
import { startServer, type TestServer } from '../server.js';

const FULL_BYTES = 64;

export interface FillableServer extends TestServer {
  fillDisk(): void;
  makeRoom(): void;
}

/** Undefined, and the test skipped, where limits of a running process cannot be set. */
export async function startFillable(t: TestContext, args: readonly string[]): Promise<FillableServer | undefined> {
  try {
    execFileSync('prlimit', ['--version']);
  } catch {
    requireOrSkip(t, false, 'prlimit is missing');
    return undefined;
  }
  // The signal that comes with a failing write would end the process; a real full disk sends none.
  const folder = mkdtempSync(join(tmpdir(), 'tessera-full-disk-'));
  const ignore = join(folder, 'ignore.mjs');
  writeFileSync(ignore, "process.on('SIGXFSZ', () => {});\n");
  const options = process.env.NODE_OPTIONS;
  process.env.NODE_OPTIONS = `${options ?? ''} --import=${ignore}`.trim();
  try {
    const server = await startServer(args);
    const limit = (soft: number | 'unlimited'): void => {
      execFileSync('prlimit', ['--pid', String(server.pid), `--fsize=${soft}:unlimited`]);
    };
    return { ...server, fillDisk: () => limit(FULL_BYTES), makeRoom: () => limit('unlimited') };
  } finally {
    if (options === undefined) delete process.env.NODE_OPTIONS;
    else process.env.NODE_OPTIONS = options;
    rmSync(folder, { recursive: true });
  }
}
