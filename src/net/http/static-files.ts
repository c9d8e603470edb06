// What the pages are made of: read once, at the start, and served by exact path. A request only ever looks into this map,
// so no path of a request is ever a path of a file.
//
// Found by following references from each page: what it links to, what those modules import, and so on. So a module is
// served when a page needs it and not otherwise. A path of the map is the file's path in the build folder, because that is
// how compiled modules import each other.

import { readFileSync } from 'node:fs';
import { dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { assert } from '../../base/assert.js';
import { STATIC_FILES_MAX } from '../limits.js';

export interface StaticFile {
  type: string;
  body: Buffer;
}

const HTML = '.html';
const SCRIPT = '.js';
const TYPES: Record<string, string> = {
  [HTML]: 'text/html; charset=utf-8',
  [SCRIPT]: 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
};

const BUILD_FOLDER = fileURLToPath(new URL('../../../', import.meta.url));
const FRONT_PAGE = '/src/web/play/index.html';

/** A package that pages may import, as their import maps spell it. */
const VENDOR_PATH = '/vendor/flatbuffers/';
const PACKAGES: Record<string, string> = { flatbuffers: `${VENDOR_PATH}flatbuffers.js` };

const REFERENCES: Record<string, readonly RegExp[]> = {
  [HTML]: [/<(?:script|link|img)\b[^>]*?\b(?:src|href)="(\/[^"]+)"/g],
  [SCRIPT]: [/^(?:import|export)\b[^;'"=(]*?['"]([^'"]+)['"]/gm, /\bimport\(\s*['"]([^'"]+)['"]/g],
};

/** By URL path. What has not been built is absent. */
export function loadStaticFiles(): Map<string, StaticFile> {
  const files = new Map<string, StaticFile>();
  const paths = new Set([FRONT_PAGE]);
  // A set is walked in the order of its growth: what a file refers to comes after it.
  for (const path of paths) {
    assert(paths.size <= STATIC_FILES_MAX, 'the pages are made of few files', paths.size);
    const file = readStaticFile(path);
    if (file === undefined) continue;
    files.set(path, file);
    for (const reference of findReferences(path, file.body.toString('utf8'))) paths.add(reference);
  }
  const page = files.get(FRONT_PAGE);
  if (page !== undefined) files.set('/', page);
  return files;
}

/** URL paths that a page or a module refers to. */
export function findReferences(path: string, text: string): string[] {
  const patterns = REFERENCES[extname(path)] ?? [];
  const names = patterns.flatMap((pattern) => [...text.matchAll(pattern)].map(([, name]) => name));
  return names.flatMap((name) => {
    if (PACKAGES[name] !== undefined) return [PACKAGES[name]];
    // A path that climbs beyond the root stays at the root: nothing outside of the build folder can be named.
    return /^\.{0,2}\//.test(name) ? [new URL(name, `http://page${path}`).pathname] : [];
  });
}

function readStaticFile(path: string): StaticFile | undefined {
  const type = TYPES[extname(path)];
  if (type === undefined) return undefined;
  try {
    return { type, body: readFileSync(sourceOf(path)) };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function sourceOf(path: string): string {
  if (!path.startsWith(VENDOR_PATH)) return join(BUILD_FOLDER, path);
  // Node is given the CommonJS build beside it; browsers need the modules.
  const modules = join(dirname(fileURLToPath(import.meta.resolve('flatbuffers'))), '../mjs');
  return join(modules, path.slice(VENDOR_PATH.length));
}
