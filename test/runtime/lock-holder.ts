// A process that takes the lock of the folder named on its command line, says what came of it, and goes on as told:
// "stay" holds it until the process is ended from outside, "leave" exits at once.

import { writeSync } from 'node:fs';
import { lockDataFolder } from '../../src/runtime/startup-checks.js';

const [folder, then] = process.argv.slice(2);
const lock = lockDataFolder(folder);
writeSync(1, typeof lock === 'string' ? `${lock}\n` : 'held\n');
if (then === 'stay') setInterval(() => {}, 1000);
