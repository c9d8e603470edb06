// Holds the sources to the layout that the README describes: who may import whom, which package has which owner, what a
// hot function may do. Every complaint names a file and a line.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { findHotFunctions, findImports, lineAt, readSource, type SourceFile } from './source-text.js';

/** What a folder of src may import beside itself, base, and the limits of any subject. */
const LAYERS: Record<string, readonly string[]> = {
  base: [],
  schemas: [],
  config: [],
  memory: [],
  game: ['memory', 'schemas'],
  engine: ['memory', 'game', 'config'],
  protocol: ['memory', 'game', 'schemas'],
  net: ['memory', 'game', 'protocol', 'config'],
  stores: ['memory', 'protocol'],
  durability: ['memory', 'game', 'engine', 'protocol', 'stores', 'config'],
  games: ['engine', 'game', 'schemas'],
  client: ['game', 'protocol'],
  web: ['client', 'game', 'games', 'protocol'],
};
/** These see everything, and nothing sees them. */
const TOP_LAYERS = ['server', 'workers'];
const BROWSER_LAYERS = ['client', 'web'];
/** Of base and memory, what a browser may load. */
const BROWSER_BASE = ['src/base/assert.ts', 'src/base/chance.ts', 'src/base/clock.ts'];
/** Limits are numbers and relations between them, so every folder may read those of every other one. */
const isLimits = (path: string): boolean => path.endsWith('/limits.ts');

/** Third-party packages: the one file or folder that imports each. */
const PACKAGE_OWNERS: Record<string, string> = {
  'cli-progress': 'src/server/cli/progress.ts',
  fastify: 'src/net/http/http.ts',
  flatbuffers: 'src/protocol/',
  ioredis: 'src/stores/redis/',
  kafkajs: 'src/stores/kafka/',
  lmdb: 'src/stores/embedded/',
  mongodb: 'src/stores/mongodb/',
  msgpackr: 'src/protocol/plain/plain-codec.ts',
  pino: 'src/server/',
  piscina: 'src/durability/snapshots/job-pool.ts',
  'prom-client': 'src/net/http/metrics.ts',
  tinybench: 'bench/',
  ws: 'src/net/transports/websocket/websocket.ts',
};
const BROWSER_PACKAGES = ['flatbuffers'];

const FILE_LINES_MAX = 450;

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

const root = fileURLToPath(new URL('../../', import.meta.url));
const sources = readTree('src', 'workers');
const benches = readTree('bench');

function readTree(...folders: string[]): SourceFile[] {
  return folders.flatMap((folder) =>
    readdirSync(root + folder, { recursive: true, encoding: 'utf8' })
      .map((name) => posix.join(folder, name.replaceAll('\\', '/')))
      .filter((path) => /\.tsx?$/.test(path))
      .sort()
      .map((path) => readSource(path, readFileSync(root + path, 'utf8'))),
  );
}

function layerOf(path: string): string {
  const [top, second] = path.split('/');
  if (top !== 'src') return top;
  return second;
}

function isPackage(specifier: string): boolean {
  return !specifier.startsWith('.') && !specifier.startsWith('node:');
}

function packageName(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

function resolveSource(path: string, specifier: string): string {
  return posix.join(posix.dirname(path), specifier).replace(/\.js$/, '.ts');
}

function findDirectionErrors(files: readonly SourceFile[]): string[] {
  return files.flatMap((file) => {
    const layer = layerOf(file.path);
    if (TOP_LAYERS.includes(layer)) return [];
    return findImports(file)
      .filter(({ specifier }) => specifier.startsWith('.'))
      .map((found) => ({ ...found, target: resolveSource(file.path, found.specifier) }))
      .filter(({ target }) => !mayImport(layer, target))
      .map(({ target, line }) => `${file.path}:${line} (${layer}) imports ${target}`);
  });
}

function mayImport(layer: string, target: string): boolean {
  const targetLayer = layerOf(target);
  if (targetLayer === layer || isLimits(target)) return true;
  if (targetLayer === 'base') return !BROWSER_LAYERS.includes(layer) || BROWSER_BASE.includes(target);
  return LAYERS[layer]?.includes(targetLayer) ?? false;
}

function findOwnerErrors(files: readonly SourceFile[]): string[] {
  return files.flatMap((file) =>
    findImports(file)
      .filter(({ specifier }) => isPackage(specifier))
      .flatMap(({ specifier, line }) => {
        const owner = PACKAGE_OWNERS[packageName(specifier)];
        if (owner === undefined) return [`${file.path}:${line} imports ${specifier}, which has no owner in this test`];
        return file.path.startsWith(owner)
          ? []
          : [`${file.path}:${line} imports ${specifier}, which belongs to ${owner}`];
      }),
  );
}

/** What a browser would have to load for the client or a page, and cannot. */
function findBrowserErrors(files: readonly SourceFile[]): string[] {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const reached = new Set(files.filter(({ path }) => BROWSER_LAYERS.includes(layerOf(path))));
  const errors: string[] = [];
  for (const file of reached) {
    for (const { specifier, isTypeOnly, line } of findImports(file)) {
      if (isTypeOnly) continue;
      const isForeign = specifier.startsWith('node:') || !BROWSER_PACKAGES.includes(packageName(specifier));
      if (specifier.startsWith('.')) {
        const target = byPath.get(resolveSource(file.path, specifier));
        if (target !== undefined) reached.add(target);
      } else if (isForeign) {
        errors.push(`${file.path}:${line} imports ${specifier} and is part of the client`);
      }
    }
  }
  return errors;
}

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

function findPatternErrors(file: SourceFile, text: string, pattern: RegExp): string[] {
  return [...text.matchAll(pattern)].map((match) => `${file.path}:${lineAt(text, match.index)} ${match[0].trim()}`);
}

test('every folder of src has a place in the table of layers', () => {
  const folders = new Set(sources.map(({ path }) => layerOf(path)));
  const known = [...Object.keys(LAYERS), ...TOP_LAYERS];
  assert.deepEqual(
    [...folders].filter((folder) => !known.includes(folder)),
    [],
  );
});

test('imports go from the upper layers to the lower ones only', () => {
  assert.deepEqual(findDirectionErrors(sources), []);
});

test('every third-party package is imported by its owner only', () => {
  assert.deepEqual(findOwnerErrors([...sources, ...benches]), []);
});

test('every dependency of the package has an owner, and every owner a dependency', () => {
  const { dependencies, devDependencies } = JSON.parse(readFileSync(`${root}package.json`, 'utf8'));
  const unowned = Object.keys(dependencies).filter((name) => !(name in PACKAGE_OWNERS));
  const unknown = Object.keys(PACKAGE_OWNERS).filter((name) => !(name in { ...dependencies, ...devDependencies }));
  assert.deepEqual({ unowned, unknown }, { unowned: [], unknown: [] });
});

test('what the client reaches by its imports runs in a browser', () => {
  assert.deepEqual(findBrowserErrors(sources), []);
});

test('hot functions allocate nothing and touch no shared word of another', () => {
  assert.deepEqual(sources.flatMap(findHotErrors), []);
});

test(`no file has more than ${FILE_LINES_MAX} lines`, () => {
  const long = sources.map(({ path, text }) => `${path}: ${text.split('\n').length - 1}`);
  assert.deepEqual(
    long.filter((entry) => Number(entry.split(': ')[1]) > FILE_LINES_MAX),
    [],
  );
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

test('the direction check sees a wrong import however it is written', () => {
  const wrong = [
    "import { a } from '../net/gateway.js';",
    "import {\n  a,\n  b,\n} from '../net/gateway.js';",
    "import type { A } from '../net/gateway.js';",
    "export * from '../net/gateway.js';",
    "export { a } from '../net/gateway.js';",
    "import '../net/gateway.js';",
    "const { a } = await import('../net/gateway.js');",
    "const url = new URL('../../workers/tick-thread.js', import.meta.url);",
    "import { a } from '../../test/layout.test.js';",
  ];
  for (const text of wrong) assert.equal(findDirectionErrors([readSource('src/engine/a.ts', text)]).length, 1, text);
  const right = [
    "import { a } from '../memory/rings/record-ring.js';",
    "import { A_MAX } from '../net/limits.js';",
    "import { assert } from '../base/assert.js';",
    "import { b } from './b.js';",
    "// import { a } from '../net/gateway.js';",
    "/* import { a } from '../net/gateway.js'; */",
  ];
  for (const text of right) assert.deepEqual(findDirectionErrors([readSource('src/engine/a.ts', text)]), [], text);
});

test('the game interface is seen by the wire, and not by the stores', () => {
  const errorsOf = (path: string, text: string) => findDirectionErrors([readSource(path, text)]).length;
  assert.equal(errorsOf('src/net/a.ts', "import type { GameDefinition } from '../game/definition.js';"), 0);
  assert.equal(errorsOf('src/net/a.ts', "import type { ZoneState } from '../engine/zone/zone.js';"), 1);
  assert.equal(errorsOf('src/stores/a.ts', "import type { GameDefinition } from '../game/definition.js';"), 1);
});

test('the browser check follows imports to where a node: module hides', () => {
  const client = readSource('src/client/a.ts', "import { b } from '../protocol/b.js';");
  const hidden = readSource('src/protocol/b.ts', "import { c } from './c.js';\nimport { Builder } from 'flatbuffers';");
  const node = readSource(
    'src/protocol/c.ts',
    "import type { A } from 'node:net';\nimport { readFileSync } from 'node:fs';",
  );
  assert.deepEqual(findBrowserErrors([client, hidden, node]), [
    'src/protocol/c.ts:2 imports node:fs and is part of the client',
  ]);
  assert.deepEqual(findBrowserErrors([hidden, node]), []);
  assert.equal(findBrowserErrors([readSource('src/web/page.ts', "import WebSocket from 'ws';")]).length, 1);
});

test('the owner check sees packages with scopes and paths', () => {
  const errorsOf = (text: string) => findOwnerErrors([readSource('src/engine/a.ts', text)]).length;
  assert.equal(errorsOf("import { x } from 'ws';"), 1);
  assert.equal(errorsOf("import type { x } from 'pino';"), 1);
  assert.equal(errorsOf("import { x } from '@scope/name/part';"), 1);
  assert.equal(errorsOf("import { x } from 'node:fs';"), 0);
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
