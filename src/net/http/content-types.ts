// What a browser is told of a file, by the end of its name.

import { extname } from 'node:path';

export const HTML = '.html';
export const SCRIPT = '.js';
const TEXT = 'charset=utf-8';

const TYPES: Record<string, string> = {
  [HTML]: `text/html; ${TEXT}`,
  [SCRIPT]: `text/javascript; ${TEXT}`,
  '.mjs': `text/javascript; ${TEXT}`,
  '.css': `text/css; ${TEXT}`,
  '.txt': `text/plain; ${TEXT}`,
  '.md': `text/plain; ${TEXT}`,
  '.json': 'application/json',
  '.map': 'application/json',
  '.webmanifest': 'application/manifest+json',
  '.wasm': 'application/wasm',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.jpeg': 'image/jpeg',
  '.gif': 'image/gif',
  '.webp': 'image/webp',
  '.avif': 'image/avif',
  '.ico': 'image/x-icon',
  '.mp3': 'audio/mpeg',
  '.ogg': 'audio/ogg',
  '.wav': 'audio/wav',
  '.mp4': 'video/mp4',
  '.webm': 'video/webm',
  '.woff': 'font/woff',
  '.woff2': 'font/woff2',
  '.ttf': 'font/ttf',
  '.glb': 'model/gltf-binary',
  '.gltf': 'model/gltf+json',
};
/** Browsers download it, and neither run nor show it. */
const UNKNOWN = 'application/octet-stream';

/** Of a URL path, of which one that ends with a slash is a page, or of an extension with its dot. */
export function typeOf(path: string): string {
  if (path.endsWith('/')) return TYPES[HTML];
  return TYPES[(extname(path) || path).toLowerCase()] ?? UNKNOWN;
}
