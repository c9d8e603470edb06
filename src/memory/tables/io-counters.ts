// What the I/O thread has done, as float64: written by it alone, read by main when somebody asks.

import { EVENT_TYPES_MAX } from '../limits.js';

export const IO_COUNTERS = [
  'eventsRead',
  'eventsAppended',
  'eventsDropped',
  'eventsRefused',
  'appendFailures',
  'eventsWaiting',
  'eventsSpooled',
  'eventsUnspooled',
  'spoolEvents',
  'spoolBytes',
  'spoolFailures',
  'spoolRowsDamaged',
  'hotSnapshots',
  'hotFailures',
  'hotTick',
  'playerSnapshots',
  'playerFailures',
  'coldSnapshots',
  'coldFailures',
  'coldTick',
  'snapshotBytes',
  'snapshotRawBytes',
  'snapshotMs',
  'snapshotJobMs',
  'journalTicks',
  'journalTicksDropped',
  'journalTick',
  'journalBytes',
  'journalMs',
  'journalGaps',
  'journalFailures',
  'checkpoints',
  'checkpointRowsChanged',
  'checkpointRowsWritten',
  'checkpointRowsDeleted',
  'checkpointRowsDropped',
  'checkpointRowsWaiting',
  'checkpointBatches',
  'checkpointFailures',
  'checkpointMs',
  'platformDone',
  'platformFailed',
  'platformMalformed',
  'cellsLoaded',
  'cellsStored',
  'cellsSpared',
  'cellBytesStored',
  'cellFailures',
  'cellsDamaged',
  'cellsDeleted',
  'cellsWaiting',
] as const;

export type IoCounterName = (typeof IO_COUNTERS)[number];

/** The other ones only grow. */
export const IO_GAUGES: ReadonlySet<IoCounterName> = new Set([
  'eventsWaiting',
  'spoolEvents',
  'spoolBytes',
  'hotTick',
  'coldTick',
  'snapshotBytes',
  'snapshotRawBytes',
  'snapshotMs',
  'snapshotJobMs',
  'journalTick',
  'checkpointRowsWaiting',
  'checkpointMs',
  'cellsWaiting',
]);

export class IoCounters {
  readonly values: Float64Array;
  /** Events read, by type. */
  readonly eventTypes: Float64Array;
  /** Events that never reached the log, by type. */
  readonly eventTypesDropped: Float64Array;

  constructor(readonly buffer: SharedArrayBuffer) {
    this.values = new Float64Array(buffer, 0, IO_COUNTERS.length);
    this.eventTypes = new Float64Array(buffer, IO_COUNTERS.length * 8, EVENT_TYPES_MAX);
    this.eventTypesDropped = new Float64Array(buffer, (IO_COUNTERS.length + EVENT_TYPES_MAX) * 8, EVENT_TYPES_MAX);
  }

  static create(): SharedArrayBuffer {
    return new SharedArrayBuffer((IO_COUNTERS.length + 2 * EVENT_TYPES_MAX) * 8);
  }

  get(name: IoCounterName): number {
    return this.values[IO_COUNTERS.indexOf(name)];
  }

  add(name: IoCounterName, value: number): void {
    this.values[IO_COUNTERS.indexOf(name)] += value;
  }

  set(name: IoCounterName, value: number): void {
    this.values[IO_COUNTERS.indexOf(name)] = value;
  }
}
