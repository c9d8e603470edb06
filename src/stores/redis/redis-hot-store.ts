// The hot store in Redis, through ioredis. What ioredis does by default with a broken connection is turned off: it would
// keep commands for later and send those without an answer again. Here a call fails while Redis is away, and the caller
// decides. Keys and values are as they are handed over, so that redis-cli shows them.

import { Redis } from 'ioredis';
import { nowMs } from '../../base/clock.js';
import { Backoff, pause, withDeadline } from '../deadline.js';
import { checkEntry } from '../embedded/embedded-hot-store.js';
import { HealthRecord } from '../health-record.js';
import { requireFence } from '../lease-rules.js';
import { REDIS_PIPELINE_BYTES_MAX, REDIS_RECONNECT_MS_MAX, REDIS_RECONNECT_MS_MIN } from '../limits.js';
import {
  type BackendHealth,
  type Fence,
  type HeldLease,
  type HotEntry,
  type HotStore,
  type LeaseClaim,
  type NoticeListener,
  PersistError,
  type PersistErrorKind,
} from '../store-ports.js';
import { CLAIM, FENCED_SET, RELEASE } from './redis-scripts.js';

export interface RedisHotStoreOptions {
  url: string;
  connectTimeoutMs?: number;
  /** One call, from hand-over to answer. */
  deadlineMs?: number;
  onNotice?: NoticeListener;
}

export function openRedisHotStore(options: RedisHotStoreOptions): HotStore {
  return new RedisHotStore(options);
}

class RedisHotStore implements HotStore {
  readonly #redis: Redis;
  readonly #deadlineMs: number;
  readonly #connectTimeoutMs: number;
  readonly #health: HealthRecord;
  readonly #reconnect = new Backoff(REDIS_RECONNECT_MS_MIN, REDIS_RECONNECT_MS_MAX);
  #closed = false;
  /** Why there is no connection, as far as ioredis has said so. */
  #problem = '';
  /** What the connection that is there was refused: without its database Redis goes on with database 0. */
  #lack = '';

  constructor(options: RedisHotStoreOptions) {
    this.#deadlineMs = options.deadlineMs ?? 5000;
    this.#connectTimeoutMs = options.connectTimeoutMs ?? 2000;
    this.#health = new HealthRecord('redis', options.onNotice);
    this.#redis = new Redis(options.url, {
      connectTimeout: this.#connectTimeoutMs,
      commandTimeout: this.#deadlineMs,
      // A connection on which an answer is overdue is dead, even when nobody closed it.
      socketTimeout: this.#deadlineMs,
      enableOfflineQueue: false,
      autoResendUnfulfilledCommands: false,
      maxRetriesPerRequest: 0,
      retryStrategy: () => {
        this.#reconnect.failed();
        return this.#reconnect.pauseMs;
      },
      // A replica that was a master: connect again, to whatever the name leads to by then.
      reconnectOnError: (error) => error.message.startsWith('READONLY'),
    });
    this.#redis.on('connect', () => {
      this.#lack = '';
    });
    this.#redis.on('ready', () => {
      this.#reconnect.succeeded();
      this.#problem = '';
    });
    // Without a listener a lost connection would end the process; calls report it.
    this.#redis.on('error', (error: Error) => {
      this.#problem = this.#describe(error);
      if (this.#redis.status === 'connect') this.#lack = this.#problem;
    });
  }

  async set(entries: readonly HotEntry[], fence?: Fence): Promise<void> {
    for (const { key, ttlMs } of entries) checkEntry(key, ttlMs);
    for (let start = 0; start < entries.length; ) {
      const limit = findPipelineLimit(entries, start);
      await this.#call('set', async () => {
        if (fence !== undefined) return this.#setFenced(entries.slice(start, limit), fence);
        const pipeline = this.#redis.pipeline();
        for (const { key, value, ttlMs } of entries.slice(start, limit)) {
          pipeline.set(key, toBuffer(value), 'PX', Math.ceil(ttlMs));
        }
        requireAll(await pipeline.exec());
      });
      start = limit;
    }
  }

  async #setFenced(entries: readonly HotEntry[], fence: Fence): Promise<void> {
    const keys = entries.map(({ key }) => key);
    const values = entries.flatMap(({ value, ttlMs }) => [toBuffer(value), Math.ceil(ttlMs)]);
    const { lease, holder, number } = fence;
    const args = [...keys, holder, String(number), ...values];
    const refusedBy = await this.#redis.eval(FENCED_SET, keys.length + 1, fenceKey(lease), ...args);
    const [otherHolder, otherNumber] = refusedBy as string[];
    if (otherHolder !== undefined) requireFence({ holder: otherHolder, fence: Number(otherNumber) }, fence);
  }

  async claimLease(name: string, { holder, about, ttlMs, over }: LeaseClaim): Promise<HeldLease> {
    const taken = [over?.holder ?? '', over?.beat ?? ''];
    const args = [holder, about, Math.ceil(ttlMs), ...taken];
    const found = await this.#call('claim a lease', () =>
      this.#redis.eval(CLAIM, 2, leaseKey(name), fenceKey(name), ...args),
    );
    const [holderNow, beat, aboutNow, fence] = found as string[];
    return { holder: holderNow, beat: Number(beat), about: aboutNow, fence: Number(fence) };
  }

  async releaseLease(name: string, holder: string): Promise<void> {
    await this.#call('release a lease', () => this.#redis.eval(RELEASE, 1, leaseKey(name), holder));
  }

  async get(keys: readonly string[]): Promise<(Uint8Array | undefined)[]> {
    if (keys.length === 0) return [];
    return this.#call('get', async () => {
      // Not MGET: it answers a key of another type as it answers one that does not exist.
      const pipeline = this.#redis.pipeline();
      for (const key of keys) pipeline.getBuffer(key);
      const results = await pipeline.exec();
      return keys.map((key, index) => readValue(key, results?.[index]));
    });
  }

  async delete(keys: readonly string[]): Promise<void> {
    // UNLINK frees the memory of large values on another thread of the server.
    if (keys.length > 0) await this.#call('delete', () => this.#redis.unlink(...keys));
  }

  health(): BackendHealth {
    return this.#health.read();
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await withDeadline(this.#redis.quit(), this.#connectTimeoutMs, 'quit').catch(() => {});
    this.#redis.disconnect();
  }

  async #call<T>(what: string, action: () => Promise<T>): Promise<T> {
    if (this.#closed) throw new PersistError('closed', 'the hot store is closed');
    const { host, port, db } = this.#redis.options;
    return this.#health.track(async () => {
      try {
        await this.#awaitConnection();
        if (this.#redis.status === 'ready' && this.#lack !== '')
          throw new PersistError('unavailable', `${what}: ${host}:${port}/${db}: ${this.#lack}`);
        return await withDeadline(action(), this.#deadlineMs + 1000, what);
      } catch (error) {
        throw toPersistError(error, what, `${host}:${port}`, this.#problem);
      }
    });
  }

  #describe(error: Error & { code?: string }): string {
    // Of an address with several answers the message is empty.
    const text = error.message || error.code || error.name;
    const { password } = this.#redis.options;
    return password ? text.replaceAll(password, '***') : text;
  }

  /** A connection that is being made gets its time; the first call after the start or a cut would fail otherwise. */
  async #awaitConnection(): Promise<void> {
    const deadline = nowMs() + this.#connectTimeoutMs;
    while (this.#redis.status !== 'ready' && !this.#closed && nowMs() < deadline) await pause(5);
  }
}

function leaseKey(name: string): string {
  return `lease:${name}`;
}

function fenceKey(name: string): string {
  return `fence:${name}`;
}

function findPipelineLimit(entries: readonly HotEntry[], start: number): number {
  let bytes = 0;
  let limit = start;
  while (
    limit < entries.length &&
    (limit === start || bytes + entries[limit].value.length <= REDIS_PIPELINE_BYTES_MAX)
  ) {
    bytes += entries[limit].value.length;
    limit++;
  }
  return limit;
}

function requireAll(results: [Error | null, unknown][] | null): void {
  if (!results) throw new PersistError('unavailable', 'the pipeline was not run');
  for (const [error] of results) if (error) throw error;
}

/** What a pipeline answered for one key. A key of another type is a damaged value: whoever reads it passes it over. */
function readValue(key: string, result: [Error | null, unknown] | undefined): Buffer | undefined {
  if (result === undefined) throw new PersistError('unavailable', 'the pipeline was not run');
  const [error, value] = result;
  if (error?.message.startsWith('WRONGTYPE')) {
    throw new PersistError('corrupt', `key ${key} is of another Redis type: ${error.message}`, error);
  }
  if (error) throw error;
  return (value as Buffer | null) ?? undefined;
}

function toBuffer(value: Uint8Array): Buffer {
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
}

/** What the client says of a connection that is not there names its own options; ours is --redis. */
const NO_CONNECTION = /enableOfflineQueue|maxRetriesPerRequest|Connection is closed/;

function toPersistError(error: unknown, what: string, address: string, problem: string): PersistError {
  if (error instanceof PersistError) return error;
  const { message, name } = error as Error;
  if (NO_CONNECTION.test(message)) {
    const reason = problem === '' ? '' : `: ${problem}`;
    return new PersistError('unavailable', `${what}: no connection to ${address}${reason}`, error);
  }
  let kind: PersistErrorKind = 'unavailable';
  if (message.includes('timed out')) kind = 'timeout';
  if (message.startsWith('OOM')) kind = 'full';
  // What Redis itself says no to, but for the states it may leave by itself.
  const passing = /^(LOADING|BUSY|READONLY|MASTERDOWN|NOAUTH|WRONGPASS|MISCONF|OOM|TRYAGAIN|CLUSTERDOWN)/.test(message);
  if (name === 'ReplyError' && !passing) kind = 'rejected';
  return new PersistError(kind, `${what}: ${message}`, error);
}
