// Who may import whom: layers, owners of packages, what a browser can load, and no circles between files.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { KNOWN_CIRCLES } from './debts.js';
import { findImports, readSource, type SourceFile } from './source-text.js';
import { benches, layerOf, resolveSource, root, sources } from './source-tree.js';

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
/** These see everything, and nothing sees them; but for testing, which runs what the server wires together. */
const TOP_LAYERS = ['server', 'workers', 'testing'];
const BROWSER_LAYERS = ['client', 'web'];
/** Of base and memory, what a browser may load. */
const BROWSER_BASE = ['src/base/area.ts', 'src/base/assert.ts', 'src/base/chance.ts', 'src/base/clock.ts'];
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

function isPackage(specifier: string): boolean {
  return !specifier.startsWith('.') && !specifier.startsWith('node:');
}

function packageName(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

function findDirectionErrors(files: readonly SourceFile[]): string[] {
  return files.flatMap((file) => {
    const layer = layerOf(file.path);
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
  if (TOP_LAYERS.includes(layer)) return targetLayer !== 'testing';
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

/** Groups of files that import each other, directly or by way of others of the group; types count too. */
function findCircles(files: readonly SourceFile[]): string[] {
  const targets = new Map(
    files.map((file) => [
      file.path,
      findImports(file)
        .filter(({ specifier }) => specifier.startsWith('.'))
        .map(({ specifier }) => resolveSource(file.path, specifier)),
    ]),
  );
  // Tarjan: a file that reaches none of those that led to it closes a group.
  const order = new Map<string, number>();
  const lowest = new Map<string, number>();
  const open: string[] = [];
  const circles: string[][] = [];
  const visit = (path: string): void => {
    order.set(path, order.size);
    lowest.set(path, order.size - 1);
    open.push(path);
    for (const target of targets.get(path)!) {
      if (!targets.has(target)) continue;
      if (!order.has(target)) visit(target);
      if (open.includes(target)) lowest.set(path, Math.min(lowest.get(path)!, lowest.get(target)!));
    }
    if (lowest.get(path) !== order.get(path)) return;
    const group = open.splice(open.indexOf(path));
    if (group.length > 1 || targets.get(path)!.includes(path)) circles.push(group.sort());
  };
  for (const path of targets.keys()) if (!order.has(path)) visit(path);
  return circles.map((group) => group.join(' ')).sort();
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

test('no files import each other in a circle', () => {
  assert.deepEqual(findCircles(sources), [...KNOWN_CIRCLES].sort(), 'a circle that is gone leaves debts.ts');
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
    "import { a } from '../../test/layout/imports.test.js';",
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

test('the circle check sees files that import each other, types included, and nothing else', () => {
  const circlesOf = (texts: Record<string, string>) =>
    findCircles(Object.entries(texts).map(([path, text]) => readSource(path, text)));
  assert.deepEqual(
    circlesOf({
      'src/a/a.ts': "import type { B } from '../b/b.js';",
      'src/b/b.ts': "import { c } from './c.js';",
      'src/b/c.ts': "const url = new URL('../a/a.js', import.meta.url);",
      'src/b/above.ts': "import { b } from './b.js';",
    }),
    ['src/a/a.ts src/b/b.ts src/b/c.ts'],
  );
  assert.deepEqual(circlesOf({ 'src/a.ts': "export * from './a.js';" }), ['src/a.ts']);
  assert.deepEqual(
    circlesOf({
      'src/top.ts': "import { l } from './left.js';\nimport { r } from './right.js';",
      'src/left.ts': "import { b } from './bottom.js';\n// import { t } from './top.js';",
      'src/right.ts': "import { b } from './bottom.js';\nimport { t } from '../test/top.js';",
      'src/bottom.ts': "import { readFileSync } from 'node:fs';",
    }),
    [],
  );
});
