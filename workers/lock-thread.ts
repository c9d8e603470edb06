// Entry of the thread that renews the lock of the data folder, see src/server/cli/data-folder-lock.ts.

import { closeSync, futimesSync, openSync, readFileSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { wallMs } from '../src/base/clock.js';
import type { LockThreadData } from '../src/durability/lease/lock-thread-data.js';
import { nameThread } from '../src/server/threads/thread-name.js';

const { path, text, renewMs } = workerData as LockThreadData;

function renew(): void {
  let file: number;
  try {
    file = openSync(path, 'r+');
  } catch {
    return; // on its way from one name to another, or given back
  }
  try {
    const found = readFileSync(file, 'utf8');
    if (found === text) futimesSync(file, wallMs() / 1000, wallMs() / 1000);
    else if (found !== '') parentPort?.postMessage(found);
  } catch {
    // The disk may be full or away for a moment; whoever wants the folder has some patience.
  } finally {
    closeSync(file);
  }
}

nameThread('lock');
setInterval(renew, renewMs);
