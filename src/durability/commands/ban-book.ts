// Bans by the platform, over the end of a process: rows of the cold store. They are loaded as soon as the store answers,
// and one that it does not take now is tried again until it does.
//
//  row of table bans, by '<kind>:<who>': {kind: 'address' | 'name', who, untilMs}

import { wallMs } from '../../base/clock.js';
import { formatPlain, parsePlain } from '../../protocol/plain/plain-codec.js';
import { Backoff, pause, withDeadline } from '../../stores/deadline.js';
import type { ColdRow, ColdStore } from '../../stores/store-ports.js';
import { BANS_MAX, BANS_RETRY_MS_MAX, BANS_RETRY_MS_MIN, PLATFORM_PAGE_ROWS, PLATFORM_STORE_MS_MAX } from './limits.js';

const TABLE = 'bans';

export interface StoredBan {
  kind: 'address' | 'name';
  who: string;
  /** Of the wall clock. */
  untilMs: number;
}

export class BanBook {
  /** What the store has not taken yet, by key. */
  private readonly waiting = new Map<string, StoredBan>();
  private readonly stopping = new AbortController();
  private writing: Promise<void> | undefined;
  private isAway = false;

  constructor(
    private readonly store: Pick<ColdStore, 'getRows' | 'putRows' | 'deleteRows' | 'scanRows'>,
    private readonly say: (line: string) => void,
    private readonly backoffMsMax = BANS_RETRY_MS_MAX,
    private readonly answerMsMax = PLATFORM_STORE_MS_MAX,
  ) {}

  /** Waits for the store as long as it takes; undefined: stopped before. What has expired is forgotten there too. */
  async load(now = wallMs): Promise<StoredBan[] | undefined> {
    const backoff = new Backoff(BANS_RETRY_MS_MIN, this.backoffMsMax);
    while (!this.stopping.signal.aborted) {
      try {
        return await this.readAll(now());
      } catch (error) {
        this.sayAway(`bans are not loaded, who is banned can come in until they are: ${(error as Error).message}`);
        backoff.failed();
        await pause(backoff.pauseMs, this.stopping.signal);
      }
    }
    return undefined;
  }

  /** Whether it is stored, with the later end where it was before. False after a time: then it goes on trying by itself. */
  async keep(ban: StoredBan): Promise<boolean> {
    const key = keyOf(ban);
    this.waiting.set(key, longer(ban, this.waiting.get(key)));
    this.writing ??= this.writeWaiting().finally(() => {
      this.writing = undefined;
    });
    await Promise.race([this.writing, pause(this.answerMsMax)]);
    return !this.waiting.has(key);
  }

  /** A last attempt for what waits. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await this.writing;
    if (this.waiting.size > 0) this.say(`${this.waiting.size} bans were not stored, and end with this server`);
  }

  private async writeWaiting(): Promise<void> {
    const backoff = new Backoff(BANS_RETRY_MS_MIN, this.backoffMsMax);
    for (let isLast = false; this.waiting.size > 0 && !isLast; ) {
      isLast = this.stopping.signal.aborted;
      const bans = [...this.waiting];
      try {
        await withDeadline(this.write(bans), PLATFORM_STORE_MS_MAX, 'the bans');
        for (const [key, ban] of bans) if (this.waiting.get(key) === ban) this.waiting.delete(key);
        this.isAway = false;
        backoff.succeeded();
      } catch (error) {
        this.sayAway(`a ban is in force and not stored yet: ${(error as Error).message}`);
        backoff.failed();
        await pause(backoff.pauseMs, this.stopping.signal);
      }
    }
  }

  /** A server that began without the store knows nothing of a longer ban in it. */
  private async write(bans: readonly [string, StoredBan][]): Promise<void> {
    const keys = bans.map(([key]) => key);
    const known = await this.store.getRows(TABLE, keys);
    const rows = bans.map(([key, ban], index) => {
      const value = known[index];
      return { key, value: formatPlain('msgpack', longer(ban, value && readRow({ key, value }))) as Uint8Array };
    });
    await this.store.putRows(TABLE, rows);
  }

  private async readAll(nowMs: number): Promise<StoredBan[]> {
    const bans: StoredBan[] = [];
    for (let afterKey = ''; bans.length < BANS_MAX; ) {
      const rows = await this.store.scanRows(TABLE, '', afterKey, PLATFORM_PAGE_ROWS);
      const found = rows.map(readRow);
      const over = rows.filter((_, index) => !((found[index]?.untilMs ?? 0) > nowMs));
      if (over.length > 0) {
        await this.store.deleteRows(
          TABLE,
          over.map(({ key }) => key),
        );
      }
      bans.push(...found.filter((ban): ban is StoredBan => ban !== undefined && ban.untilMs > nowMs));
      if (rows.length < PLATFORM_PAGE_ROWS) break;
      afterKey = rows[rows.length - 1].key;
    }
    return bans.slice(0, BANS_MAX);
  }

  private sayAway(line: string): void {
    if (!this.isAway) this.say(line);
    this.isAway = true;
  }
}

function longer(ban: StoredBan, known: StoredBan | undefined): StoredBan {
  return { ...ban, untilMs: Math.max(ban.untilMs, known?.untilMs ?? 0) };
}

function keyOf({ kind, who }: StoredBan): string {
  // Keys hold no zero byte; a name may.
  return `${kind}:${who.replaceAll('\0', '\\0')}`;
}

/** Undefined: damaged, and dropped. */
function readRow({ value }: ColdRow): StoredBan | undefined {
  const { kind, who, untilMs } = parsePlain('msgpack', value) ?? {};
  if ((kind !== 'address' && kind !== 'name') || typeof who !== 'string' || typeof untilMs !== 'number') {
    return undefined;
  }
  return { kind, who, untilMs };
}
