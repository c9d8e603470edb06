import assert from 'node:assert/strict';
import { type StdioOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, mkdtempSync, openSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { LOCK_FILE } from '../../../src/server/cli/data-folder-lock.js';
import { helpText } from '../../../src/server/cli/help.js';
import { CLI, startServer } from '../../server.js';

const RUN_MS_MAX = 20000;

interface Ended {
  code: number | null;
  out: string;
  /** What it said on the error stream. */
  lines: string[];
}

/** Runs the command to its end, in an empty folder and without this process's environment. */
function runCli(t: TestContext, args: string[], env: Record<string, string> = {}): Promise<Ended> {
  return runProgram(t, process.execPath, [CLI, ...args], temporaryFolder(t), env);
}

async function runProgram(
  t: TestContext,
  program: string,
  args: string[],
  cwd: string,
  env: Record<string, string> = {},
): Promise<Ended> {
  const child = spawn(program, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    cwd,
    env: { PATH: process.env.PATH, ...env },
    timeout: RUN_MS_MAX,
  });
  t.after(() => child.kill('SIGKILL'));
  let out = '';
  let err = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    out += chunk;
  });
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    err += chunk;
  });
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, out, lines: err.split('\n').filter((line) => line !== '') };
}

function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'tessera-cli-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

test('--help and --version print and end well', async (t) => {
  const help = await runCli(t, ['--help']);
  assert.deepEqual([help.code, help.lines, help.out], [0, [], helpText()]);
  const version = await runCli(t, ['--version']);
  assert.equal(version.code, 0);
  assert.match(version.out, /^tessera \d+\.\d+\.\d+ .*\n$/);
});

test('wrong settings of all sources are one line each, exit 1, and nothing is opened or made', async (t) => {
  const folder = temporaryFolder(t);
  const config = join(folder, 'config.json');
  writeFileSync(config, '{"tickHz": 1}');
  const data = join(folder, 'data');
  const { code, out, lines } = await runCli(
    t,
    ['--config', config, '--data', data, '--port', '99999', '--colour=red'],
    {
      TESSERA_BOTS: 'many',
    },
  );
  assert.equal(code, 1);
  assert.equal(out, '');
  assert.equal(lines.length, 4, lines.join('\n'));
  for (const part of [
    'tickHz is 1 (from',
    'bots is many (from TESSERA_BOTS)',
    'port is 99999 (from --port)',
    '--colour',
  ]) {
    assert.ok(
      lines.some((line) => line.includes(part)),
      part,
    );
  }
  assert.ok(!existsSync(data));
});

test('a taken port is one clear line and exit 1, and the data folder is given back', async (t) => {
  const other = createServer().listen(0, '127.0.0.1');
  t.after(() => other.close());
  await new Promise((resolve) => other.once('listening', resolve));
  const { port } = other.address() as { port: number };
  const data = join(temporaryFolder(t), 'data');
  const { code, lines } = await runCli(t, ['--data', data, '--port', String(port), '--log-level=silent']);
  assert.equal(code, 1);
  assert.equal(lines.length, 1, lines.join('\n'));
  assert.match(lines[0], new RegExp(`port .*\\b${port}\\b.* another program`));
  assert.ok(!readdirSync(data).includes(LOCK_FILE));
});

test('an unusable data folder is one clear line and exit 1', async (t) => {
  const file = join(temporaryFolder(t), 'file');
  writeFileSync(file, '');
  const { code, lines } = await runCli(t, ['--port=0', '--data', join(file, 'data')]);
  assert.equal(code, 1);
  assert.equal(lines.length, 1, lines.join('\n'));
  assert.match(lines[0], /data is .* is a file, or lies below one/);
});

test('too few file descriptors is one clear line and exit 1', { skip: !existsSync('/proc/self/limits') }, async (t) => {
  const limited = ['-c', 'ulimit -n 1024 && exec "$@"', 'sh', process.execPath, CLI, '--port=0'];
  const { code, lines } = await runProgram(t, 'sh', limited, temporaryFolder(t));
  assert.equal(code, 1);
  assert.equal(lines.length, 1, lines.join('\n'));
  assert.match(lines[0], /clientsMax is 4096 \(default\), which takes \d+ open files, but .* 1024; .*ulimit -n/);
});

test('a server that is told to end ends with 0 and leaves no lock; a second one was kept out meanwhile', async (t) => {
  const data = join(temporaryFolder(t), 'data');
  const server = await startServer(['--data', data, '--zones=1x1', '--world=64x64']);
  assert.ok(readdirSync(data).includes(LOCK_FILE));
  const health = await fetch(`${server.url}/healthz`);
  assert.equal(health.status, 200);
  const second = await runCli(t, ['--port=0', '--data', data]);
  assert.equal(second.code, 1);
  assert.ok(second.lines[0].includes(`process id ${server.pid}`), second.lines[0]);
  assert.equal(await server.stop(), 0, server.log());
  assert.ok(!readdirSync(data).includes(LOCK_FILE));
});

test('a server that was killed leaves a data folder that the next one takes over', async (t) => {
  const data = join(temporaryFolder(t), 'data');
  const first = await startServer(['--data', data, '--zones=1x1', '--world=64x64']);
  await first.kill();
  assert.ok(readdirSync(data).includes(LOCK_FILE));
  const second = await startServer(['--data', data, '--zones=1x1', '--world=64x64']);
  assert.equal(await second.stop(), 0, second.log());
});

/** A server of which one or both streams lead elsewhere than to us. */
async function startWith(t: TestContext, stdio: StdioOptions, args: readonly string[]) {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  const flags = ['--zones=1x1', '--world=64x64', `--port=${port}`, '--data', join(temporaryFolder(t), 'data'), ...args];
  const child = spawn(process.execPath, [CLI, ...flags], {
    stdio,
    cwd: temporaryFolder(t),
    env: { PATH: process.env.PATH },
    timeout: 2 * RUN_MS_MAX,
  });
  t.after(() => child.kill('SIGKILL'));
  const exited = once(child, 'exit');
  let said = '';
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
    said += chunk;
  });
  const metrics = async (): Promise<string> => {
    const response = await fetch(`http://127.0.0.1:${port}/metrics`).catch(() => undefined);
    return response?.text() ?? '';
  };
  const until = async (what: string, isSo: () => Promise<boolean>): Promise<void> => {
    for (const limitMs = performance.now() + RUN_MS_MAX; !(await isSo()); await sleep(50)) {
      assert.ok(child.exitCode === null && child.signalCode === null, `it ended before ${what}: ${said}`);
      assert.ok(performance.now() < limitMs, `${what}: ${said}`);
    }
  };
  await until('it answers', async () => (await metrics()) !== '');
  const stop = async (): Promise<unknown> => {
    child.kill('SIGTERM');
    return (await exited)[0];
  };
  return { child, metrics, until, stop, said: () => said };
}

test('a disk that has no room for what it says does not end a server', {
  skip: !existsSync('/dev/full'),
}, async (t) => {
  const full = openSync('/dev/full', 'w');
  t.after(() => closeSync(full));
  const server = await startWith(t, ['ignore', full, full], []);
  server.child.kill('SIGUSR2'); // a tick thread dies, which is said
  await server.until('it is replaced', async () => /^tessera_thread_restarts_total 1$/m.test(await server.metrics()));
  assert.equal(await server.stop(), 0);
});

test('a server whose lines nobody reads any more stores its world when it is told to end', async (t) => {
  const data = ['--data', join(temporaryFolder(t), 'data'), '--journal-flush-ms=0', '--hot-snapshot-ms=10000'];
  const server = await startWith(t, ['ignore', 'pipe', 'pipe'], data);
  server.child.stdout?.destroy();
  assert.equal(await server.stop(), 0, server.said());
  const next = await startServer([...data, '--zones=1x1', '--world=64x64', '--start=resume']);
  assert.equal(await next.stop(), 0, next.log());
});

test('settings come from a config file in the working directory when there is one', async (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, 'tessera.json'), '{"tickHz": "often"}');
  const { code, lines } = await runProgram(t, process.execPath, [CLI], folder);
  assert.equal(code, 1);
  assert.match(lines.join(), /tickHz is often \(from tessera.json\)/);
});
