// Where the services of the tests keep what they have: tools and jars in a cache folder, and one state file that says
// what runs. running.ts reads the same file from the compiled tests.

import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const SOURCE_FOLDER = dirname(fileURLToPath(import.meta.url));

export const CACHE_FOLDER = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'tessera-services');

export const STATE_FILE = process.env.TESSERA_SERVICES_STATE || join(CACHE_FOLDER, 'state.json');
