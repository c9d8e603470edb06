import assert from 'node:assert/strict';
import { fstatSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { lookIntoFile } from '../../src/base/present-file.js';
import { openFolder } from '../folder.js';

test('a file that is there is looked into and closed, also when the look throws', (t) => {
  const path = join(openFolder(t), 'a');
  writeFileSync(path, 'text');
  let opened = -1;
  const text = lookIntoFile(path, (file) => {
    opened = file;
    return readFileSync(file, 'utf8');
  });
  assert.equal(text, 'text');
  assert.throws(() => fstatSync(opened), { code: 'EBADF' });
  assert.throws(
    () =>
      lookIntoFile(path, (file) => {
        opened = file;
        throw new Error('seen');
      }),
    /seen/,
  );
  assert.throws(() => fstatSync(opened), { code: 'EBADF' });
});

test('a file that is not there is undefined, and any other failure is thrown', (t) => {
  const folder = openFolder(t);
  assert.equal(
    lookIntoFile(join(folder, 'none'), () => 1),
    undefined,
  );
  writeFileSync(join(folder, 'file'), '');
  assert.throws(() => lookIntoFile(join(folder, 'file', 'below'), () => 1), { code: 'ENOTDIR' });
});
