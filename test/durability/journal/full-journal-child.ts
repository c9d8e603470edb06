// Writes a journal until the disk is full, makes room, and goes on; then reports. Run under a limit on file sizes, so that
// it is the one file that has no room.

import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { JournalStage } from './journal-stage.js';

// A write beyond the limit raises a signal, which would end the process, before it fails.
process.on('SIGXFSZ', () => {});

const folder = mkdtempSync(join(tmpdir(), 'tessera-full-journal-'));
const stage = new JournalStage(folder, 1);
await stage.writer.begin(stage.nowMs);
const failed = (): number => stage.counters.get('journalFailures');
for (let i = 0; failed() === 0 && i < 10000; i++) {
  stage.tick(0, { payload: 1000 });
  await stage.run();
}
const kept = stage.recover()[0].tick;
// Nor is there room for the state that a new segment begins with.
const inner = stage.writer as unknown as { copy: () => { state: Buffer; serial: number } };
inner.copy = () => ({ state: Buffer.alloc(64 * 1024), serial: 0 });
for (let i = 0; i < 20; i++) {
  stage.tick(0, { payload: 100 });
  await stage.run(2000);
}
Reflect.deleteProperty(inner, 'copy');
for (let i = 0; i < 10; i++) {
  stage.tick(0);
  await stage.run(2000);
}
const result = {
  failures: failed(),
  lines: stage.lines,
  segments: readdirSync(join(folder, '7')).filter((name) => name.endsWith('.journal')).length,
  kept,
  recovered: stage.recover(),
};
await stage.writer.close(stage.nowMs);
rmSync(folder, { recursive: true, force: true });
console.log(JSON.stringify(result));
