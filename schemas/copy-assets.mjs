// Copies to dist/ what tsc leaves behind: the files of pages that are not TypeScript, and the template of new games. Makes
// the program `tessera` executable. Called by `npm run build`.

import { chmodSync, cpSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const pages = 'src/web';
const template = 'src/server/cli/author/template';
const program = 'src/server/cli/tessera.js';

cpSync(join(root, pages), join(root, 'dist', pages), {
  recursive: true,
  filter: (path) => statSync(path).isDirectory() || !path.endsWith('.ts'),
});
// Every file of the folder goes into a new game, so none may stay that is no longer in it.
rmSync(join(root, 'dist', template), { recursive: true, force: true });
cpSync(join(root, template), join(root, 'dist', template), { recursive: true });
chmodSync(join(root, 'dist', program), 0o755);
