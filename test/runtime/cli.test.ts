import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { helpText } from '../../src/runtime/help.js';
import { LOCK_FILE } from '../../src/runtime/startup-checks.js';
import { CLI, startServer } from '../server.js';

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

test('settings come from a config file in the working directory when there is one', async (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, 'tessera.json'), '{"tickHz": "often"}');
  const { code, lines } = await runProgram(t, process.execPath, [CLI], folder);
  assert.equal(code, 1);
  assert.match(lines.join(), /tickHz is often \(from tessera.json\)/);
});
