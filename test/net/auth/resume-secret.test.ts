import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, test } from 'node:test';
import { loadResumeSecret, RESUME_KEY_FILE } from '../../../src/net/auth/resume-secret.js';

const folder = mkdtempSync(join(tmpdir(), 'tessera-secret-'));
const path = join(folder, RESUME_KEY_FILE);
after(() => rmSync(folder, { recursive: true, force: true }));

const lines: string[] = [];
const note = (level: string) => (_: object, line: string) => void lines.push(`${level}: ${line}`);
const log = { warn: note('warn'), error: note('error') };

function load(isNewWorld = true): Buffer {
  return Buffer.from(loadResumeSecret({ text: '', folder, isNewWorld, log }));
}

beforeEach(() => {
  rmSync(path, { force: true });
  lines.length = 0;
});

test('a key is made once, for its owner only, and is the same at every start', () => {
  const key = load();
  assert.equal(key.length, 32);
  assert.deepEqual(load(false), key);
  assert.deepEqual(lines, []);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.deepEqual(readdirSync(folder), [RESUME_KEY_FILE]);
});

test('a text that is given is the secret, and no key is looked for', () => {
  const secret = loadResumeSecret({ text: 'given from outside', folder, isNewWorld: false, log });
  assert.equal(Buffer.from(secret).toString(), 'given from outside');
  assert.deepEqual([readdirSync(folder), lines], [[], []]);
});

test('a key of which any bit was flipped is replaced, and said with what follows', () => {
  const key = load();
  const file = readFileSync(path);
  for (let bit = 0; bit < file.length * 8; bit++) {
    lines.length = 0;
    const flipped = Buffer.from(file);
    flipped[bit >> 3] ^= 1 << (bit & 7);
    writeFileSync(path, flipped);
    const other = load(false);
    assert.notDeepEqual(other, key);
    assert.equal(lines.length, 1, `bit ${bit}`);
    assert.match(
      lines[0],
      /^error: .*resume\.key is damaged \(its checksum is wrong\): a new key is made, and clients .* join anew/,
    );
    assert.deepEqual(load(false), other);
  }
});

test('a key file of any other length, as a full disk leaves it, is replaced and said', () => {
  for (const bytes of [0, 5, 31, 33, 35, 37]) {
    lines.length = 0;
    writeFileSync(path, Buffer.alloc(bytes));
    assert.deepEqual(load(), load());
    assert.equal(lines.length, 1);
    assert.match(lines[0], new RegExp(`^error: .*is damaged \\(${bytes} bytes, not 36\\)`));
    assert.equal(statSync(path).mode & 0o777, 0o600);
  }
});

test('a key that is missing is said where a world has a past, and there only', () => {
  load(true);
  assert.deepEqual(lines, []);
  rmSync(path);
  load(false);
  assert.equal(lines.length, 1);
  assert.match(lines[0], /^warn: .*resume\.key is missing: a new key is made/);
});

test('a key of an earlier version, without a checksum, stays the key and gets one', () => {
  const key = Buffer.alloc(32, 7);
  writeFileSync(path, key);
  assert.deepEqual(load(false), key);
  assert.equal(readFileSync(path).length, 36);
  assert.deepEqual(load(false), key);
  assert.deepEqual(lines, []);
});

test('a key that cannot be made is one clear line', () => {
  assert.throws(
    () => loadResumeSecret({ text: '', folder: join(folder, 'missing'), isNewWorld: true, log }),
    /resume\.key cannot be read or written: ENOENT.*; or set --resume-secret/,
  );
});
