// Entry of a tick thread: attach, loop. What it does is in src/server/threads and src/engine.

import { parentPort, workerData } from 'node:worker_threads';
import { assert } from '../src/base/assert.js';
import { processMs } from '../src/base/clock.js';
import { ZoneHost } from '../src/engine/zone/zone-host.js';
import { ByteRing } from '../src/memory/rings/byte-ring.js';
import { ThreadControl } from '../src/memory/tables/thread-control.js';
import { importGame } from '../src/server/main/load-game.js';
import { MainWaker } from '../src/server/threads/main-waker.js';
import type { FromTickThread, TakePlace, TickThreadData } from '../src/server/threads/thread-messages.js';
import { nameThread } from '../src/server/threads/thread-name.js';
import { TickLoop } from '../src/server/threads/tick-loop.js';

const { plan, thread, gameUrl } = workerData as TickThreadData;
const port = parentPort;
assert(port !== null, 'a tick thread has a parent');
const say = (message: FromTickThread): void => port.postMessage(message);
const game = await importGame(plan.settings.game, gameUrl);

function run(place: number): void {
  nameThread(`tick-${place}`);
  const control = new ThreadControl(plan.controls[place]);
  const frames = new ByteRing(plan.frames[place]);
  const waker = new MainWaker(control, frames);
  const hosts = plan.zonesOfThread[place].map(
    // Main begins to send the frames of one zone while the next one is at work.
    (zone) => new ZoneHost(plan, zone, game, frames, control.phaseMs, processMs, () => waker.afterZone()),
  );
  new TickLoop(hosts, control, waker, plan.settings.tickHz, plan.originMs, processMs, say).run();
}

if (thread === undefined) {
  nameThread('tick-spare');
  port.once('message', ({ thread: place, originMs, epoch }: TakePlace) => {
    plan.originMs = originMs;
    plan.epoch = epoch;
    run(place);
  });
  say({ kind: 'loaded' });
} else {
  run(thread);
}
