// What pages are made of: read once, at the start, and served by exact path. A request only ever looks into this map, so no
// path of a request is ever a path of a file.
//
//   /                      the built-in page, or index.html of the folder that --web names, with all that is in it
//   /client/tessera.js     the client SDK for pages of games, from wherever they come
//   /client/...            the modules that it imports
//
// Of the build folder a module is served when a page or the SDK needs it and not otherwise: references are followed from
// where they begin. A module keeps its path in the build folder, because that is how compiled modules import each other.

import { readFileSync } from 'node:fs';
import { dirname, extname, join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { assert } from '../../base/assert.js';
import { STATIC_FILES_MAX } from '../limits.js';
import { HTML, SCRIPT, typeOf } from './content-types.js';
import { CLIENT_PATH, readWebFolder } from './web-folder.js';

export interface StaticFile {
  type: string;
  body: Buffer;
  /** Pages from elsewhere may import it. */
  isShared: boolean;
}

const BUILD_FOLDER = fileURLToPath(new URL('../../../', import.meta.url));
const FRONT_PAGE = '/src/web/play/index.html';
const CLIENT_INDEX = '/src/client/index.js';
const CLIENT_MODULE = `${CLIENT_PATH}/tessera.js`;

/** Packages that browsers load, by the path that takes the place of their names. */
const VENDOR_PATH = '/vendor/flatbuffers/';
const PACKAGES: Record<string, string> = { flatbuffers: `${VENDOR_PATH}flatbuffers.js` };
const PACKAGE_IMPORT = /\b(from\s*|import\s*\(?\s*)(['"])(flatbuffers)\2/g;

const REFERENCES: Record<string, readonly RegExp[]> = {
  [HTML]: [/<(?:script|link|img)\b[^>]*?\b(?:src|href)="(\/[^"]+)"/g],
  [SCRIPT]: [/^(?:import|export)\b[^;'"=(]*?['"]([^'"]+)['"]/gm, /\bimport\(\s*['"]([^'"]+)['"]/g],
};

/** By URL path. `web` is a folder that findWebProblem has found sound, or empty. What has not been built is absent. */
export function loadStaticFiles(web = ''): Map<string, StaticFile> {
  const files = new Map<string, StaticFile>();
  for (const [path, file] of collect(CLIENT_INDEX)) files.set(CLIENT_PATH + path, { ...file, isShared: true });
  const body = Buffer.from(`export * from '.${CLIENT_INDEX}';\n`);
  files.set(CLIENT_MODULE, { type: typeOf(SCRIPT), body, isShared: true });
  if (web !== '') {
    for (const [path, body] of readWebFolder(web)) files.set(path, { type: typeOf(path), body, isShared: false });
    return files;
  }
  for (const [path, file] of collect(FRONT_PAGE)) files.set(path, file);
  const page = files.get(FRONT_PAGE);
  if (page !== undefined) files.set('/', page);
  return files;
}

/** A file of the build folder and all that it refers to, by path in that folder. */
function collect(start: string): Map<string, StaticFile> {
  const files = new Map<string, StaticFile>();
  const paths = new Set([start]);
  // A set is walked in the order of its growth: what a file refers to comes after it.
  for (const path of paths) {
    assert(paths.size <= STATIC_FILES_MAX, 'the pages are made of few files', paths.size);
    const body = readBuilt(path);
    if (body === undefined) continue;
    const text = body.toString('utf8');
    for (const reference of findReferences(path, text)) paths.add(reference);
    const served = extname(path) === SCRIPT ? Buffer.from(resolvePackages(path, text)) : body;
    files.set(path, { type: typeOf(path), body: served, isShared: false });
  }
  return files;
}

/** Paths that a page or a module refers to. */
export function findReferences(path: string, text: string): string[] {
  const patterns = REFERENCES[extname(path)] ?? [];
  const names = patterns.flatMap((pattern) => [...text.matchAll(pattern)].map(([, name]) => name));
  return names.flatMap((name) => {
    if (PACKAGES[name] !== undefined) return [PACKAGES[name]];
    // A path that climbs beyond the root stays at the root: nothing outside of the build folder can be named.
    return /^\.{0,2}\//.test(name) ? [new URL(name, `http://page${path}`).pathname] : [];
  });
}

/** Browsers know no packages: their names become relative paths, so that no page needs an import map. */
export function resolvePackages(path: string, text: string): string {
  return text.replace(PACKAGE_IMPORT, (_, before: string, quote: string, name: string) => {
    return `${before}${quote}${posix.relative(posix.dirname(path), PACKAGES[name])}${quote}`;
  });
}

function readBuilt(path: string): Buffer | undefined {
  try {
    return readFileSync(sourceOf(path));
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
