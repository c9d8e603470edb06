// What the play page is made of: read once, at the start, and served by exact path. A request only ever looks into this
// map, so no path of a request is ever a path of a file.

import { readdirSync, readFileSync } from 'node:fs';
import { dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface StaticFile {
  type: string;
  body: Buffer;
}

const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
};

/** Folders and files of the build, under the paths by which the compiled modules import each other. */
const FOLDERS = ['src/web', 'src/client', 'src/protocol', 'src/games/arena', 'schemas/generated'];
const FILES = [
  'src/base/assert.js',
  'src/base/chance.js',
  'src/memory/limits.js',
  'src/engine/replication/limits.js',
  'src/game/definition.js',
  'src/game/reject-codes.js',
];
const VENDOR_PATH = '/vendor/flatbuffers';
const PAGE = '/src/web/play/index.html';

/** By URL path. What has not been built is absent. */
export function loadStaticFiles(): Map<string, StaticFile> {
  const build = fileURLToPath(new URL('../../../', import.meta.url));
  const files = new Map<string, StaticFile>();
  for (const folder of FOLDERS) addFolder(files, join(build, folder), `/${folder}`);
  for (const file of FILES) addFile(files, join(build, file), `/${file}`);
  // Node is given the CommonJS build beside it; browsers need the modules.
  addFolder(files, join(dirname(fileURLToPath(import.meta.resolve('flatbuffers'))), '../mjs'), VENDOR_PATH);
  const page = files.get(PAGE);
  if (page !== undefined) files.set('/', page);
  return files;
}

function addFolder(files: Map<string, StaticFile>, folder: string, path: string): void {
  for (const entry of readIfThere(() => readdirSync(folder, { withFileTypes: true })) ?? []) {
    const source = join(folder, entry.name);
    if (entry.isDirectory()) addFolder(files, source, `${path}/${entry.name}`);
    else if (entry.isFile()) addFile(files, source, `${path}/${entry.name}`);
  }
}

function addFile(files: Map<string, StaticFile>, source: string, path: string): void {
  const type = TYPES[extname(source)];
  if (type === undefined) return;
  const body = readIfThere(() => readFileSync(source));
  if (body !== null) files.set(path, { type, body });
}

function readIfThere<T>(read: () => T): T | null {
  try {
    return read();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
