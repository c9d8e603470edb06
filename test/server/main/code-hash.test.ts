import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { hashCode } from '../../../src/server/main/code-hash.js';
import { CODE_FILES_MAX, CODE_NOTES_MAX } from '../../../src/server/main/limits.js';

/** A folder with these files; the first is the game. */
function stage(t: TestContext, files: Record<string, string>) {
  const folder = mkdtempSync(join(tmpdir(), 'tessera-code-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const write = (name: string, text: string): void => {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  };
  for (const [name, text] of Object.entries(files)) write(name, text);
  const url = pathToFileURL(join(folder, Object.keys(files)[0])).href;
  return { folder, write, code: () => hashCode(url), within: (only: string) => hashCode(url, join(folder, only)) };
}

const FILES = {
  'game/main.mjs': "import { SPEED } from './rules.mjs';\nimport './far/effects.mjs';\nexport * from '../shared.mjs';",
  'game/rules.mjs': "import data from './data.json' with { type: 'json' };\nexport const SPEED = 1;",
  'game/data.json': '{"hp":51}',
  'game/far/effects.mjs': "import { /* it's back */ a,\n  b } from '../main.mjs'; // in a circle",
  'shared.mjs': 'export const a = 1, b = 2;',
  'other.mjs': 'export default 1;',
};

test('every file that is imported counts, wherever it lies, and no other', (t) => {
  const { write, code } = stage(t, FILES);
  const { hash, notCovered } = code();
  assert.match(hash, /^[0-9a-f]{16}$/);
  assert.deepEqual(notCovered, []);
  const seen = new Set([hash]);
  for (const [name, text] of Object.entries(FILES)) {
    write(name, `${text}\n`);
    const { hash: changed } = code();
    assert.equal(seen.has(changed), name === 'other.mjs', name);
    if (name !== 'other.mjs') write(name, text);
    assert.equal(name === 'other.mjs' || code().hash === hash, true, name);
    seen.add(changed);
  }
});

test('the same files in another folder are the same code', (t) => {
  assert.equal(stage(t, FILES).code().hash, stage(t, FILES).code().hash);
});

test('a package counts by its version, and not by its files', (t) => {
  const { write, code } = stage(t, {
    'game.mjs': "import { a } from '@maker/thing/part';\nimport fs from 'node:fs';\nimport path from 'path';",
    'node_modules/@maker/thing/package.json': '{"name":"@maker/thing","version":"1.0.0"}',
    'node_modules/@maker/thing/part.js': 'export const a = 1;',
  });
  const { hash, notCovered } = code();
  assert.deepEqual(notCovered, []);
  write('node_modules/@maker/thing/part.js', 'export const a = 2;');
  assert.equal(code().hash, hash);
  write('node_modules/@maker/thing/package.json', '{"name":"@maker/thing","version":"1.0.1"}');
  assert.notEqual(code().hash, hash);
});

test('what cannot be followed is named', (t) => {
  const { code } = stage(t, {
    'game.mjs': "import './missing.mjs';\nimport 'nowhere';\nconst map = await import('./map.mjs');",
    'map.mjs': '',
  });
  assert.deepEqual(code().notCovered, [
    'a dynamic import in game.mjs',
    'nowhere, which game.mjs imports',
    'missing.mjs cannot be read',
  ]);
});

test('a game of too many files is hashed in part, and what it says is bounded', (t) => {
  const names = Array.from({ length: CODE_FILES_MAX + 1 }, (_, i) => `part-${i}.mjs`);
  const many = stage(t, {
    'game.mjs': names.map((name) => `import './${name}';`).join('\n'),
    ...Object.fromEntries(names.map((name) => [name, 'export {};'])),
  });
  assert.match(many.code().notCovered.join(), /^more than 1000 files/);
  const missing = stage(t, { 'game.mjs': names.map((name) => `import './${name}';`).join('\n') });
  assert.equal(missing.code().notCovered.length, CODE_NOTES_MAX + 1);
});

test('a game of the server itself is the files of its folder', (t) => {
  const { write, within } = stage(t, FILES);
  const { hash } = within('game/');
  write('shared.mjs', 'export const a = 3, b = 2;');
  assert.equal(within('game/').hash, hash);
  write('game/far/effects.mjs', '');
  assert.notEqual(within('game/').hash, hash);
});
