// The end of the I/O thread: what waits is handed over, the world's last tick is stored, and no silent backend keeps the
// rest from its end. The tick threads stand still by now.

import { setTimeout as sleep } from 'node:timers/promises';
import { nowMs, wallMs } from '../../base/clock.js';
import { withDeadline } from '../../stores/deadline.js';
import type { Subscription } from '../../stores/store-ports.js';
import {
  STOP_CHECKPOINT_MS_MAX,
  STOP_CLOSE_MS_MAX,
  STOP_FLUSH_MS_MAX,
  STOP_LEAVE_MS_MAX,
  STOP_RELEASE_MS_MAX,
  STOP_SNAPSHOT_MS_MAX,
} from '../limits.js';
import type { IoParts } from './io-parts.js';

/** Resolves with what could not be kept, a line each: none of it is found by the next start. */
export async function stopIo(
  parts: IoParts,
  subscribed: Promise<Subscription>,
  say: (line: string) => void,
): Promise<string[]> {
  const { bans, pump, journal, snapshotter, playerSnapshotter, checkpointer, leases, stores, spool, jobs, lastStored } =
    parts;
  /** A backend that has fallen silent must not keep the rest from its end. */
  const within = (limitMs: number, work: Promise<void>, complaint: string): Promise<void> =>
    withDeadline(work, limitMs, complaint).catch((error: Error) => say(error.message));
  const [eventsLost] = await Promise.all([
    pump.flush(nowMs() + STOP_FLUSH_MS_MAX, nowMs),
    leaveGroup(subscribed, say).then(() => bans.stop()),
    journal?.close(nowMs()),
    within(STOP_SNAPSHOT_MS_MAX, snapshotter.takeLast(wallMs()), 'the last snapshot is not acknowledged'),
    within(STOP_SNAPSHOT_MS_MAX, playerSnapshotter.takeLast(wallMs), 'the last of players is not acknowledged'),
    checkpointer?.stop(STOP_CHECKPOINT_MS_MAX),
  ]);
  const released = Promise.allSettled([leases.hot?.release(), leases.cold?.release()]);
  await Promise.race([released, sleep(STOP_RELEASE_MS_MAX, undefined, { ref: false })]);
  await Promise.all([
    within(STOP_CLOSE_MS_MAX, stores.close(), 'the stores do not close'),
    spool?.close(),
    jobs.close(),
    lastStored.settled(),
  ]);
  if (eventsLost === 0) return [];
  return [`${eventsLost} events could neither reach the event log nor the disk, and are lost`];
}

/** Commits what was answered; what was not comes again after the next start. */
async function leaveGroup(subscribed: Promise<Subscription>, say: (line: string) => void): Promise<void> {
  const stopped = subscribed.then((subscription) => subscription.stop());
  await Promise.race([stopped, sleep(STOP_LEAVE_MS_MAX, undefined, { ref: false })]).catch((error: Error) =>
    say(`the platform's commands: ${error.message}`),
  );
}
