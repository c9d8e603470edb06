import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findReferences, loadStaticFiles, resolvePackages } from '../../../src/net/http/static-files.js';
import { STATIC_FILES_MAX } from '../../../src/net/limits.js';

const files = loadStaticFiles();
const scripts = [...files].filter(([path]) => path.endsWith('.js'));

test('the page, its style and every module that it needs are there', () => {
  for (const path of ['/', '/src/web/play/play.js', '/src/web/play/style.css', '/vendor/flatbuffers/flatbuffers.js']) {
    assert.ok(files.has(path), path);
  }
  const wanted = [...files].flatMap(([path, { body }]) => findReferences(path, body.toString('utf8')));
  assert.deepEqual(
    [...new Set(wanted)].filter((path) => !files.has(path)),
    [],
  );
  assert.ok(files.size > 60 && files.size < STATIC_FILES_MAX, String(files.size));
});

test('nothing is there that only a server can run, and nothing that no page needs', () => {
  for (const [path, { body }] of scripts) {
    assert.doesNotMatch(body.toString('utf8'), /(?:from|import\(?)\s*['"]node:/, path);
    assert.match(
      path,
      /^\/(?:client\/tessera\.js$|(?:client\/)?src\/(?:web|client|protocol|game|games|base)\/|(?:client\/)?schemas\/generated\/|(?:client\/)?vendor\/|.*\/limits\.js$)/,
    );
  }
  for (const path of [
    '/src/net/http/http.js',
    '/src/games/arena/projectiles.js',
    '/src/protocol/plain/plain-codec.js',
  ]) {
    assert.ok(!files.has(path), path);
  }
});

test('every way to refer to a file is followed', () => {
  const from = (text: string): string[] => findReferences('/src/a/b.js', text);
  assert.deepEqual(from("import { c } from './c.js';"), ['/src/a/c.js']);
  assert.deepEqual(from("import {\n  c,\n  d,\n} from '../d.js';"), ['/src/d.js']);
  assert.deepEqual(from("export * from './e.js';\nimport './f.js';"), ['/src/a/e.js', '/src/a/f.js']);
  assert.deepEqual(from("const g = await import('./g.js');"), ['/src/a/g.js']);
  assert.deepEqual(from("import { Builder } from 'flatbuffers';"), ['/vendor/flatbuffers/flatbuffers.js']);
  const page = '<link rel="icon" href="data:x" /><link href="/a.css" /><script type="module" src="/b.js"></script>';
  assert.deepEqual(findReferences('/index.html', page), ['/a.css', '/b.js']);
});

test('no reference leads out of the build folder, and what is no reference is left alone', () => {
  const from = (text: string): string[] => findReferences('/src/a/b.js', text);
  assert.deepEqual(from("import '../../../../../etc/passwd.js';"), ['/etc/passwd.js']);
  assert.deepEqual(
    from("export const a = './c.js';\nfetch('./d.js');\nimport 'node:fs';\nimport 'https://x/y.js';"),
    [],
  );
});

test('browsers are given paths in place of the names of packages', () => {
  const path = '/src/protocol/fb/a.js';
  assert.equal(
    resolvePackages(path, "import * as flatbuffers from 'flatbuffers';"),
    "import * as flatbuffers from '../../../vendor/flatbuffers/flatbuffers.js';",
  );
  for (const text of ["const a = 'flatbuffers';", "import { b } from './flatbuffers.js';"]) {
    assert.equal(resolvePackages(path, text), text);
  }
  for (const [served, { body }] of scripts) assert.doesNotMatch(body.toString(), /from 'flatbuffers'/, served);
});
