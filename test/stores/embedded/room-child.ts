// Writes all the time while its disk takes nothing, until there is room again, then reports. LMDB prints each write that failed.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { EmbeddedStore } from '../../../src/stores/embedded/embedded-store.js';
import type { PersistError } from '../../../src/stores/store-ports.js';

process.on('SIGXFSZ', () => {});

const folder = mkdtempSync(join(tmpdir(), 'tessera-room-'));
const store = new EmbeddedStore(folder);
const table = store.table('rows');
const kinds = new Map<string, number>();
let isEnding = false;

async function keepWriting(writer: number): Promise<void> {
  for (let i = 0; !isEnding; i++) {
    const key = Buffer.from(`${writer} ${i % 50}`);
    const kind = await store
      .write(() => table.put(key, Buffer.alloc(20000, i)))
      .then(
        () => 'written',
        (error: PersistError) => error.kind,
      );
    kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
    await sleep(1);
  }
}

function limitFiles(bytes: number | 'unlimited'): void {
  execFileSync('prlimit', ['--pid', String(process.pid), `--fsize=${bytes}:unlimited`]);
}

const writers = [0, 1, 2, 3].map(keepWriting);
await sleep(200);
limitFiles(64);
await sleep(600);
const refused = kinds.get('full') ?? 0;
limitFiles('unlimited');
await sleep(600);
kinds.delete('written');
await sleep(100);
isEnding = true;
await Promise.all(writers);
await store.close();
rmSync(folder, { recursive: true, force: true });
console.log(JSON.stringify({ refused, kinds: Object.fromEntries(kinds) }));
