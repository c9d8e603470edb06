// What code may contain: hot functions allocate nothing, no notes for later, no error that vanishes.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findHotFunctions, lineAt, readSource, type SourceFile } from './source-text.js';
import { benches, findPatternErrors, sources } from './source-tree.js';

/** What allocates, or may wait, in code that runs for every entity or message. */
const HOT_RULES: readonly { what: string; pattern: RegExp; except?: string }[] = [
  { what: 'new', pattern: /\bnew\s/ },
  { what: 'a closure', pattern: /=>|\bfunction\b/ },
  { what: 'a template literal', pattern: /`/ },
  { what: 'Atomics', pattern: /\bAtomics\b/, except: 'src/memory/' },
  { what: 'an array literal', pattern: /(?:(?:^|[^\w$)\]!'"`\s])|\b(?:return|case|in|of|const|let|var))\s*\[/ },
  { what: 'an object literal', pattern: /(?:[=(,?[&|]|\breturn|(?<!\b(?:case\b[^:;{}]*|default\s*)):)\s*\{/ },
  { what: 'a copy by spread', pattern: /\.\.\./ },
  {
    what: 'a method that makes an array',
    pattern: /\.(map|filter|forEach|flatMap|reduce|concat|split|join|bind)\s*\(/,
  },
];

function findHotErrors(file: SourceFile): string[] {
  return findHotFunctions(file).flatMap(({ line, bodyOffset, body }) => {
    if (body === undefined) return [`${file.path}:${line} @hot stands before no function body`];
    return HOT_RULES.filter(({ except }) => except === undefined || !file.path.startsWith(except)).flatMap((rule) => {
      const match = rule.pattern.exec(body);
      return match === null
        ? []
        : [`${file.path}:${lineAt(file.text, bodyOffset + match.index + match[0].length)} ${rule.what}`];
    });
  });
}

test('hot functions allocate nothing and touch no shared word of another', () => {
  assert.deepEqual(sources.flatMap(findHotErrors), []);
});

test('no source carries a note to do something later', () => {
  assert.deepEqual(
    [...sources, ...benches].flatMap((file) => findPatternErrors(file, file.text, /\b(TODO|FIXME|XXX)\b/g)),
    [],
  );
});

test('no error vanishes in an empty catch', () => {
  const pattern = /\bcatch\s*(\([^)]*\)\s*)?\{\s*\}/g;
  const errors = [...sources, ...benches].flatMap((file) => findPatternErrors(file, file.text, pattern));
  assert.deepEqual(errors, []);
});

test('the hot check sees every construct that allocates', () => {
  const errorsOf = (body: string, path = 'src/engine/a.ts') =>
    findHotErrors(
      readSource(path, `/** @hot Why. */\nfunction f(a: number, b = 1): void {\n${body}\n}\nconst o = [{}];\n`),
    );
  const wrong: Record<string, string[]> = {
    new: ['const a = new Map();', 'return new Vector(1, 2);'],
    'a closure': ['list.sort((x, y) => x - y);', 'const g = function () {};'],
    'a template literal': ['log(`a`);', 'log(`${a}`);'],
    Atomics: ['Atomics.load(words, 0);'],
    'an array literal': [
      'const a = [];',
      'return [1, 2];',
      'g([a]);',
      'g(1, [a]);',
      'const [x] = pair;',
      'a = b ? [1] : c;',
    ],
    'an object literal': ['return { a };', 'g({ a });', 'const a = {};', 'const a = b ? {} : c;', 'g(1, { a });'],
    'a copy by spread': ['g(...list);'],
    'a method that makes an array': ['list.map(g);', 'list\n  .filter (g);'],
  };
  for (const [what, bodies] of Object.entries(wrong)) {
    for (const body of bodies) {
      assert.ok(
        errorsOf(body).some((error) => error.endsWith(what)),
        `${body} is ${what}: ${errorsOf(body)}`,
      );
    }
  }
  const right = [
    'const { traffic } = this.transport;',
    'words[index]! += 1;\nthis.x[row] = a[b[c]] / d;',
    "assert(a > 0, 'new [] {} => `');\n// new Map(), [], ${x}",
    'for (let i = 0; i < 3; i++) {\n  if (a) {\n    b();\n  } else {\n    c();\n  }\n}',
    'switch (a) {\n  case 1: {\n    b();\n  }\n  default: {\n    c();\n  }\n}',
    'const view = columns as Float32Array[];',
    'do {\n  a();\n} while (b);',
    'newest(a);\nthis.renew (a);',
    "const isA = /[`{]=>/.test('x');",
  ];
  for (const body of right) assert.deepEqual(errorsOf(body), [], body);
  assert.deepEqual(errorsOf('Atomics.load(words, 0);', 'src/memory/a.ts'), []);
});

test('the hot check finds the body behind types, defaults and arrows, and nothing beyond it', () => {
  const errorsOf = (text: string) => findHotErrors(readSource('src/engine/a.ts', text)).map((error) => error.slice(15));
  assert.deepEqual(errorsOf('/** @hot */\nf(a: { b: number }, c = (1)): { d: number } {\n  new A();\n}\nnew B();'), [
    ':3 new',
  ]);
  assert.deepEqual(errorsOf('/** @hot */\nconst f = (a: number): number => {\n  g();\n  new A();\n};'), [':4 new']);
  assert.deepEqual(errorsOf('/** @hot */\nconst f = (a: number) => a + g();\nnew B();'), []);
  assert.deepEqual(errorsOf('/**\n * @hot Many\n * lines.\n */\nf(): void {\n  new A();\n}'), [':6 new']);
  assert.deepEqual(errorsOf('/** @hot */\ninterface A {\n  f(): void;\n}'), [':1 @hot stands before no function body']);
  assert.deepEqual(errorsOf('/** @hot */\nf(): void;\ng(): void {}'), [':1 @hot stands before no function body']);
  assert.deepEqual(errorsOf('/** Not @hotter. */\nf(): void {\n  new A();\n}'), []);
});
