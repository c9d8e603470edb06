// Entry of a tick thread: attach, loop. What it does is in src/runtime.

import { parentPort, workerData } from 'node:worker_threads';
import { assert } from '../src/base/assert.js';
import { ZoneHost } from '../src/engine/zone/zone-host.js';
import { ByteRing } from '../src/memory/rings/byte-ring.js';
import { ThreadControl } from '../src/memory/tables/thread-control.js';
import { importGame } from '../src/server/main/load-game.js';
import type { FromTickThread, TakePlace, TickThreadData } from '../src/server/threads/thread-messages.js';
import { TickLoop } from '../src/server/threads/tick-loop.js';

const { plan, thread, gameUrl } = workerData as TickThreadData;
const port = parentPort;
assert(port !== null, 'a tick thread has a parent');
const say = (message: FromTickThread): void => port.postMessage(message);
const nowSinceEpoch = (): number => performance.timeOrigin + performance.now();
const game = await importGame(plan.settings.game, gameUrl);

function run(place: number): void {
  const control = new ThreadControl(plan.controls[place]);
  const frames = new ByteRing(plan.frames[place]);
  const hosts = plan.zonesOfThread[place].map(
    // Main begins to send the frames of one zone while the next one is at work.
    (zone) => new ZoneHost(plan, zone, game, frames, control.phaseMs, nowSinceEpoch, () => control.wakeMain()),
  );
  new TickLoop(hosts, control, plan.settings.tickHz, plan.originMs, nowSinceEpoch, say).run();
}

if (thread === undefined) {
  port.once('message', ({ thread: place, originMs, epoch }: TakePlace) => {
    plan.originMs = originMs;
    plan.epoch = epoch;
    run(place);
  });
  say({ kind: 'loaded' });
} else {
  run(thread);
}
