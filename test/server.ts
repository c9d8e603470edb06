// The built server in a process of its own, for tests from the outside. None outlives the test process, however it ends.

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

export const CLI = fileURLToPath(new URL('../src/server/cli/cli.js', import.meta.url));

/** A start may wait for the lease of a server that was killed. */
const START_MS_MAX = 30000;
const STOP_MS_MAX = 15000;
const POLL_MS = 20;
const LOG_BYTES_KEPT = 256 * 1024;

export interface TestServer {
  /** http://127.0.0.1:PORT */
  url: string;
  wsUrl: string;
  port: number;
  pid: number;
  /** Asks it to end. Its exit code, or null if it had to be killed. */
  stop(): Promise<number | null>;
  /** Ends it as a crash would. */
  kill(): Promise<void>;
  /** The last it has said, on both streams. */
  log(): string;
}

interface Running {
  child: ChildProcess;
  folder: string;
}

const running = new Set<Running>();

/** Flags as on the command line. Unless given: any free port, and a data folder that goes with the server. */
export async function startServer(args: readonly string[] = []): Promise<TestServer> {
  const folder = mkdtempSync(join(tmpdir(), 'tessera-test-'));
  // An empty config file, so that one in the working directory plays no part.
  const config = join(folder, 'config.json');
  writeFileSync(config, '{}');
  const flags = withDefaults(args, { host: '127.0.0.1', port: '0', data: join(folder, 'data'), config });
  const child = spawn(process.execPath, ['--enable-source-maps', CLI, ...flags], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: withoutSettings(process.env),
  });
  const entry = { child, folder };
  running.add(entry);
  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const log = keepLog(child);

  const end = async (signal: NodeJS.Signals) => {
    child.ref();
    if (!hasEnded(child)) child.kill(signal);
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS_MAX);
    await closed;
    clearTimeout(timer);
    forget(entry);
    return child.exitCode;
  };
  try {
    const [, url, port] = await waitForAddress(child, closed, log);
    letTestEnd(child);
    return {
      url,
      wsUrl: `${url.replace('http:', 'ws:')}/ws/game`,
      port: Number(port),
      pid: child.pid!,
      stop: () => end('SIGTERM'),
      kill: async () => void (await end('SIGKILL')),
      log,
    };
  } catch (error) {
    await end('SIGKILL');
    throw error;
  }
}

function withDefaults(args: readonly string[], defaults: Record<string, string>): string[] {
  const isGiven = (name: string) => args.some((arg) => arg === `--${name}` || arg.startsWith(`--${name}=`));
  const missing = Object.entries(defaults).filter(([name]) => !isGiven(name));
  return [...missing.flatMap(([name, value]) => [`--${name}`, value]), ...args];
}

function withoutSettings(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('TESSERA_')));
}

function keepLog(child: ChildProcess): () => string {
  let text = '';
  for (const stream of [child.stdout!, child.stderr!]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      text = (text + chunk).slice(-LOG_BYTES_KEPT);
    });
  }
  return () => text;
}

async function waitForAddress(child: ChildProcess, closed: Promise<void>, log: () => string): Promise<RegExpExecArray> {
  const startedMs = performance.now();
  while (performance.now() - startedMs < START_MS_MAX) {
    const address = /^listening on (http:\/\/[^\s/]+:(\d+))/m.exec(log());
    if (address !== null) return address;
    if (hasEnded(child)) {
      await closed;
      throw new Error(`the server ended with ${child.exitCode ?? child.signalCode} before it listened:\n${log()}`);
    }
    await sleep(POLL_MS);
  }
  throw new Error(`the server did not listen within ${START_MS_MAX} ms:\n${log()}`);
}

/** A test that forgets its server ends all the same, and the server with it. */
function letTestEnd(child: ChildProcess): void {
  child.unref();
  for (const stream of [child.stdout, child.stderr]) (stream as Socket).unref();
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

function forget(entry: Running): void {
  running.delete(entry);
  rmSync(entry.folder, { recursive: true, force: true });
}

process.on('exit', () => {
  for (const entry of running) {
    entry.child.kill('SIGKILL');
    forget(entry);
  }
});
// The test runner ends a file that takes too long with SIGTERM; without a handler nothing would run at exit.
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
  process.once(signal, () => process.exit(1));
}
