// Entry of a job thread: every export is a job, called by its name. What they do is in src/durability.

import { nameThread } from '../src/server/threads/thread-name.js';

export { packZoneJob } from '../src/durability/snapshots/snapshot-jobs.js';

nameThread('job');
