// Copies to dist/ what tsc leaves behind: the files of src/web that are not TypeScript. Called by `npm run build`.

import { cpSync, existsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const folders = ['src/web'];

for (const folder of folders) {
  const source = join(root, folder);
  if (!existsSync(source)) continue;
  cpSync(source, join(root, 'dist', folder), {
    recursive: true,
    filter: (path) => statSync(path).isDirectory() || !path.endsWith('.ts'),
  });
}
