// Around what the log refuses for good. Such a record would be refused again with every batch that holds it, and all that
// waits behind it would wait for ever: it is found by halves, left out, and the rest goes on in order.

import { type EventLog, type LogRecord, PersistError } from '../../stores/store-ports.js';

interface SiftListener<T extends LogRecord> {
  /** The next `count` records are in the log. */
  onTaken(count: number): void;
  /** The next record never will be. */
  onRefused(record: T, reason: PersistError): void;
}

/** Every record is told of once, in their order, up to where another failure ends it: that one may be tried again. */
export async function appendAround<T extends LogRecord>(
  log: EventLog,
  records: readonly T[],
  listener: SiftListener<T>,
): Promise<void> {
  try {
    await log.append(records);
  } catch (error) {
    if (!(error instanceof PersistError && error.kind === 'rejected')) throw error;
    if (records.length === 1) {
      listener.onRefused(records[0], error);
      return;
    }
    const middle = records.length >> 1;
    await appendAround(log, records.slice(0, middle), listener);
    await appendAround(log, records.slice(middle), listener);
    return;
  }
  listener.onTaken(records.length);
}
