// Loaded into the server under test before its own code (--import): notes when the messages and frames of one client pass
// main, and when ticks begin and end. The product knows nothing of it. The client is the first one that sends a command.
//
// Each thread appends to a file of its own; lines are told apart by their first word (late-trace.ts reads them).

import { appendFileSync } from 'node:fs';
import { isMainThread, threadId } from 'node:worker_threads';
import { processMs } from '../../src/base/clock.js';
import { GAME_KIND_MIN } from '../../src/protocol/limits.js';
import { type FrameHead, readFrameHead } from '../load/swarm/frame-head.js';
import { LATE_FILE_VARIABLE } from './late-trace.js';

const FLUSH_MS = 500;
const SEQ_OFFSET = 4;

const file = `${process.env[LATE_FILE_VARIABLE]}.${threadId}`;
let lines: string[] = [];
let flushedMs = processMs();

/** A tick thread never comes back to its event loop, so no timer does this. */
function note(line: string): void {
  lines.push(line);
  const now = processMs();
  if (now - flushedMs < FLUSH_MS) return;
  flushedMs = now;
  appendFileSync(file, `${lines.join('\n')}\n`);
  lines = [];
}

async function watchMain(): Promise<void> {
  const { Gateway } = await import('../../src/net/gateway/gateway.js');
  const { receive, frame } = Gateway.prototype;
  const head: FrameHead = { ack: 0, flags: 0, hasRareParts: false };
  let traced = -1;
  Gateway.prototype.receive = function (client, message) {
    if (traced === -1 || client === traced) {
      const kind = message[0] | (message[1] << 8);
      if (kind >= GAME_KIND_MIN) {
        traced = client;
        note(`in ${Buffer.from(message.buffer, message.byteOffset + SEQ_OFFSET, 4).readUInt32LE()} ${processMs()}`);
      }
    }
    receive.call(this, client, message);
  };
  Gateway.prototype.frame = function (client, generation, bytes, start, limit) {
    if (client !== traced) return frame.call(this, client, generation, bytes, start, limit);
    const takenMs = processMs();
    frame.call(this, client, generation, bytes, start, limit);
    if (readFrameHead(bytes, start, limit, head)) note(`out ${head.ack} ${takenMs} ${processMs()}`);
  };
}

/** Private to the loop, and found here by its name: a bench that finds nothing says so. */
async function watchTicks(): Promise<void> {
  const { TickLoop } = await import('../../src/server/threads/tick-loop.js');
  const loop = TickLoop.prototype as unknown as { runTick(tick: number): void };
  const { runTick } = loop;
  loop.runTick = function (tick) {
    const startMs = processMs();
    runTick.call(this, tick);
    note(`tick ${tick} ${startMs} ${processMs()}`);
  };
}

await (isMainThread ? watchMain() : watchTicks());
