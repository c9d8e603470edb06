// A process that takes the lock of the folder named on its command line, says what came of it, and goes on as told:
// "stay" holds it until the process is ended from outside, "leave" exits at once, "die" is killed between making the first
// file and writing to it. A third word is the place where it says
// that it is.

import fs, { writeSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { lockDataFolder } from '../../../src/server/cli/data-folder-lock.js';

const [folder, then, place] = process.argv.slice(2);
if (then === 'die') {
  fs.writeFileSync = (path) => {
    fs.openSync(path as string, 'wx');
    process.kill(process.pid, 'SIGKILL');
  };
  syncBuiltinESMExports();
}
const lock = lockDataFolder(folder, () => {}, place);
if (typeof lock !== 'string') void lock.lost.then((line) => writeSync(1, `${line}\n`));
writeSync(1, typeof lock === 'string' ? `${lock}\n` : 'held\n');
if (then === 'stay') setInterval(() => {}, 1000);
