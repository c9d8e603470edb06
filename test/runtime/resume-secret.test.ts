import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { loadResumeSecret, RESUME_KEY_FILE } from '../../src/runtime/resume-secret.js';

const folder = mkdtempSync(join(tmpdir(), 'tessera-secret-'));
after(() => rmSync(folder, { recursive: true, force: true }));

test('a key is made once, for its owner only, and is the same at every start', () => {
  const key = loadResumeSecret('', folder);
  assert.equal(key.length, 32);
  assert.deepEqual(loadResumeSecret('', folder), key);
  assert.equal(statSync(join(folder, RESUME_KEY_FILE)).mode & 0o777, 0o600);
  assert.deepEqual(Buffer.from(loadResumeSecret('given from outside', folder)).toString(), 'given from outside');
});

test('a key that is not whole, or cannot be made, is one clear line', () => {
  writeFileSync(join(folder, RESUME_KEY_FILE), 'short');
  assert.throws(
    () => loadResumeSecret('', folder),
    /resume\.key cannot be had: it has 5 bytes, not 32; or give a --resume-secret/,
  );
  assert.throws(() => loadResumeSecret('', join(folder, 'missing')), /cannot be had: ENOENT/);
});
