// What the I/O thread has done, as float64: written by it alone, read by main when somebody asks. A reader may see one
// value a moment before another; each is whole, since a float64 of an aligned array is written at once.
//
//  0
//  | counters f64 | read by type f64 x 256 | lost by type f64 x 256 | lost by reason f64 | hot, cold f64 x 64 each |
//    IO_COUNTERS                                                      EVENT_LOSS_REASONS   by zone: when the newest
//                                                                                          snapshot was taken, 0: none

import { ZONES_MAX } from '../../engine/limits.js';
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
  /** Since when it is not empty, of processMs(); 0: it is. */
  'spoolSinceMs',
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
  /** When ticks were last written, of processMs(). */
  'journalWrittenMs',
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

/** These hold a last state; all others only grow. */
export const IO_GAUGES: ReadonlySet<IoCounterName> = new Set([
  'eventsWaiting',
  'spoolEvents',
  'spoolBytes',
  'spoolSinceMs',
  'hotTick',
  'coldTick',
  'snapshotBytes',
  'snapshotRawBytes',
  'snapshotMs',
  'snapshotJobMs',
  'journalTick',
  'journalWrittenMs',
  'checkpointRowsWaiting',
  'checkpointMs',
  'cellsWaiting',
]);

/**
 * refused       the log will never take it
 * memory_full   neither log nor disk took it, and memory has a bound
 * spool_full    the spool has a bound
 * unreadable    its row of the spool was damaged
 * thread_ended  it was in memory when an I/O thread failed; the log may have it all the same
 * stop          neither log nor disk took it before the server ended
 */
export const EVENT_LOSS_REASONS = [
  'refused',
  'memory_full',
  'spool_full',
  'unreadable',
  'thread_ended',
  'stop',
] as const;
export type EventLossReason = (typeof EVENT_LOSS_REASONS)[number];

const TYPES_AT = IO_COUNTERS.length;
const TYPES_DROPPED_AT = TYPES_AT + EVENT_TYPES_MAX;
const LOSSES_AT = TYPES_DROPPED_AT + EVENT_TYPES_MAX;
const HOT_AT = LOSSES_AT + EVENT_LOSS_REASONS.length;
const COLD_AT = HOT_AT + ZONES_MAX;
const VALUE_COUNT = COLD_AT + ZONES_MAX;

export class IoCounters {
  readonly values: Float64Array;
  /** Events read, by type. */
  readonly eventTypes: Float64Array;
  /** Events that never reached the log, by type. */
  readonly eventTypesDropped: Float64Array;
  /** The same, by reason. */
  readonly eventLosses: Float64Array;
  /** By zone, of processMs(): when the newest snapshot that the store has acknowledged was taken; 0: none was. */
  readonly hotTakenMs: Float64Array;
  readonly coldTakenMs: Float64Array;

  constructor(readonly buffer: SharedArrayBuffer) {
    this.values = new Float64Array(buffer, 0, IO_COUNTERS.length);
    this.eventTypes = new Float64Array(buffer, TYPES_AT * 8, EVENT_TYPES_MAX);
    this.eventTypesDropped = new Float64Array(buffer, TYPES_DROPPED_AT * 8, EVENT_TYPES_MAX);
    this.eventLosses = new Float64Array(buffer, LOSSES_AT * 8, EVENT_LOSS_REASONS.length);
    this.hotTakenMs = new Float64Array(buffer, HOT_AT * 8, ZONES_MAX);
    this.coldTakenMs = new Float64Array(buffer, COLD_AT * 8, ZONES_MAX);
  }

  static create(): SharedArrayBuffer {
    return new SharedArrayBuffer(VALUE_COUNT * 8);
  }

  addLoss(reason: EventLossReason, count: number): void {
    this.eventLosses[EVENT_LOSS_REASONS.indexOf(reason)] += count;
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
