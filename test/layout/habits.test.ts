// Habits that let a reader trust a file: what each atomic operation is for is written beside it, time and chance come from
// src/base, and a limit stands in the limits.ts of its subject. Old code that does not keep them yet is listed in debts.ts.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BARE_ATOMICS, CLOCKS, STRAY_LIMITS } from './debts.js';
import { lineAt, readSource, type SourceFile } from './source-text.js';
import { findOverDebt, findPatternErrors, sources } from './source-tree.js';

const CLOCK = /\bDate\.now\b|\bperformance\.now\b|\bMath\.random\b|\bnew Date\(\s*\)/g;

/** Names of limits. Of sizes in bytes only the large ones are: the small ones are parts of a layout. */
const LIMIT_NAME = /_(MAX|MIN|MS|LIMIT|KEPT|TTL)$/;
const SIZE_NAME = /_BYTES$/;
const LARGE_NUMBER = /1024|<<|\*\*|\d{4}|\d_\d{3}/;
const UNIT_NAME = /^(SECOND|MINUTE|HOUR|DAY)_MS$/;
/**
 * A constant of the module that is made of numbers alone. What is made of other constants follows from them, and what is
 * written in hexadecimal is the end of a type.
 */
const NUMBER_CONSTANT = /^(?:export )?const ([A-Z][A-Z0-9_]*)(?:: number)? = ([\d_.\s()*/+<-]+);/gm;
/** Files of offsets, and the numbers of a game. */
const LIMIT_HOMES = /(^|[/-])(limits|layout|rules)\.ts$/;

/** Lines with Atomics that no comment stands on, directly above, or above the statement that they are part of. */
function findBareAtomics(file: SourceFile): string[] {
  const lines = file.text.split('\n');
  const uncommented = file.uncommented.split('\n');
  const isCommented = (line: number) => uncommented[line - 1].trimEnd() !== lines[line - 1].trimEnd();
  const isComment = (line: number) => line > 0 && uncommented[line - 1].trim() === '' && lines[line - 1].trim() !== '';
  const bare = [...file.code.matchAll(/\bAtomics\./g)]
    .filter(({ index }) => {
      const line = lineAt(file.text, index);
      return !isCommented(line) && !isComment(line - 1) && !isComment(statementLine(file.code, index) - 1);
    })
    .map(({ index }) => `${file.path}:${lineAt(file.text, index)} Atomics`);
  return [...new Set(bare)];
}

/** The line on which the statement begins that `offset` is in. */
function statementLine(code: string, offset: number): number {
  let depth = 0;
  let start = offset;
  for (; start > 0; start--) {
    const character = code[start - 1];
    if (character === ')' || character === ']') depth++;
    if (character === '(' || character === '[') depth--;
    if (depth <= 0 && (character === ';' || character === '{' || character === '}')) break;
  }
  return lineAt(code, start + code.slice(start, offset).search(/\S|$/));
}

function findClocks(file: SourceFile): string[] {
  return file.path.startsWith('src/base/') ? [] : findPatternErrors(file, file.code, CLOCK);
}

function findStrayLimits(file: SourceFile): string[] {
  if (LIMIT_HOMES.test(file.path)) return [];
  return [...file.code.matchAll(NUMBER_CONSTANT)]
    .filter(([, name, value]) => /\d/.test(value) && isLimit(name, value))
    .map(({ index, 1: name }) => `${file.path}:${lineAt(file.code, index)} ${name}`);
}

function isLimit(name: string, value: string): boolean {
  if (UNIT_NAME.test(name)) return false;
  return LIMIT_NAME.test(name) || (SIZE_NAME.test(name) && LARGE_NUMBER.test(value));
}

test('every line with Atomics says what it publishes or acquires', () => {
  assert.deepEqual(findOverDebt(sources.flatMap(findBareAtomics), BARE_ATOMICS), []);
});

test('time and chance come from src/base', () => {
  assert.deepEqual(findOverDebt(sources.flatMap(findClocks), CLOCKS), []);
});

test('limits stand in the limits.ts of their subject', () => {
  assert.deepEqual(findOverDebt(sources.flatMap(findStrayLimits), STRAY_LIMITS), []);
});

test('the check of atomics sees a line without a comment, wherever the next comment stands', () => {
  const errorsOf = (text: string) => findBareAtomics(readSource('src/memory/a.ts', text)).length;
  const wrong = [
    'Atomics.store(words, 0, 1);',
    '// publish: all of it\nAtomics.store(words, 0, 1);\nAtomics.notify(words, 0);',
    'Atomics.store(words, 0, 1); // publish\nAtomics.notify(words, 0);',
    '/** Acquires. */\nget a(): number {\n  return Atomics.load(words, 0);\n}',
    '// acquire\n\nconst a = Atomics.load(words, 0);',
    "const a = '// acquire'; const b = Atomics.load(words, 0);",
    'if (a) {\n  b();\n}\n// acquire\nc();\nconst d =\n  e +\n  Atomics.load(words, 0);',
  ];
  for (const text of wrong) assert.equal(errorsOf(text), 1, text);
  const right = [
    'Atomics.store(words, 0, 1); // publish: the row above it',
    '// publish: the row above it\nAtomics.store(words, 0, 1);',
    'a();\n// acquire: the rows below it\nconst b =\n  c +\n  Atomics.load(words, 0);',
    '// acquire: the rows below it\nif (\n  a({ b }) ||\n  Atomics.load(words, 0) > 0\n) c();',
    '/* acquire: the rows below it */\nreturn Atomics.load(words, 0);',
    '// Atomics.load(words, 0)\nconst text = "Atomics.load";',
  ];
  for (const text of right) assert.equal(errorsOf(text), 0, text);
});

test('the check of clocks sees time and chance taken from the platform, also as a value', () => {
  const errorsOf = (text: string, path = 'src/engine/a.ts') => findClocks(readSource(path, text)).length;
  for (const text of [
    'const a = Date.now();',
    'const a = performance.now() - b;',
    'const { random = Math.random } = options;',
    'const a = new Date().toISOString();',
  ]) {
    assert.equal(errorsOf(text), 1, text);
    assert.equal(errorsOf(text, 'src/base/clock.ts'), 0, text);
  }
  for (const text of ['const a = nowMs();', 'const a = new Date(ms);', '// Date.now()', "const a = 'Math.random';"]) {
    assert.equal(errorsOf(text), 0, text);
  }
});

test('the check of limits sees numbers with the name of a limit, and not offsets or what follows from others', () => {
  const errorsOf = (text: string, path = 'src/engine/a.ts') => findStrayLimits(readSource(path, text)).length;
  const wrong = [
    'const ROWS_MAX = 8;',
    'export const RETRY_MS_MIN = 100;',
    'const WAIT_MS: number = 2 * 1000;',
    'const SHARE_MAX = 1 / 8;',
    'const CHUNK_BYTES = 64 * 1024;',
    'const CHUNK_BYTES = 65536;',
  ];
  for (const text of wrong) {
    assert.equal(errorsOf(text), 1, text);
    assert.equal(errorsOf(text, 'src/engine/limits.ts'), 0, text);
  }
  const right = [
    'const HEADER_BYTES = 16;',
    'const SEQUENCE_MAX = 0xffffffff;',
    'const WAIT_MS = 2 * RETRY_MS;',
    'const HOUR_MS = 3600000;',
    'const KIND_AT = 4;',
    'function f() {\n  const ROWS_MAX = 8;\n}',
    '// const ROWS_MAX = 8;',
  ];
  for (const text of right) assert.equal(errorsOf(text), 0, text);
  assert.equal(errorsOf('export const SCALAR_ROW_LIMIT = 1;', 'src/memory/world/world-layout.ts'), 0);
});

test('a debt may not grow, and shrinks with what is left of it', () => {
  const errors = ['src/a.ts:1 x', 'src/a.ts:2 x', 'src/b.ts:1 x'];
  assert.deepEqual(findOverDebt(errors, { 'src/a.ts': 2, 'src/b.ts': 1 }), []);
  assert.deepEqual(findOverDebt(errors, { 'src/a.ts': 2 }), ['src/b.ts:1 x (0 allowed in this file)']);
  assert.equal(findOverDebt(errors, { 'src/a.ts': 1, 'src/b.ts': 1 }).length, 2);
  assert.deepEqual(findOverDebt(errors, { 'src/a.ts': 2, 'src/b.ts': 1, 'src/gone.ts': 3 }), [
    'src/gone.ts: 0 left of 3; lower the number in debts.ts',
  ]);
});
