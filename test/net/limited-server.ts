// A server for file-limit.test.ts, in a process that may open few files. Says its port; ends with its input.

import { startNet } from './start-net.js';

const running = await startNet({ clientsMax: 1000 });
console.log(running.port);
process.stdin.resume().on('end', () => running.stop());
