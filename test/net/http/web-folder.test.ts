import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { loadStaticFiles } from '../../../src/net/http/static-files.js';
import { findWebProblem } from '../../../src/net/http/web-folder.js';
import { HTTP_UNSENT_BYTES_MAX, WEB_FILES_MAX } from '../../../src/net/limits.js';
import { openFolder } from '../../folder.js';
import { startServer } from '../../server.js';

function makeFolder(t: TestContext, files: Record<string, string>): string {
  const folder = openFolder(t);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(folder, path, '..'), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  return folder;
}

test('a folder takes the place of the page, and the SDK stays', (t) => {
  const folder = makeFolder(t, {
    'index.html': 'front',
    'main.js': '1',
    'art/a b.png': 'x',
    'help/index.html': 'help',
  });
  assert.equal(findWebProblem(folder), undefined);
  const files = loadStaticFiles(folder);
  const textOf = (path: string) => files.get(path)?.body.toString();
  assert.deepEqual([textOf('/'), textOf('/index.html'), textOf('/help/')], ['front', 'front', 'help']);
  assert.equal(files.get('/')?.type, 'text/html; charset=utf-8');
  assert.equal(files.get('/art/a%20b.png')?.type, 'image/png');
  assert.ok(!files.has('/src/web/play/play.js'), 'the built-in page is not served');
  assert.match(textOf('/client/tessera.js') ?? '', /\.\/src\/client\/index\.js/);
  assert.equal(files.get('/client/tessera.js')?.isShared, true);
  assert.equal(files.get('/main.js')?.isShared, false);
});

test('hidden files, installed ones and links are not served', (t) => {
  const folder = makeFolder(t, { 'index.html': '', '.env': 's', '.git/config': 's', 'node_modules/a.js': 's' });
  symlinkSync('/etc', join(folder, 'etc'));
  symlinkSync('/etc/hostname', join(folder, 'name.txt'));
  const own = [...loadStaticFiles(folder).keys()].filter((path) => !path.startsWith('/client/'));
  assert.deepEqual(own.sort(), ['/', '/index.html']);
});

test('what cannot be served is named before anything starts', (t) => {
  const problemOf = (files: Record<string, string>) => findWebProblem(makeFolder(t, files)) ?? '';
  assert.match(findWebProblem('/nowhere') ?? '', /is no folder/);
  assert.match(findWebProblem('/etc/hostname') ?? '', /is no folder/);
  assert.match(problemOf({ 'main.js': '' }), /has no index\.html/);
  assert.match(problemOf({ 'index.html': '', 'client/a.js': '' }), /\/client is the server's own/);
  assert.match(problemOf({ 'index.html': '', metrics: '' }), /\/metrics is the server's own/);
  const many = Object.fromEntries(Array.from({ length: WEB_FILES_MAX }, (_, nth) => [`${nth}.txt`, '']));
  assert.match(problemOf({ 'index.html': '', ...many }), /more than 2000 files/);
});

test('a file larger than what may wait unsent arrives whole, and a path leads to no other file', async (t) => {
  const folder = makeFolder(t, { 'index.html': 'front', 'big.bin': 'x'.repeat(5 * HTTP_UNSENT_BYTES_MAX + 1) });
  const server = await startServer(['--web', folder]);
  try {
    const big = await fetch(`${server.url}/big.bin`);
    assert.equal(big.headers.get('content-length'), String(5 * HTTP_UNSENT_BYTES_MAX + 1));
    assert.equal((await big.arrayBuffer()).byteLength, 5 * HTTP_UNSENT_BYTES_MAX + 1);
    assert.equal((await fetch(`${server.url}/..%2fetc%2fpasswd`)).status, 404);
    const sdk = await fetch(`${server.url}/client/tessera.js`);
    assert.equal(sdk.headers.get('access-control-allow-origin'), '*');
    assert.equal((await fetch(server.url)).headers.get('access-control-allow-origin'), null);
  } finally {
    await server.stop();
  }
});
