import assert from 'node:assert/strict';
import { cpSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { identifyFolder } from '../../../src/durability/lease/folder-identity.js';
import { openFolder } from '../../folder.js';

test('a folder keeps its identity when it is written to and moved, and no copy has it', (t) => {
  const parent = openFolder(t);
  const [data, copy, moved] = ['data', 'copy', 'moved'].map((name) => join(parent, name));
  mkdirSync(data);
  const identity = identifyFolder(data);
  writeFileSync(join(data, 'world.json'), '{}');
  assert.equal(identifyFolder(data), identity);
  cpSync(data, copy, { recursive: true, preserveTimestamps: true });
  assert.notEqual(identifyFolder(copy), identity);
  renameSync(data, moved);
  assert.equal(identifyFolder(moved), identity);
  // A copy in the old place is another folder, even where the file system gives it the old inode.
  rmSync(moved, { recursive: true });
  renameSync(copy, data);
  assert.notEqual(identifyFolder(data), identity);
  assert.throws(() => identifyFolder(join(parent, 'none')), /ENOENT/);
});
