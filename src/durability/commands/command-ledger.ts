// Which commands of the platform were answered, and how, over the end of a process: rows of the cold store, by command id.
// Main remembers the same while it lives; this is for a command that comes again to its successor.
//
//  row of table platform-commands: {state: 'begun' | 'answered', atMs, outcome}

import { wallMs } from '../../base/clock.js';
import { formatPlain, parseTrusted } from '../../protocol/plain/plain-codec.js';
import { withDeadline } from '../../stores/deadline.js';
import type { ColdStore } from '../../stores/store-ports.js';
import { PLATFORM_ANSWERS_KEPT_MS, PLATFORM_PAGE_ROWS, PLATFORM_STORE_MS_MAX } from './limits.js';
import type { Outcome } from './platform-commands.js';

const TABLE = 'platform-commands';
const HOUR_MS = 3600000;
const DAY_MS = 24 * HOUR_MS;

export type Known =
  | { state: 'unknown' }
  /** Handed to a server that did not live to write down what came of it. */
  | { state: 'begun' }
  | { state: 'answered'; outcome: Outcome }
  /** The store does not answer. */
  | { state: 'away' };

interface Row {
  state: 'begun' | 'answered';
  atMs: number;
  outcome?: Outcome;
}

export class CommandLedger {
  private isAway = false;

  constructor(
    private readonly store: Pick<ColdStore, 'getRows' | 'putRows' | 'deleteRows' | 'scanRows'>,
    private readonly say: (line: string) => void,
    private readonly deadlineMs = PLATFORM_STORE_MS_MAX,
  ) {}

  async find(id: string): Promise<Known> {
    try {
      const [bytes] = await withDeadline(this.store.getRows(TABLE, [id]), this.deadlineMs, 'the ids of commands');
      this.isAway = false;
      if (bytes === undefined) return { state: 'unknown' };
      const { state, outcome } = readRow(bytes);
      return state === 'answered' && outcome !== undefined ? { state, outcome } : { state: 'begun' };
    } catch (error) {
      this.sayAway(error as Error);
      return { state: 'away' };
    }
  }

  /** False: it could not be written down, so it must not be done. */
  begin(id: string): Promise<boolean> {
    return this.put(id, { state: 'begun', atMs: wallMs() });
  }

  async answer(id: string, outcome: Outcome): Promise<void> {
    await this.put(id, { state: 'answered', atMs: wallMs(), outcome });
  }

  /** Now, and every day that this server lives; sooner where the store does not answer, which is told of when it is needed. */
  sweepDaily(now = wallMs, dayMs = DAY_MS, retryMs = HOUR_MS): void {
    const again = (ms: number): void => {
      setTimeout(() => this.sweepDaily(now, dayMs, retryMs), ms).unref();
    };
    this.sweep(now()).then(
      () => again(dayMs),
      () => again(retryMs),
    );
  }

  /** Forgets what is too old to come again. How many they were. */
  async sweep(nowMs: number): Promise<number> {
    let swept = 0;
    for (let afterKey = ''; ; ) {
      const rows = await this.store.scanRows(TABLE, '', afterKey, PLATFORM_PAGE_ROWS);
      const old = rows.filter(({ value }) => !(readRow(value).atMs > nowMs - PLATFORM_ANSWERS_KEPT_MS));
      await this.store.deleteRows(
        TABLE,
        old.map(({ key }) => key),
      );
      swept += old.length;
      if (rows.length < PLATFORM_PAGE_ROWS) return swept;
      afterKey = rows[rows.length - 1].key;
    }
  }

  private async put(id: string, row: Row): Promise<boolean> {
    try {
      const value = formatPlain('msgpack', row) as Uint8Array;
      await withDeadline(this.store.putRows(TABLE, [{ key: id, value }]), this.deadlineMs, 'the ids of commands');
      return true;
    } catch (error) {
      this.sayAway(error as Error);
      return false;
    }
  }

  private sayAway(error: Error): void {
    if (!this.isAway) {
      this.say(`the ids of the platform's commands are not kept, and no grant is given: ${error.message}`);
    }
    this.isAway = true;
  }
}

/** What cannot be read may have been done. */
function readRow(bytes: Uint8Array): Row {
  try {
    return parseTrusted('msgpack', bytes) as Row;
  } catch {
    return { state: 'begun', atMs: 0 };
  }
}
