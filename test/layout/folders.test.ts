// How large files and folders may be, and that every folder of src explains itself.

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { posix } from 'node:path';
import { test } from 'node:test';
import { FOLDERS_WITHOUT_README } from './debts.js';
import { layerOf, listFiles, root, sources } from './source-tree.js';

const FILE_LINES_MAX = 450;
const FOLDER_FILES_MAX = 16;

/** Folders that hold more files of their own than a reader takes in at once. READMEs do not count. */
function findFullFolders(paths: readonly string[]): string[] {
  const counts = new Map<string, number>();
  for (const path of paths) {
    if (posix.basename(path) === 'README.md') continue;
    const folder = posix.dirname(path);
    counts.set(folder, (counts.get(folder) ?? 0) + 1);
  }
  return [...counts].filter(([, count]) => count > FOLDER_FILES_MAX).map(([folder, count]) => `${folder}: ${count}`);
}

test(`no file has more than ${FILE_LINES_MAX} lines`, () => {
  const long = sources.map(({ path, text }) => `${path}: ${text.split('\n').length - 1}`);
  assert.deepEqual(
    long.filter((entry) => Number(entry.split(': ')[1]) > FILE_LINES_MAX),
    [],
  );
});

test(`no folder has more than ${FOLDER_FILES_MAX} files of its own`, () => {
  assert.deepEqual(findFullFolders(['src', 'workers', 'test', 'bench'].flatMap(listFiles)), []);
});

test('every folder of src has a README', () => {
  const folders = new Set(
    sources
      .map(({ path }) => path)
      .filter((path) => path.startsWith('src/'))
      .map(layerOf),
  );
  const bare = [...folders].filter((folder) => !existsSync(`${root}src/${folder}/README.md`));
  assert.deepEqual(bare.sort(), [...FOLDERS_WITHOUT_README].sort(), 'a folder that has one leaves debts.ts');
});

test('the folder check counts the files of each folder by itself, without READMEs', () => {
  const filesOf = (folder: string, count: number) => Array.from({ length: count }, (_, nth) => `${folder}/${nth}.ts`);
  const full = filesOf('src/a', FOLDER_FILES_MAX);
  assert.deepEqual(findFullFolders([...full, 'src/a/README.md', ...filesOf('src/a/b', FOLDER_FILES_MAX)]), []);
  assert.deepEqual(findFullFolders([...full, 'src/a/more.mjs']), [`src/a: ${FOLDER_FILES_MAX + 1}`]);
});
