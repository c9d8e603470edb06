// What only the embedded event log has: damage on the disk, retention, leases, a disk that is full.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Worker } from 'node:worker_threads';
import { openEmbeddedEventLog } from '../../../src/stores/embedded/embedded-event-log.js';
import { EmbeddedStore } from '../../../src/stores/embedded/embedded-store.js';
import {
  decodeChunk,
  encodeChunk,
  readChunkCount,
  verifyChunk,
  writeChunkKey,
} from '../../../src/stores/embedded/log-chunk.js';
import { type EventLog, type LogRecord, PersistError } from '../../../src/stores/store-ports.js';
import { openFolder, until } from '../../folder.js';

/** What a consumer waits between two looks. */
const IDLE_MS = 50;
const FULL_DISK_CHILD = fileURLToPath(new URL('./full-disk-child.js', import.meta.url));

function numbered(n: number, bytes = 10): LogRecord {
  const value = Buffer.alloc(bytes);
  value.writeUInt32LE(n);
  return { topic: 't', key: 'k', value, timestampMs: n };
}

async function readNumbers(log: EventLog, from = 0): Promise<number[]> {
  const numbers: number[] = [];
  await log.replay({ topics: ['t'], from: () => from }, async ({ entries }) => {
    numbers.push(...entries.map(({ value }) => Buffer.from(value).readUInt32LE(0)));
  });
  return numbers;
}

async function openLog(t: TestContext, options: { retentionBytes?: number; retentionMs?: number } = {}) {
  const folder = openFolder(t);
  const notices: string[] = [];
  const open = () =>
    openEmbeddedEventLog({ folder, leaseMs: 300, retentionEveryMs: 20, onNotice: (n) => notices.push(n), ...options });
  const log = open();
  t.after(() => log.close());
  await log.createTopics([{ name: 't', partitions: 1 }]);
  return { folder, log, notices, open };
}

test('a chunk gives back what was put in, and any flipped bit shows', () => {
  const records = [
    numbered(1),
    { topic: 't', key: 'schlüssel', value: new Uint8Array(0), timestampMs: 1.5e12 },
    numbered(3),
  ];
  const chunk = encodeChunk(records, 77);
  assert.equal(readChunkCount(chunk), 3);
  const entries = decodeChunk(chunk, 100, 101);
  assert.deepEqual(
    entries.map(({ offset, key }) => [offset, key]),
    [
      [101, 'schlüssel'],
      [102, 'k'],
    ],
  );
  assert.equal(entries[0].value.length, 0);
  assert.equal(entries[0].timestampMs, 1.5e12);
  assert.ok(verifyChunk(chunk));
  for (let bit = 0; bit < chunk.length * 8; bit++) {
    chunk[bit >> 3] ^= 1 << (bit & 7);
    assert.ok(!verifyChunk(chunk), `bit ${bit}`);
    chunk[bit >> 3] ^= 1 << (bit & 7);
  }
  assert.ok(!verifyChunk(chunk.subarray(0, 7)));
});

test('keys of chunks sort by topic, partition and offset, beyond 2^32 too', () => {
  const keys = [
    writeChunkKey(0, 0, 0),
    writeChunkKey(0, 0, 255),
    writeChunkKey(0, 0, 256),
    writeChunkKey(0, 0, 2 ** 32 - 1),
    writeChunkKey(0, 0, 2 ** 32),
    writeChunkKey(0, 0, 2 ** 40 + 5),
    writeChunkKey(0, 1, 0),
    writeChunkKey(1, 0, 0),
  ];
  assert.deepEqual([...keys].sort(Buffer.compare), keys);
});

test('a damaged chunk is skipped with a notice, and all others are delivered', async (t) => {
  const { folder, log, notices, open } = await openLog(t);
  for (let n = 0; n < 5; n++) await log.append([numbered(n * 2), numbered(n * 2 + 1)]);
  await log.close();
  const store = new EmbeddedStore(folder);
  const key = writeChunkKey(0, 0, 4);
  const chunk = Buffer.from(store.table('chunks').get(key)!);
  chunk[chunk.length - 1] ^= 1;
  await store.write(() => store.table('chunks').put(key, chunk));
  await store.close();
  const reopened = open();
  t.after(() => reopened.close());
  assert.deepEqual(await readNumbers(reopened), [0, 1, 2, 3, 6, 7, 8, 9]);
  assert.deepEqual(await readNumbers(reopened, 5), [6, 7, 8, 9]);
  assert.match(notices[0], /offsets 4 to 5 of t\/0 do not verify/);
});

test('a replay that is ended looks at nothing more, and the log may be closed beside it', async (t) => {
  const { log } = await openLog(t);
  await log.createTopics([{ name: 'other', partitions: 2 }]);
  await log.append([numbered(1)]);
  const stop = new AbortController();
  let batches = 0;
  const handler = async (): Promise<void> => {
    batches++;
    stop.abort();
    await log.close();
  };
  await log.replay({ topics: ['t', 'other'], sinceMs: 0, signal: stop.signal }, handler);
  assert.equal(batches, 1);
});

test('retention by size drops the oldest, and a reader goes on with what is left', async (t) => {
  const { log } = await openLog(t, { retentionBytes: 50000 });
  for (let n = 0; n < 200; n++) await log.append([numbered(n, 1000)]);
  await until('the oldest to go', async () => (await log.positions('g', ['t']))[0].start > 140);
  const [{ start, end }] = await log.positions('g', ['t']);
  assert.equal(end, 200);
  assert.ok(start < 200);
  assert.deepEqual(
    await readNumbers(log),
    Array.from({ length: end - start }, (_, n) => start + n),
  );
});

test('retention by age keeps the newest chunk, so that offsets never begin anew', async (t) => {
  const { log, open } = await openLog(t, { retentionMs: 0 });
  for (let n = 0; n < 10; n++) await log.append([numbered(n)]);
  await until('the old ones to go', async () => (await log.positions('g', ['t']))[0].start === 9);
  await log.close();
  const reopened = open();
  t.after(() => reopened.close());
  await reopened.append([numbered(10)]);
  assert.equal((await reopened.positions('g', ['t']))[0].end, 11);
});

test('a group that was away for longer than the retention is told what it missed', async (t) => {
  const { log, notices } = await openLog(t, { retentionBytes: 20000 });
  await log.append([numbered(0, 1000)]);
  const subscription = await log.subscribe({ group: 'g', topics: ['t'] }, async () => {});
  await until('the first commit', async () => (await log.positions('g', ['t']))[0].committed === 1);
  await subscription.stop();
  for (let n = 1; n < 100; n++) await log.append([numbered(n, 1000)]);
  await until('retention', async () => (await log.positions('g', ['t']))[0].start > 60);
  await log.subscribe({ group: 'g', topics: ['t'] }, async () => {});
  await until('the group', async () => (await log.positions('g', ['t']))[0].committed === 100);
  assert.ok(
    notices.some((line) => /retention dropped offsets 1 to \d+ of t\/0/.test(line)),
    notices.join('; '),
  );
});

test('a member whose handler hangs keeps its topic, and nobody else gets it', async (t) => {
  const { log, open } = await openLog(t);
  const other = open();
  t.after(() => other.close());
  await log.append([numbered(1)]);
  let release = () => {};
  await log.subscribe({ group: 'g', topics: ['t'] }, () => new Promise((resolve) => (release = resolve)));
  await until('the handler', async () => release.name !== 'release');
  let stolen = 0;
  const standby = await other.subscribe({ group: 'g', topics: ['t'] }, async () => {
    stolen++;
  });
  // Three leases long.
  await new Promise((resolve) => setTimeout(resolve, 900));
  assert.equal(stolen, 0);
  release();
  await until('the commit', async () => (await log.positions('g', ['t']))[0].committed === 1);
  await standby.stop();
  assert.equal(stolen, 0);
});

/** A thread of its own that opens the log and then runs `body`, with `log` and `tell` at hand. */
function startThread(folder: string, body: string): Worker {
  const source = `
    import { parentPort, workerData } from 'node:worker_threads';
    const { openEmbeddedEventLog } = await import(workerData.module);
    const log = openEmbeddedEventLog({ folder: workerData.folder });
    const tell = (message) => parentPort.postMessage(message);
    ${body}
  `;
  const module = new URL('../../../src/stores/embedded/embedded-event-log.js', import.meta.url).href;
  return new Worker(new URL(`data:text/javascript,${encodeURIComponent(source)}`), { workerData: { module, folder } });
}

test('two threads append to one log, and every offset is given once', async (t) => {
  const { folder, log } = await openLog(t);
  const worker = startThread(
    folder,
    `for (let n = 0; n < 200; n++) {
      await log.append([{ topic: 't', key: 'k', value: Buffer.from([1, 0, 0, 0]), timestampMs: n }]);
    }
    await log.close();`,
  );
  const ended = new Promise((resolve, reject) => worker.once('exit', resolve).once('error', reject));
  for (let n = 0; n < 200; n++) await log.append([numbered(2)]);
  assert.equal(await ended, 0);
  const numbers = await readNumbers(log);
  assert.equal(numbers.length, 400);
  assert.equal(numbers.filter((n) => n === 1).length, 200);
});

/** `terminate()` would end the process now and then: LMDB's binding cannot throw in a thread that may run no more code. */
test('a thread that fails while it writes leaves a log that is whole and open to others', async (t) => {
  const { folder, log } = await openLog(t);
  let acknowledged = 0;
  for (let round = 0; round < 8; round++) {
    const worker = startThread(
      folder,
      `for (let n = 0; ; n++) {
        const value = Buffer.alloc(100);
        await log.append(Array.from({ length: 50 }, () => ({ topic: 't', key: 'k', value, timestampMs: n })));
        tell(50);
        if (n === 0) setTimeout(() => { throw new Error('of the test'); }, ${round * 3});
      }`,
    );
    worker.on('message', (count: number) => {
      acknowledged += count;
    });
    const failed = once(worker, 'error');
    await new Promise((resolve) => worker.once('exit', resolve));
    assert.match(String(await failed), /of the test/);
    await log.append([numbered(round)]);
  }
  assert.ok(acknowledged > 0);
  const numbers = await readNumbers(log);
  assert.ok(numbers.length >= acknowledged + 8, `${numbers.length} of ${acknowledged}`);
  assert.equal((await log.positions('g', ['t']))[0].end, numbers.length);
});

test('a disk without room rejects appends, keeps what was acknowledged, and does not end the process', async () => {
  // The shell's limit on file sizes stands in for the full disk: the write fails in the same place.
  const command = `ulimit -f 4000; exec '${process.execPath}' '${FULL_DISK_CHILD}'`;
  const { stdout, stderr } = await promisify(execFile)('sh', ['-c', command], { timeout: 60000 });
  assert.doesNotMatch(stderr, /write\.js/, 'the stack of an error that the caller has');
  const report = JSON.parse(stdout.trim().split('\n').at(-1)!);
  assert.ok(report.acknowledged > 10, stdout);
  assert.equal(report.rejections, 20, stdout);
  assert.equal(report.kept, report.acknowledged, stdout);
  assert.equal(report.retriable, true, stdout);
});

test('a consumer that idles keeps nothing of the turns that are over', async (t) => {
  const { log } = await openLog(t);
  let begun = 0;
  let ended = 0;
  /** From then on no turn ends by itself, however long the append takes. */
  let isEndless = false;
  const { setTimeout: begin, clearTimeout: end } = globalThis;
  t.mock.method(globalThis, 'setTimeout', (action: () => void, ms?: number) => {
    if (ms !== IDLE_MS) return begin(action, ms);
    begun++;
    return begin(action, isEndless ? 60000 : ms);
  });
  t.mock.method(globalThis, 'clearTimeout', (timer?: NodeJS.Timeout) => {
    ended++;
    end(timer);
  });
  const topics = Array.from({ length: 8 }, (_, n) => `idle-${n}`);
  await log.createTopics(topics.map((name) => ({ name, partitions: 1 })));
  await log.subscribe({ group: 'g', topics }, async () => {});
  await until('some turns', () => begun > topics.length * 10);
  isEndless = true;
  begun = 0;
  await until('a turn of each that does not end', () => begun === topics.length);
  ended = 0;
  await log.append([numbered(1)]);
  assert.ok(ended > 0 && ended <= topics.length * 2, `an append woke ${ended}`);
});

test('topics that could not be made are made by the next append, or by a subscription', async (t) => {
  const { log } = await openLog(t);
  const failOnce = (): void => {
    const write = t.mock.method(EmbeddedStore.prototype, 'write', async () => {
      write.mock.restore();
      throw new PersistError('full', 'no room');
    });
  };
  failOnce();
  await assert.rejects(log.createTopics([{ name: 'late', partitions: 1 }]), /no room/);
  await log.append([{ ...numbered(1), topic: 'late' }]);
  failOnce();
  await assert.rejects(log.createTopics([{ name: 'later', partitions: 2 }]), /no room/);
  await log.subscribe({ group: 'g', topics: ['later'] }, async () => {});
  assert.equal((await log.positions('g', ['later'])).length, 2);
});
