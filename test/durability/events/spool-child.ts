// The process that is killed while events go to the spool: prints the first and the last event of each batch that the
// spool has acknowledged. The log is away all the time. Usage: node spool-child.js FOLDER FIRST

import { writeSync } from 'node:fs';
import { unpack } from 'msgpackr';
import { PumpStage } from './pump-stage.js';

const [folder, first] = process.argv.slice(2);
const stage = new PumpStage(folder, undefined, { waitingMax: 50, perAppendMax: 40 });
stage.state = 'down';
const write = stage.spool.write;
stage.spool.write = async (events, where) => {
  const rows = await write(events, where);
  const [from, to] = [events[0], events[events.length - 1]].map(
    ({ value }) => (unpack(value) as { tick: number }).tick,
  );
  // Synchronous, so that a line is out before anything else can happen to this process.
  writeSync(1, `spooled ${from} ${to}\n`);
  return rows;
};
for (let n = Number(first); ; n++) {
  stage.emit(n);
  if (n % 30 === 0) await stage.beat();
}
