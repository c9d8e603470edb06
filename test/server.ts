// A server for tests from the outside: any free port, and a folder of its own, unless the flags say otherwise.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { flagsOf, ServerProcess } from '../bench/server-process.js';

export { SERVER_CLI as CLI } from '../bench/server-process.js';

/** Traces of errors name lines of the sources. */
const NODE_FLAGS = ['--enable-source-maps'];

export type TestServer = Pick<ServerProcess, 'url' | 'wsUrl' | 'port' | 'pid' | 'stop' | 'kill' | 'log'>;

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
  return {
    url,
    wsUrl,
    port,
    pid,
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
