// The package as a newcomer has it: packed, installed into an empty folder, a new game made, tested, started and played.

import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, posix } from 'node:path';
import { after, before, type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { chromium } from 'playwright-core';
import { WebSocket } from 'ws';
import { TesseraClient } from '../../src/client/client.js';
import type { SocketClass } from '../../src/client/socket.js';
import { describeCommands } from '../../src/game/describe-commands.js';
import { until } from '../folder.js';
import { requireOrSkip } from '../require.js';

const execute = promisify(execFile);
/** Without what would make a test runner inside of this one report to it. */
const { NODE_TEST_CONTEXT: _, ...ENVIRONMENT } = process.env;
const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const CHROMIUM = '/usr/bin/chromium';
const NO_REGISTRY = /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|ENOTCACHED|EHOSTUNREACH/;
const COMMANDS = describeCommands({
  Walk: { payload: { x: { type: 'i8', min: -1, max: 1 }, y: { type: 'i8', min: -1, max: 1 } } },
  Dash: { payload: {} },
});

const run = (program: string, args: string[], cwd: string) =>
  execute(program, args, { cwd, env: ENVIRONMENT, maxBuffer: 1 << 24 });

let folder: string;
let shop: string;
let game: string;
let isInstalled = false;
let packed: string[] = [];
const killers: (() => void)[] = [];

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tessera-package-'));
  shop = join(folder, 'shop');
  game = join(shop, 'my-game');
  mkdirSync(shop);
  // npm test has just built what is packed.
  const pack = ['pack', '--ignore-scripts', '--json', '--pack-destination', folder];
  const { stdout } = await run('npm', pack, ROOT);
  const [{ filename, files }] = Object.values(JSON.parse(stdout)) as { filename: string; files: { path: string }[] }[];
  packed = files.map(({ path }) => path);
  try {
    const install = ['i', `../${filename}`, '--prefer-offline', '--no-audit', '--no-fund', '--fetch-retries=0'];
    await run('npm', install, shop);
    isInstalled = true;
  } catch (error) {
    if (!NO_REGISTRY.test(String((error as { stderr?: string }).stderr))) throw error;
  }
  if (isInstalled) await run('npx', ['tessera', 'new', 'my-game', '--no-install'], shop);
});

after(() => {
  if (process.env.KEEP_SCREENSHOTS === undefined) rmSync(folder, { recursive: true, force: true });
});

process.on('exit', () => {
  for (const kill of killers) kill();
});
process.once('SIGTERM', () => process.exit(1));

function isReady(t: TestContext): boolean {
  return requireOrSkip(t, isInstalled, 'needs a registry of packages');
}

/** An npm script of the new game, in a process group of its own; resolves when a server has printed its address. */
async function startScript(
  t: TestContext,
  args: string[],
): Promise<{ url: string; log: () => string; end(): Promise<number | null> }> {
  const child = spawn('npm', args, { cwd: game, env: ENVIRONMENT, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  const kill = () => {
    if (child.exitCode === null && child.signalCode === null) process.kill(-child.pid!, 'SIGKILL');
  };
  killers.push(kill);
  t.after(kill);
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (text += chunk));
  const closed = new Promise<number | null>((resolve) => child.once('close', resolve));
  await until('the server listens', () => {
    if (child.exitCode !== null) throw new Error(text);
    return addressIn(text) !== undefined;
  });
  return {
    url: addressIn(text)!,
    log: () => text,
    async end() {
      // As Ctrl-C on a terminal: to npm, its shell, and the server.
      process.kill(-child.pid!, 'SIGINT');
      return closed;
    },
  };
}

function addressIn(text: string): string | undefined {
  return [...text.matchAll(/listening on (http:\/\/\S+)/g)].at(-1)?.[1];
}

async function joinGame(url: string): Promise<TesseraClient> {
  const client = new TesseraClient({
    url: `${url.replace('http', 'ws')}/ws/game`,
    name: 'Walker',
    commands: COMMANDS,
    WebSocket: WebSocket as unknown as SocketClass,
  });
  await client.connect();
  await until('it sees itself', () => client.self !== null);
  return client;
}

test('what the package can run and export is in it, with all that it imports', () => {
  const { exports, bin } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  const entries = Object.values(exports as Record<string, string | { default: string; types: string }>).flatMap(
    (entry) => (typeof entry === 'string' ? [] : [entry.default, entry.types]),
  );
  const commands = ['cli', 'replay', 'author/new', 'author/dev'].map((name) => `dist/src/server/cli/${name}.js`);
  const threads = ['tick', 'io', 'job', 'lock'].map((name) => `dist/workers/${name}-thread.js`);
  const others = ['dist/bench/load/cli.js', 'dist/bench/run.js', 'dist/test/faults/drill/kill-drill.js'];
  const paths = new Set([
    ...entries.map((path) => posix.normalize(path)),
    bin.tessera,
    ...commands,
    ...threads,
    ...others,
  ]);
  for (const path of paths) {
    assert.ok(packed.includes(path), `${path} is in the package`);
    const text = readFileSync(join(ROOT, path), 'utf8');
    for (const [, name] of text.matchAll(/(?:\bfrom |\bimport\(|\bimport |new URL\()['"](\.[^'"]+\.js)['"]/g)) {
      paths.add(posix.join(posix.dirname(path), name));
    }
  }
  assert.ok(paths.size > 200, String(paths.size));
  for (const path of packed) assert.doesNotMatch(path, /\.map$|^dist\/test\/.*\.test\./);
  assert.ok(packed.includes('dist/src/server/cli/author/template/test/game.test.js'));
  assert.ok(packed.includes('dist/src/web/play/index.html'));
});

test('the tests of a new game pass, and so do its types', async (t) => {
  if (!isReady(t)) return;
  const { stdout } = await run('npm', ['test'], game);
  assert.match(stdout, /# pass [1-9]\d*\n# fail 0/);
  // As npm install in the new folder would bring them.
  mkdirSync(join(game, 'node_modules/@types'), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules/@types/node'), join(game, 'node_modules/@types/node'));
  const compile = () => run(join(ROOT, 'node_modules/.bin/tsc'), ['--noEmit'], game);
  await compile();
  const path = join(game, 'game.js');
  const text = readFileSync(path, 'utf8');
  writeFileSync(path, text.replaceAll('columns.stepX', 'columns.stepZ'));
  const errors = await compile().then(
    () => '',
    (error: { stdout: string }) => error.stdout,
  );
  writeFileSync(path, text);
  assert.match(errors, /'stepZ' does not exist/, 'the types of fields reach the game');
});

test('a new game asks for tessera as the folder around it does, and a folder that is used stays as it is', async (t) => {
  if (!isReady(t)) return;
  const { dependencies } = JSON.parse(readFileSync(join(game, 'package.json'), 'utf8'));
  assert.match(dependencies.tessera, /^file:\.\.\/\.\.\/tessera-.*\.tgz$/);
  assert.ok(existsSync(join(game, '.gitignore')));
  for (const [name, problem] of [
    ['my-game', /exists and is not empty/],
    ['../out', /NAME is \.\.\/out/],
  ] as const) {
    await assert.rejects(run('npx', ['tessera', 'new', name], shop), problem);
  }
  await assert.rejects(run('npx', ['tessera', 'strat'], shop), /strat is no command \(did you mean start\?\)/);
});

test('npm start plays: by WebSocket, and on the page of the game in a browser', async (t) => {
  if (!isReady(t)) return;
  const server = await startScript(t, ['start', '--', '--port', '0', '--spawn', 'crowd']);
  const client = await joinGame(server.url);
  const startX = client.self!.x;
  client.send('Walk', { x: 1, y: 0 });
  await until('it has walked', () => client.self!.x > startX + 1);
  client.send('Walk', { x: 0, y: 0 });
  if (requireOrSkip(t, existsSync(CHROMIUM), `needs ${CHROMIUM}`)) await playInBrowser(t, server.url);
  client.close();
  await server.end();
  assert.match(server.log(), /SIGINT: telling clients, stopping/);
});

async function playInBrowser(t: TestContext, url: string): Promise<void> {
  const args = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'];
  const browser = await chromium.launch({ executablePath: CHROMIUM, args });
  try {
    const page = await browser.newPage({ viewport: { width: 960, height: 640 } });
    const complaints: string[] = [];
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(error.message));
    await page.goto(`${url}/?name=Ada`);
    await page.waitForFunction('window.client?.self', undefined, { timeout: 20000 }).catch((error: Error) => {
      throw new Error(`${error.message}\n${complaints.join('\n')}`);
    });
    const start = (await page.evaluate('window.client.self.x')) as number;
    await page.keyboard.down('KeyD');
    await page.waitForFunction(`window.client.self.x > ${start + 2}`);
    await page.keyboard.up('KeyD');
    await page.waitForFunction("document.querySelectorAll('#list li').length === 2");
    assert.match((await page.locator('#list').textContent()) ?? '', /you\d+/);
    await page.waitForTimeout(300);
    const screenshot = join(folder, 'game.png');
    await page.screenshot({ path: screenshot });
    t.diagnostic(`screenshot: ${screenshot}`);
    assert.deepEqual(complaints, []);
    // A page from elsewhere may import the SDK: by another name the server is another origin.
    await page.goto(`${url.replace('127.0.0.1', 'localhost')}/`);
    const names = await page.evaluate(`import('${url}/client/tessera.js').then((module) => Object.keys(module))`);
    assert.ok((names as string[]).includes('TesseraClient'));
  } finally {
    await browser.close();
  }
}

test('npm run dev starts the game again on save, tells mistakes, and the world goes on', async (t) => {
  if (!isReady(t)) return;
  const dev = await startScript(t, ['run', 'dev', '--', '--port', '0']);
  const client = await joinGame(dev.url);
  await until('it has ticked', () => client.tick > 60);
  const tick = client.tick;
  const path = join(game, 'game.js');
  const text = readFileSync(path, 'utf8');
  writeFileSync(path, text.replace('const SPEED = 6;', 'const SPEED = 60;'));
  await until('it says what changed', () => dev.log().includes('dev: game.js changed'));
  await until('it listens again', () => addressIn(dev.log()) !== dev.url);
  const later = await joinGame(addressIn(dev.log())!);
  assert.ok(later.tick >= tick, 'the world goes on');
  const startX = later.self!.x;
  const direction = startX > 64 ? -1 : 1;
  later.send('Walk', { x: direction, y: 0 });
  await until('it runs', () => (later.self!.x - startX) * direction > 20, 2000);
  later.close();
  writeFileSync(path, text.replace("type: 'u16', wire", "type: 'u61', wire"));
  await until('it names the mistake', () => /fields\.score\.type is 'u61'/.test(dev.log()));
  await until('it waits', () => dev.log().includes('waiting for the next save'));
  const broken = addressIn(dev.log());
  writeFileSync(path, text);
  await until('it listens once more', () => addressIn(dev.log()) !== broken);
  await dev.end();
  await assert.rejects(fetch(`${addressIn(dev.log())}/healthz`), 'nothing is left behind');
});
