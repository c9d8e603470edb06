// Entry of the I/O thread. What it does is in src/server/threads/io-loop.ts.

import { parentPort, workerData } from 'node:worker_threads';
import { assert } from '../src/base/assert.js';
import { runIoThread } from '../src/server/threads/io-loop.js';
import type { IoThreadData } from '../src/server/threads/thread-messages.js';
import { nameThread } from '../src/server/threads/thread-name.js';

assert(parentPort !== null, 'the I/O thread has a parent');
nameThread('io');
await runIoThread(workerData as IoThreadData, parentPort, new URL('./job-thread.js', import.meta.url));
