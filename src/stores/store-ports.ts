// What lasts goes through three ports; each has an embedded and a networked implementation that pass the same tests.
// Nothing outside of this folder knows which one runs. Values are bytes: what they mean is decided elsewhere.
//
// Common to all three
// - A promise that resolves is an acknowledgement; what it means stands at each method.
// - A promise that rejects carries a PersistError. `retriable` says whether the same call may succeed later. The caller
//   still has what it handed over: nothing of a rejected call is kept here, and parts of it may have been done.
// - Every call ends within a bounded time, whatever the backend does.
// - A backend that is down when a port is opened, or goes down later, is reached again without being told.

/**
 * unavailable  no connection, or it was cut
 * timeout      no answer in time: done or not, nobody knows; it may be done yet, after calls that came later
 * full         no room, in the queue or on the disk
 * behind       an earlier append failed, so this one was not tried
 * rejected     understood and refused: the same call will be refused again
 * fenced       refused, because another holder has the lease that the write was made under
 * corrupt      what was read does not verify
 * closed       the port was closed
 */
export type PersistErrorKind =
  | 'unavailable'
  | 'timeout'
  | 'full'
  | 'behind'
  | 'rejected'
  | 'fenced'
  | 'corrupt'
  | 'closed';

export class PersistError extends Error {
  readonly kind: PersistErrorKind;

  constructor(kind: PersistErrorKind, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'PersistError';
    this.kind = kind;
  }

  get retriable(): boolean {
    return this.kind === 'unavailable' || this.kind === 'timeout' || this.kind === 'full' || this.kind === 'behind';
  }
}

export type BackendState = 'up' | 'slow' | 'down';

/** See health-record.ts. */
export interface BackendHealth {
  backend: string;
  /** 'up' before the first call. */
  state: BackendState;
  /** Of the wall clock, when that state began. */
  sinceMs: number;
  /** Calls that the backend did not answer, since the port was opened. */
  failures: number;
  /** '' before the first failure; it stays when the backend is up again. */
  lastError: string;
}

/** One line for the log of the server: something a person should know of, at most a few per failure. */
export type NoticeListener = (line: string) => void;

// --- Leases ---

/** A lease as the store has it. */
export interface HeldLease {
  /** Random, of one process; '' when the last holder has given it back. */
  holder: string;
  /** The fencing token: each new holder has a higher one. */
  fence: number;
  /** Changes with each renewal. */
  beat: number;
  /** What the holder says of itself. */
  about: string;
}

export interface LeaseClaim {
  holder: string;
  about: string;
  /** A store with a clock of its own (Redis) frees the lease when it was not renewed for this long. */
  ttlMs: number;
  /** A lease whose holder is taken for dead: it is taken over if it has not changed since it was read. */
  over?: HeldLease;
}

/** What a write carries that only the holder of a lease may do. */
export interface Fence {
  lease: string;
  holder: string;
  number: number;
}

/** Mutual exclusion of the servers that share a store. One call is one atomic step there. */
export interface LeasePort {
  /** Takes a free lease, renews the holder's own, or takes over `over`. Resolves with the lease as it is then, whoever has it. */
  claimLease(name: string, claim: LeaseClaim): Promise<HeldLease>;
  /** Frees the lease if `holder` has it. The fencing token is kept. */
  releaseLease(name: string, holder: string): Promise<void>;
}

// --- EventLog ---

export interface TopicSpec {
  name: string;
  partitions: number;
  /** Others write there too, as it suits them: what they have compressed in some other way must be readable here. */
  isForAll?: boolean;
}

export interface LogRecord {
  topic: string;
  /** Records of one key of one topic keep their order. Never empty: a record without a key has no place of its own. */
  key: string;
  value: Uint8Array;
  /** Of the wall clock, close to now: a log may count its retention from here and drop at once what claims to be old. */
  timestampMs: number;
}

export interface LogEntry {
  offset: number;
  key: string;
  value: Uint8Array;
  timestampMs: number;
}

/** Consecutive entries of one partition; offsets ascend and may have gaps. */
export interface LogBatch {
  topic: string;
  partition: number;
  entries: readonly LogEntry[];
}

/** `signal` is aborted when the subscription stops: a handler that waits should give up then. */
export type LogHandler = (batch: LogBatch, signal: AbortSignal) => Promise<void>;

export interface SubscribeOptions {
  group: string;
  topics: readonly string[];
  /** Where a group begins that has committed nothing yet. */
  from?: 'earliest' | 'latest';
  batchRecordsMax?: number;
}

export interface Subscription {
  /** Resolves when no handler runs any more and the group is free for another member. */
  stop(): Promise<void>;
}

export interface PartitionPosition {
  topic: string;
  partition: number;
  /** The oldest offset that is kept. */
  start: number;
  /** The offset the next record gets. */
  end: number;
  /** Where the group goes on; -1 when it has committed nothing. */
  committed: number;
}

export interface ReplayOptions {
  topics: readonly string[];
  /** The first offset wanted of a partition; the oldest one where nothing is said. */
  from?: (topic: string, partition: number) => number;
  /**
   * Begins, where that is later, at the first record of a partition whose timestamp is at or after this. Where timestamps do
   * not ascend, as after a wall clock that was set back, it may be a later such record or an earlier one.
   */
  sinceMs?: number;
  batchRecordsMax?: number;
  /** Aborted: no further batch is handed over, and the replay resolves. */
  signal?: AbortSignal;
}

/**
 * An append-only log of topics with partitions. A record's partition is a function of its key (partition.ts), the same
 * in every implementation.
 */
export interface EventLog {
  /**
   * Makes the topics that are missing; one that exists keeps the partitions it has. A rejected call is remembered: the
   * topics are made when the backend answers again.
   */
  createTopics(topics: readonly TopicSpec[]): Promise<void>;

  /**
   * Resolves when all records are durable: flushed to disk here, acknowledged by all in-sync replicas there. Appends are
   * written in the order of the calls, several calls together where they wait. When one rejects, all that wait behind it
   * reject too ('behind'), so that the caller can send everything again in the old order, older records first. Then
   * order per key holds for the first occurrence of each record: part of a rejected append may be in the log already,
   * so a consumer drops what it has seen, by event id.
   */
  append(records: readonly LogRecord[]): Promise<void>;

  /**
   * At least once: a batch is delivered again until the handler resolves, and after a crash from the last commit on.
   * Batches of one partition come in order and never overlap; those of different partitions may. Offsets are committed
   * after each batch. Members of one group share its partitions, each partition having one member at a time.
   * Resolves at once; a backend that is down is waited for.
   */
  subscribe(options: SubscribeOptions, handler: LogHandler): Promise<Subscription>;

  /** Reads what the topics held at the time of the call, in order per partition, without a group; then resolves. Rejects when the handler does. */
  replay(options: ReplayOptions, handler: LogHandler): Promise<void>;

  positions(group: string, topics: readonly string[]): Promise<PartitionPosition[]>;

  health(): BackendHealth;

  /** Appends that wait get `CLOSE_GRACE_MS` to be written; then they reject. Subscriptions stop. */
  close(): Promise<void>;
}

// --- HotStore ---

export interface HotEntry {
  key: string;
  value: Uint8Array;
  /** From now on; at least 1. */
  ttlMs: number;
}

/**
 * Values that expire. An acknowledged value is seen by every later read of any process; a crash of this process does not
 * lose it. Whether a crash of the machine does is up to the backend (the embedded one flushes; Redis as configured).
 */
export interface HotStore extends LeasePort {
  /** All entries or, when it rejects, any of them. With a fence, none is written ('fenced') once another holder has the lease. */
  set(entries: readonly HotEntry[], fence?: Fence): Promise<void>;
  /** In the order of the keys; undefined where there is none or its time is over. */
  get(keys: readonly string[]): Promise<(Uint8Array | undefined)[]>;
  delete(keys: readonly string[]): Promise<void>;
  health(): BackendHealth;
  close(): Promise<void>;
}

// --- ColdStore ---

export interface ColdSnapshotInput {
  bytes: Uint8Array;
  tick: number;
  takenAtMs: number;
  /** SHA-256 of the bytes in hex, when the caller has it already. */
  checksum?: string;
  /** What a reader must know before it reads the bytes: layout hash, compression, and so on. */
  meta: Readonly<Record<string, string | number>>;
}

export interface ColdHeader {
  id: string;
  /** Ascends by 1 per snapshot of the id. */
  sequence: number;
  tick: number;
  takenAtMs: number;
  byteCount: number;
  checksum: string;
  meta: Readonly<Record<string, string | number>>;
}

export interface ColdSnapshot extends ColdHeader {
  bytes: Uint8Array;
}

export interface ColdSearch {
  /** The newest wanted snapshot that verifies. */
  snapshot: ColdSnapshot | undefined;
  /** Newer ones that did not, newest first, each with the reason. */
  skipped: { sequence: number; reason: string }[];
}

export interface ColdRow {
  key: string;
  value: Uint8Array;
}

/** Snapshots with a history, and tables of plain rows (checkpoints, cells). Both are durable when acknowledged. */
export interface ColdStore extends LeasePort {
  /** Adds to the history of `id`. All or nothing: a reader never finds half a snapshot. `fence` as in HotStore.set. */
  save(id: string, snapshot: ColdSnapshotInput, fence?: Fence): Promise<ColdHeader>;
  /** Those that are not wanted, by their headers, are passed over without a word. */
  latest(id: string, isWanted?: (header: ColdHeader) => boolean): Promise<ColdSearch>;
  /** Drops all but the newest `keep` of the id; resolves with how many went. */
  prune(id: string, keep: number, fence?: Fence): Promise<number>;

  /** Inserts or replaces, in as few round trips as the backend allows. Rejected, any of the rows may have been written. */
  putRows(table: string, rows: readonly ColdRow[]): Promise<void>;
  getRows(table: string, keys: readonly string[]): Promise<(Uint8Array | undefined)[]>;
  deleteRows(table: string, keys: readonly string[]): Promise<void>;
  /** Rows whose key begins with `prefix`, ascending by key, after `afterKey` ('' for the first page). */
  scanRows(table: string, prefix: string, afterKey: string, limit: number): Promise<ColdRow[]>;
  /** The same without the values, which are not read: they may be large. */
  scanKeys(table: string, prefix: string, afterKey: string, limit: number): Promise<string[]>;

  health(): BackendHealth;
  close(): Promise<void>;
}
