import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { JobPool, type JobPoolOptions } from '../../../src/durability/snapshots/job-pool.js';
import { PersistError, type PersistErrorKind } from '../../../src/stores/store-ports.js';

const ENTRY = new URL('./faulty-job-thread.js', import.meta.url);
const TIMEOUT = { timeout: 30000 };

function openPool(t: TestContext, options: Partial<JobPoolOptions> = {}): JobPool {
  const pool = new JobPool({ entry: ENTRY, ...options });
  t.after(() => pool.close());
  return pool;
}

async function failureOf(job: Promise<unknown>): Promise<{ kind: PersistErrorKind; message: string }> {
  const error = await job.then(
    () => assert.fail('the job did not fail'),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof PersistError, String(error));
  return error;
}

test('bytes go to a job and come back by moving', TIMEOUT, async (t) => {
  const pool = openPool(t);
  const sent = new Uint8Array([1, 2, 250]);
  const { bytes } = await pool.run<{ bytes: Uint8Array }>('giveBack', sent, [sent.buffer]);
  assert.equal(sent.byteLength, 0, 'who hands bytes over has them no more');
  assert.deepEqual([...bytes], [1, 2, 250]);
  assert.deepEqual([...(await pool.run<Uint8Array>('addOne', bytes, []))], [2, 3, 251]);
});

test('one thread does many jobs', TIMEOUT, async (t) => {
  const pool = openPool(t);
  const threads = await Promise.all([1, 1, 1, 1].map((ms) => pool.run('threadOf', ms, [])));
  assert.equal(new Set(threads).size, 1);
});

test('a job that throws is told why, and its thread does the next', TIMEOUT, async (t) => {
  const pool = openPool(t);
  const thread = await pool.run('threadOf', 1, []);
  const { kind, message } = await failureOf(pool.run('fail', 0, []));
  assert.equal(kind, 'unavailable');
  assert.match(message, /the job fail: this job always fails/);
  assert.equal(await pool.run('nap', 2, []), 2);
  assert.equal(await pool.run('threadOf', 1, []), thread);
});

test('a thread that dies fails its job only: those that wait get another thread', TIMEOUT, async (t) => {
  const pool = openPool(t);
  const jobs = [pool.run('nap', 5, []), pool.run('die', 0, []), pool.run('nap', 6, []), pool.run('nap', 7, [])];
  const [first, second, third, fourth] = await Promise.allSettled(jobs);
  assert.equal(second.status, 'rejected');
  assert.match(String(second.reason), /the job die: worker exited with code: 7/);
  assert.deepEqual(
    [first, third, fourth].map((job) => job.status === 'fulfilled' && job.value),
    [5, 6, 7],
  );
});

test('a job that hangs is ended in time, and those that wait go on', TIMEOUT, async (t) => {
  const pool = openPool(t, { jobMsMax: 2000 });
  const hanging = failureOf(pool.run('hang', 0, []));
  const next = pool.run('nap', 3, []);
  const { kind, message } = await hanging;
  assert.equal(kind, 'timeout');
  assert.match(message, /the job hang took longer than 2000 ms/);
  assert.equal(await next, 3);
});

test('a full queue refuses at once, and takes jobs again later', TIMEOUT, async (t) => {
  const pool = openPool(t, { queueMax: 2 });
  const taken = [20, 1, 2].map((ms) => pool.run('nap', ms, []));
  assert.equal((await failureOf(pool.run('nap', 3, []))).kind, 'full');
  assert.deepEqual(await Promise.all(taken), [20, 1, 2]);
  assert.equal(await pool.run('nap', 4, []), 4);
});

test('jobs that nobody offers and an entry that is not there fail, again and again', TIMEOUT, async (t) => {
  const pool = openPool(t);
  assert.match((await failureOf(pool.run('nothing', 0, []))).message, /No handler function/);
  assert.equal(await pool.run('nap', 1, []), 1);
  const lost = openPool(t, { entry: new URL('./no-such-file.js', import.meta.url), jobMsMax: 500 });
  for (let i = 0; i < 3; i++) await failureOf(lost.run('nap', 1, []));
});

test('closing ends what runs and what waits, and takes nothing more', TIMEOUT, async (t) => {
  const pool = openPool(t);
  await pool.run('nap', 1, []);
  const ending = [pool.run('hang', 0, []), ...[1, 2, 3].map((ms) => pool.run('nap', ms, []))].map(failureOf);
  await pool.close();
  const [running, ...waiting] = await Promise.all(ending);
  assert.notEqual(running.kind, 'timeout');
  assert.deepEqual(
    waiting.map(({ kind }) => kind),
    ['closed', 'closed', 'closed'],
  );
  assert.equal((await failureOf(pool.run('nap', 1, []))).kind, 'closed');
  await pool.close();
});
