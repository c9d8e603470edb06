// A server for tests from the outside: any free port, and a folder of its own, unless the flags say otherwise.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { flagsOf, ServerProcess } from '../bench/server-process.js';

export { SERVER_CLI as CLI } from '../bench/server-process.js';

/** Traces of errors name lines of the sources. */
const NODE_FLAGS = ['--enable-source-maps'];

const WAIT_MS_MAX = 30000;
const POLL_MS = 20;

/** What tests read of /healthz. */
export interface ServerHealth {
  clients: number;
  spectators: number;
  absent: number;
  zones: { tick: number; entities: number; clients: number }[];
  recovery: {
    source: string;
    worldId: string;
    snapshotTick: number;
    journalTick: number | null;
    ms: number;
    events: object | null;
    skipped: string[];
    rules: {
      version: number;
      code: string;
      versionBefore: number | null;
      codeBefore: string | null;
      isChanged: boolean;
    } | null;
  };
  game: { name: string; version: number; code: string; notCovered: string[] };
}

export interface TestServer extends Pick<ServerProcess, 'url' | 'wsUrl' | 'port' | 'pid' | 'stop' | 'kill' | 'log'> {
  health(): Promise<ServerHealth>;
  /** Of all its labels together; NaN while there is none of that name. */
  counter(name: string): Promise<number>;
  /** Waits for something that this server brings about; a failure shows what it said. */
  until(what: string, check: () => boolean | Promise<boolean>): Promise<void>;
  untilCounter(name: string, count: number): Promise<void>;
}

/** The folders of the servers that were not stopped. */
const folders = new Set<string>();

/** Flags as on the command line. The data folder goes with the server, unless one is given. */
export async function startServer(args: readonly string[] = []): Promise<TestServer> {
  const folder = mkdtempSync(join(tmpdir(), 'tessera-test-'));
  folders.add(folder);
  // An empty config file, so that one in the working directory plays no part.
  const config = join(folder, 'config.json');
  writeFileSync(config, '{}');
  const flags = withDefaults(args, { host: '127.0.0.1', port: '0', data: join(folder, 'data'), config });
  const server = new ServerProcess(flags, { nodeFlags: NODE_FLAGS });
  const { pid } = server;
  try {
    await server.ready();
  } catch (error) {
    await server.kill();
    removeFolder(folder);
    throw error;
  }
  server.unref(); // a test that forgets its server ends all the same
  const { url, wsUrl, port } = server;

  async function counter(name: string): Promise<number> {
    const found = [...(await server.metrics()).matchAll(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\d+)`, 'gm'))];
    return found.length === 0 ? Number.NaN : found.reduce((sum, [, value]) => sum + Number(value), 0);
  }

  async function until(what: string, check: () => boolean | Promise<boolean>): Promise<void> {
    const deadline = performance.now() + WAIT_MS_MAX;
    while (!(await check())) {
      if (performance.now() > deadline) {
        throw new Error(`${what}: not within ${WAIT_MS_MAX} ms; the server said:\n${server.log()}`);
      }
      await sleep(POLL_MS);
    }
  }

  return {
    url,
    wsUrl,
    port,
    pid,
    health: () => server.health<ServerHealth>(),
    counter,
    until,
    untilCounter: (name, count) => until(`${name} reaches ${count}`, async () => (await counter(name)) >= count),
    async stop() {
      const code = await server.stop();
      removeFolder(folder);
      return code;
    },
    async kill() {
      await server.kill();
      removeFolder(folder);
    },
    log: () => server.log(),
  };
}

function withDefaults(args: readonly string[], defaults: Record<string, string>): string[] {
  const isGiven = (name: string) => args.some((arg) => arg === `--${name}` || arg.startsWith(`--${name}=`));
  const missing = Object.entries(defaults).filter(([name]) => !isGiven(name));
  return [...flagsOf(Object.fromEntries(missing)), ...args];
}

function removeFolder(folder: string): void {
  folders.delete(folder);
  rmSync(folder, { recursive: true, force: true });
}

// After the one that kills the servers, which was registered when server-process.ts was loaded.
process.on('exit', () => {
  for (const folder of folders) removeFolder(folder);
});
// The test runner ends a file that takes too long with SIGTERM; without a handler nothing would run at exit.
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
  process.once(signal, () => process.exit(1));
}
