// A process that takes the lock of the folder named on its command line, says what came of it, and goes on as told:
// "stay" holds it until the process is ended from outside, "leave" exits at once. A third word is the place where it says
// that it is.

import { writeSync } from 'node:fs';
import { lockDataFolder } from '../../../src/server/cli/data-folder-lock.js';

const [folder, then, place] = process.argv.slice(2);
const lock = lockDataFolder(folder, () => {}, place);
if (typeof lock !== 'string') void lock.lost.then((line) => writeSync(1, `${line}\n`));
writeSync(1, typeof lock === 'string' ? `${lock}\n` : 'held\n');
if (then === 'stay') setInterval(() => {}, 1000);
