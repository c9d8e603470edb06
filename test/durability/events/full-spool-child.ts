// Spools until the disk is full and on, then lets the log come back, and reports. Run under a limit on file sizes.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PumpStage } from './pump-stage.js';

// A write beyond the limit raises a signal, which would end the process, before it fails.
process.on('SIGXFSZ', () => {});

const folder = mkdtempSync(join(tmpdir(), 'tessera-full-spool-'));
const stage = new PumpStage(folder, undefined);
stage.state = 'down';
let emitted = 0;
while (stage.counters.get('eventsDropped') < 1000) {
  for (let i = 0; i < 100; i++) stage.emit(emitted++);
  await stage.beat();
}
const moved = stage.counters.eventTypesDropped[2];
const spooled = stage.counters.get('eventsSpooled');
stage.state = 'up';
await stage.drain();
await stage.stop();
rmSync(folder, { recursive: true, force: true });
const [appended, dropped, failures] = (['eventsAppended', 'eventsDropped', 'spoolFailures'] as const).map((name) =>
  stage.counters.get(name),
);
console.log(JSON.stringify({ emitted, spooled, appended, dropped, moved, failures, lines: stage.lines }));
