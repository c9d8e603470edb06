// Writes schemas/golden anew, after a wanted change of the wire: npm run build && node dist/test/protocol/write-golden.js

import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { GOLDEN_FOLDER, listGoldenFiles } from './golden-messages.js';

rmSync(GOLDEN_FOLDER, { recursive: true, force: true });
mkdirSync(GOLDEN_FOLDER, { recursive: true });
for (const { path, text } of listGoldenFiles()) writeFileSync(join(GOLDEN_FOLDER, path), text);
