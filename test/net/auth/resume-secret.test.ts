import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { loadResumeSecret, RESUME_KEY_FILE } from '../../../src/net/auth/resume-secret.js';

const folder = mkdtempSync(join(tmpdir(), 'tessera-secret-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const warnings: string[] = [];
const log = { warn: (_: object, line: string) => void warnings.push(line) };

test('a key is made once, for its owner only, and is the same at every start', () => {
  const key = loadResumeSecret('', folder, log);
  assert.equal(key.length, 32);
  assert.deepEqual(loadResumeSecret('', folder, log), key);
  assert.equal(statSync(join(folder, RESUME_KEY_FILE)).mode & 0o777, 0o600);
  assert.deepEqual(Buffer.from(loadResumeSecret('given from outside', folder, log)).toString(), 'given from outside');
});

test('a key file that a full disk left empty is taken for none, and said; no unfinished one stays behind', () => {
  writeFileSync(join(folder, RESUME_KEY_FILE), '');
  const key = loadResumeSecret('', folder, log);
  assert.equal(key.length, 32);
  assert.deepEqual(Buffer.from(loadResumeSecret('', folder, log)), Buffer.from(key));
  assert.equal(warnings.length, 1);
  assert.match(warnings[0], /resume\.key is empty: a new one is made/);
  assert.equal(statSync(join(folder, RESUME_KEY_FILE)).mode & 0o777, 0o600);
  assert.deepEqual(readdirSync(folder), [RESUME_KEY_FILE]);
});

test('a key that is not whole, or cannot be made, is one clear line', () => {
  writeFileSync(join(folder, RESUME_KEY_FILE), 'short');
  assert.throws(
    () => loadResumeSecret('', folder, log),
    /resume\.key cannot be had: it has 5 bytes, not 32; restore it, or remove it to have a new one made; or give a --resume-secret/,
  );
  assert.throws(() => loadResumeSecret('', join(folder, 'missing'), log), /cannot be had: ENOENT/);
});
