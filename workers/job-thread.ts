// Entry of a job thread: every export is a job, called by its name. What they do is in src/durability.

export { packZoneJob } from '../src/durability/snapshots/snapshot-jobs.js';
