// What begins from a snapshot does not run the ticks before it again, and so does not bring forth their events again. A
// snapshot that is newer than events which are in memory alone would let a kill lose them: it waits for them here.

import type { IoCounters } from '../../memory/tables/io-counters.js';
import { pause } from '../../stores/deadline.js';
import type { EventPump } from './event-pump.js';
import { EVENTS_KEPT_MS_MAX, IO_BEAT_MS } from './limits.js';

/**
 * Resolves when all events of ticks that are committed by now are in the log, on the disk, or given up; also when the pump
 * comes to its end, the disk takes none, or it takes too long, for old snapshots are worse than lost events.
 */
export async function waitUntilKept(
  pump: Pick<EventPump, 'run' | 'isFlushing'>,
  counters: IoCounters,
  now: () => number,
  wait: (ms: number) => Promise<void> = pause,
): Promise<void> {
  // A tick publishes its events right behind its commit.
  if (!pump.isFlushing) await wait(IO_BEAT_MS);
  if (pump.isFlushing) return;
  pump.run(now());
  const untilMs = now() + EVENTS_KEPT_MS_MAX;
  const readCount = counters.get('eventsRead');
  const failures = counters.get('spoolFailures');
  while (counters.get('eventsRead') - counters.get('eventsWaiting') < readCount) {
    await wait(IO_BEAT_MS);
    if (pump.isFlushing || now() >= untilMs || counters.get('spoolFailures') > failures) return;
    pump.run(now());
  }
}
