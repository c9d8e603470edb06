// The server under test, in a process of its own, with settings that make the scene.

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DEFAULTS } from '../../src/config/settings.js';
import { NODE_FLAGS } from '../../src/server/cli/node-flags.js';
import { GAME_PATH, type LoadOptions } from './options.js';
import type { ScenePlan } from './scene.js';

const SERVER_CLI = fileURLToPath(new URL('../../src/server/cli/cli.js', import.meta.url));
const START_DEADLINE_MS = 20000;
const STOP_DEADLINE_MS = 8000;
const LOG_BYTES_KEPT = 64 * 1024;
/** Room for connections that are being closed while others come. */
const CLIENTS_SPARE = 16;

export interface ServerUnderTest {
  /** http://host:port */
  base: string;
  url: URL;
  pid: number | null;
  /** What the server has printed last; empty for one that was not started here. */
  log(): string;
  /** How the server ended, while it should be running; null while it runs. */
  exitText(): string | null;
  stop(): Promise<void>;
}

export function serverArguments(options: LoadOptions, plan: ScenePlan, dataFolder: string): string[] {
  const settings: Record<string, string | number> = {
    host: '127.0.0.1',
    port: 0,
    data: dataFolder,
    seed: options.seed,
    world: `${plan.worldSide}x${plan.worldSide}`,
    zones: `${plan.zonesPerSide}x${plan.zonesPerSide}`,
    spawn: plan.spawn,
    'update-hz': options.updateHz,
    'clients-max': options.clients + CLIENTS_SPARE,
    'connections-per-address': options.clients + CLIENTS_SPARE,
    // Twice the rate of inputs, because a stalled generator makes up for lost time.
    'messages-per-second': Math.max(DEFAULTS.messagesPerSecond, options.inputHz * 2),
  };
  return [...Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]), ...options.serverArgs];
}

export async function startServer(options: LoadOptions, plan: ScenePlan): Promise<ServerUnderTest> {
  const dataFolder = mkdtempSync(join(tmpdir(), 'tessera-load-'));
  // A process group of its own: Ctrl-C must reach the server only after its last figures have been read.
  const child = spawn(process.execPath, [...NODE_FLAGS, SERVER_CLI, ...serverArguments(options, plan, dataFolder)], {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const killOnExit = (): void => {
    child.kill('SIGKILL');
  };
  process.on('exit', killOnExit);
  const log = keepLog(child);
  const stop = async (): Promise<void> => {
    await stopChild(child);
    process.off('exit', killOnExit);
    rmSync(dataFolder, { recursive: true, force: true });
  };
  try {
    const base = await waitForAddress(child, log);
    const url = new URL(GAME_PATH, base.replace('http:', 'ws:'));
    return { base, url, pid: child.pid ?? null, log, exitText: () => exitText(child), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function keepLog(child: ChildProcess): () => string {
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream!.setEncoding('utf8').on('data', (chunk: string) => {
      text = (text + chunk).slice(-LOG_BYTES_KEPT);
    });
  }
  return () => text;
}

function exitText(child: ChildProcess): string | null {
  if (child.signalCode !== null) return `the server was ended by ${child.signalCode}`;
  return child.exitCode === null ? null : `the server exited with ${child.exitCode}`;
}

async function waitForAddress(child: ChildProcess, log: () => string): Promise<string> {
  const startedMs = performance.now();
  while (performance.now() - startedMs < START_DEADLINE_MS) {
    const match = /^listening on (http:\/\/[^\s/]+)/m.exec(log());
    if (match !== null) return match[1];
    const ended = exitText(child);
    if (ended !== null) throw new Error(`${ended} before it listened; it said:\n${log()}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`the server did not listen within ${START_DEADLINE_MS / 1000} s; it said:\n${log()}`);
}

async function stopChild(child: ChildProcess): Promise<void> {
  if (exitText(child) !== null || child.pid === undefined) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_DEADLINE_MS);
  await gone;
  clearTimeout(timer);
}
