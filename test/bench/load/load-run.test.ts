import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { findListener } from '../../../bench/load/report/process-figures.js';
import type { LoadResult } from '../../../bench/load/report/result.js';

const LOAD_CLI = fileURLToPath(new URL('../../../bench/load/cli.js', import.meta.url));
const SERVER_CLI = fileURLToPath(new URL('../../../src/server/cli/cli.js', import.meta.url));

interface Ended {
  code: number | null;
  out: string;
  complaints: string;
}

function start(
  argv: readonly string[],
  env: NodeJS.ProcessEnv = {},
): { child: ChildProcess; ended: Promise<Ended>; output(): string } {
  const child = spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } });
  let out = '';
  let complaints = '';
  child.stdout!.setEncoding('utf8').on('data', (text: string) => {
    out += text;
  });
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    complaints += text;
  });
  const ended = once(child, 'close').then(([code]) => ({ code, out, complaints }));
  return { child, ended, output: () => out + complaints };
}

function runLoadtest(...args: string[]): Promise<Ended> {
  return start([LOAD_CLI, ...args]).ended;
}

function lastLine(out: string): LoadResult {
  return JSON.parse(out.trimEnd().split('\n').at(-1)!) as LoadResult;
}

async function waitFor(what: string, find: () => string | undefined): Promise<string> {
  for (let attempt = 0; attempt < 1500; attempt++) {
    const found = find();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`waited in vain for ${what}`);
}

function makeFolder(): string {
  return mkdtempSync(join(tmpdir(), 'tessera-load-test-'));
}

function portIn(text: string, scheme: string): string | undefined {
  return new RegExp(`${scheme}://127\\.0\\.0\\.1:(\\d+)`).exec(text)?.[1];
}

/** Passes everything on as it is, but for the view radius of every Welcome: 40 instead of 24. */
async function startLyingProxy(targetPort: number): Promise<{ proxy: Server; port: number; lies: () => number }> {
  const told = Buffer.alloc(4);
  told.writeFloatLE(24);
  const lie = Buffer.alloc(4);
  lie.writeFloatLE(40);
  let lies = 0;
  const proxy = createServer((client) => {
    const server = connect(targetPort, '127.0.0.1');
    client.pipe(server);
    server.on('data', (chunk: Buffer) => {
      const at = chunk.includes('arena') ? chunk.indexOf(told) : -1;
      if (at >= 0) {
        lie.copy(chunk, at);
        lies += 1;
      }
      client.write(chunk);
    });
    server.on('close', () => client.destroy());
    server.on('error', () => client.destroy());
    client.on('error', () => server.destroy());
    client.on('close', () => server.destroy());
  }).listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  return { proxy, port: (proxy.address() as { port: number }).port, lies: () => lies };
}

test('a small run joins everybody, finds nothing wrong across four zones, and reports every figure', async () => {
  const args = ['--clients', '20', '--seconds', '3', '--server-args', '--world 192x192 --zones 2x2', '--json'];
  const { out, complaints, code } = await runLoadtest(...args, '--seed', '3');
  assert.ok(code === 0 || code === 1, complaints);
  const result = lastLine(out);
  assert.equal(result.clientsWanted, 20);
  assert.equal(result.clientsJoined, 20, complaints);
  assert.equal(result.disconnects, 0, complaints);
  for (const census of [result.census.before, result.census.after]) {
    assert.equal(census!.clients, 20);
    assert.equal(census!.mismatches, 0, `${census!.examples.join('\n')}\nseed 3`);
    assert.equal(census!.unstopped + census!.withoutFull, 0);
  }
  assert.ok(result.census.before!.pairsExpected > 0, 'nobody was near anybody');

  const numbers: (number | null)[] = [
    ...[result.seconds, result.tickHz.wanted, result.tickHz.achieved, result.bytesPerClientPerSecond],
    ...[result.bytesPerVisibleEntityUpdate, result.visibleMean, result.generatorCpuCores, result.rttCount],
    ...[result.packetsPerSecond.in, result.packetsPerSecond.out],
    ...[result.serverPacketsPerSecond.in, result.serverPacketsPerSecond.out],
    ...[result.tickMs.p50, result.tickMs.p99, result.tickMs.max],
    ...[result.rttMs.p50, result.rttMs.p99, result.rttMs.max],
  ];
  if (process.platform === 'linux') numbers.push(result.serverCpuCores, result.serverRssMiB, result.cpuUsPerPacket);
  for (const [index, number] of numbers.entries()) {
    assert.ok(typeof number === 'number' && number > 0, `figure ${index} is ${number}`);
  }
  assert.equal(typeof result.drops, 'object');
  assert.ok(result.rttMs.p50! <= result.rttMs.p99! && result.rttMs.p99! <= result.rttMs.max!);
  assert.ok(result.tickMs.p50! <= result.tickMs.p99! && result.tickMs.p99! <= result.tickMs.max!);
  assert.equal(result.tickHz.wanted, 60);
});

test('a server that shows less than it promises is found out', async () => {
  const folder = makeFolder();
  const world = ['--world', '96x96', '--zones', '1x1', '--data', folder];
  const server = start([SERVER_CLI, '--port', '0', ...world]);
  try {
    const serverPort = await waitFor('the server', () => portIn(server.output(), 'listening on http'));
    const { proxy, port, lies } = await startLyingProxy(Number(serverPort));
    const small = ['--clients', '20', '--seconds', '1', '--json'];
    const { out, complaints, code } = await runLoadtest(...small, '--url', `ws://127.0.0.1:${port}`);
    proxy.close();
    judgeLies(lies(), code, out, complaints);
  } finally {
    server.child.kill('SIGTERM');
    await server.ended;
    rmSync(folder, { recursive: true });
  }
});

function judgeLies(lies: number, code: number | null, out: string, complaints: string): void {
  assert.equal(lies, 20, 'the proxy did not lie to everybody');
  assert.equal(code, 1, complaints);
  const result = lastLine(out);
  assert.equal(result.ok, false);
  assert.equal(result.clientsJoined, 20);
  assert.ok(result.census.before!.missing > 0 && result.census.after!.missing > 0);
  assert.match(out, /error: census before: \d+ mismatches/);
  assert.match(out, /client \d+ does not see client \d+ at (2[3-9]|3\d)\.\d+ units/);
}

test('a server that dies under load is told of, with everyone it disconnected', async () => {
  const run = start([LOAD_CLI, '--clients', '5', '--seconds', '600', '--json']);
  await waitFor('the timed part', () => /measuring \d/.exec(run.output())?.[0]);
  process.kill(Number(/^server .* in process (\d+)/m.exec(run.output())![1]), 'SIGKILL');
  const { code, out } = await run.ended;
  assert.equal(code, 1);
  const result = lastLine(out);
  assert.equal(result.clientsJoined, 5);
  assert.equal(result.disconnects, 5);
  assert.match(result.errors.join('\n'), /the server was ended by SIGKILL/);
});

test('Ctrl-C prints what was measured so far and leaves no server behind', async () => {
  const folder = makeFolder();
  const run = start([LOAD_CLI, '--clients', '5', '--seconds', '600', '--json'], { TMPDIR: folder });
  await waitFor('the timed part', () => /measuring \d/.exec(run.output())?.[0]);
  run.child.kill('SIGINT');
  const { code, out } = await run.ended;
  assert.equal(code, 130);
  const result = lastLine(out);
  assert.ok(result.interrupted);
  assert.equal(result.clientsJoined, 5);
  assert.ok(result.seconds > 0 && result.rttCount > 0);
  assert.equal(result.census.after, null);
  assert.deepEqual(readdirSync(folder), []);
  rmSync(folder, { recursive: true });
  if (process.platform === 'linux') assert.equal(findListener(Number(portIn(out, 'ws'))), null);
});

test('wrong options start nothing and end with 2', async () => {
  const { code, out, complaints } = await runLoadtest('--clients', 'many', '--scene', 'moon');
  assert.equal(code, 2);
  assert.equal(out, '');
  assert.match(complaints, /--clients: "many"[\s\S]*--scene: "moon"/);
  const wrongSetting = await runLoadtest('--server-args', '--tick-hz 5 --no-such-thing 1');
  assert.equal(wrongSetting.code, 2);
  assert.match(wrongSetting.complaints, /tickHz[\s\S]*no-such-thing/);
});

test('clients that cannot connect are counted and told, and the run fails', async () => {
  const refuser = createServer((socket) => socket.end('HTTP/1.1 503 Service Unavailable\r\n\r\n')).listen(
    0,
    '127.0.0.1',
  );
  await once(refuser, 'listening');
  const { port } = refuser.address() as { port: number };
  const { code, out } = await runLoadtest(
    '--clients',
    '3',
    '--seconds',
    '1',
    '--json',
    '--url',
    `ws://127.0.0.1:${port}`,
  );
  refuser.close();
  assert.equal(code, 1);
  const result = lastLine(out);
  assert.equal(result.clientsJoined, 0);
  assert.deepEqual(result.joinFailures, { 'upgrade refused: HTTP/1.1 503 Service Unavailable': 3 });
});
