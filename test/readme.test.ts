// What the READMEs promise can be done: their files, scripts and packages are there, and the game can be played.

import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { WebSocket } from 'ws';
import { loadSettings } from '../src/config/settings.js';
import { startServer } from './server.js';

const PLAY_MS_MAX = 10000;

const root = fileURLToPath(new URL('../../', import.meta.url));
const readme = readFileSync(`${root}README.md`, 'utf8');
const manifest = JSON.parse(readFileSync(`${root}package.json`, 'utf8'));
/** From the top of the repository. */
const pages = ['README.md', 'bench/README.md', 'schemas/README.md', ...pagesOfFolders()];

function pagesOfFolders(): string[] {
  const paths = readdirSync(`${root}src`).map((folder) => `src/${folder}/README.md`);
  return paths.filter((path) => existsSync(root + path));
}

function textOf(page: string): string {
  return readFileSync(root + page, 'utf8');
}

function blocksOf(page: string): { language: string; text: string }[] {
  return [...textOf(page).matchAll(/```(\w*)\n([\s\S]*?)```/g)].map(([, language, text]) => ({ language, text }));
}

interface PlainFrame {
  welcome?: unknown;
  ack?: number;
  entities?: { distance?: number }[];
}

test('every file and folder that a README names is there', () => {
  const missing = pages.flatMap((page) => {
    const named = [...textOf(page).matchAll(/`((?:src|test|bench|workers|schemas|\.ci)\/[\w./-]*)`/g)].map(
      ([, path]) => path,
    );
    const linked = [...textOf(page).matchAll(/\]\(([\w./-]+)\)/g)].map(([, path]) => join(dirname(page), path));
    return [...named, ...linked].filter((path) => !existsSync(root + path)).map((path) => `${page}: ${path}`);
  });
  assert.deepEqual(missing, []);
});

test('every script that a README names is in package.json', () => {
  const names = pages.flatMap((page) =>
    [...textOf(page).matchAll(/npm (?:run )?([a-z:]+)\b/g)].map(([, name]) => name),
  );
  assert.ok(names.length > 6);
  const game = JSON.parse(readFileSync(`${root}src/server/cli/author/template/package.json`, 'utf8'));
  const known = ['ci', 'run', 'install', 'i', 'pack', ...Object.keys({ ...manifest.scripts, ...game.scripts })];
  assert.deepEqual(
    names.filter((name) => !known.includes(name)),
    [],
  );
});

test('every flag that a README gives to the server is accepted', () => {
  const blocks = pages.flatMap(blocksOf);
  const lines = blocks.filter(({ language }) => language === 'sh').flatMap(({ text }) => text.split('\n'));
  const commands = lines.map((line) => /npm start -- ([^#]+)/.exec(line)?.[1].trim().split(/\s+/) ?? []);
  const readFile = () => '{}';
  for (const argv of commands) {
    const loaded = loadSettings({ argv, env: {}, readFile });
    assert.ok(loaded.ok, `${argv.join(' ')}: ${JSON.stringify(loaded)}`);
  }
});

test('the README says why each dependency is there', () => {
  const section = readme.slice(readme.indexOf('## Why each dependency'));
  const unnamed = Object.keys(manifest.dependencies).filter((name) => !new RegExp(`\\b${name}\\b`).test(section));
  assert.deepEqual(unnamed, []);
});

test('the game in the README of src/game runs as it stands there, and its JSON messages play it', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'tessera-readme-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const game = blocksOf('src/game/README.md').find(
    ({ language, text }) => language === 'js' && text.startsWith('export default'),
  );
  assert.ok(game !== undefined);
  writeFileSync(join(folder, 'my-game.mjs'), game.text);
  const server = await startServer(['--game', join(folder, 'my-game.mjs')]);
  t.after(() => server.stop());
  const socket = new WebSocket(server.wsUrl, 'tessera.json.1');
  t.after(() => socket.terminate());
  const distance = await new Promise<number>((resolve, reject) => {
    setTimeout(() => reject(new Error(`nobody ran; the server said:\n${server.log()}`)), PLAY_MS_MAX).unref();
    socket.on('error', reject);
    socket.on('open', () => socket.send(JSON.stringify({ type: 'join', name: 'me' })));
    socket.on('message', (data) => {
      const frame = JSON.parse(String(data)) as PlainFrame;
      if (frame.welcome !== undefined) socket.send(JSON.stringify({ type: 'Run', seq: 1, x: 10, y: 0 }));
      const ran = frame.entities?.[0]?.distance ?? 0;
      if (frame.ack === 1 && ran > 1) resolve(ran);
    });
  });
  assert.ok(distance > 1);
});
