// Two real threads race over each ring. What the records contain and how they are checked stands in
// ring-race-worker.ts; here the races are set up, and threads are killed in the middle of them.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { type Side, Turns } from '../../../bench/turns.js';
import { createRandom } from '../../../src/base/chance.js';
import { ByteRing } from '../../../src/memory/rings/byte-ring.js';
import { RecordRing } from '../../../src/memory/rings/record-ring.js';
import { HEAD_INDEX, TAIL_INDEX } from '../../../src/memory/rings/ring-layout.js';
import { CONSUMED, GOAL, GOAL_KNOWN, PRODUCED, RACE_WORDS, type RaceTask } from './ring-race-task.js';

const SEED = Number(process.env.SEED ?? 20261121);
/** A hung ring must not hang the tests. Far above what the slowest machine takes, so it is no measurement. */
const HANG_MS = 300_000;
const WORKER_URL = new URL('./ring-race-worker.js', import.meta.url);

/** One ring, the words that its threads share, and whichever threads stand on it now. */
class Race {
  readonly shared = new Int32Array(new SharedArrayBuffer(RACE_WORDS * 4));
  private readonly turns = Turns.create();
  private readonly threads = new Map<Side, Worker>();
  private failure: unknown = null;

  constructor(
    readonly ring: RaceTask['ring'],
    readonly buffer: SharedArrayBuffer,
    readonly batchMax: number,
    counter: number,
    readonly start: number,
  ) {
    const i32 = new Int32Array(buffer);
    i32[TAIL_INDEX] = counter;
    i32[HEAD_INDEX] = counter;
    this.shared[PRODUCED] = start;
    this.shared[CONSUMED] = start;
  }

  /** Starts one side; the promise gives the sequence number at which it stopped, or null if it was killed. */
  async run(role: Side, start: number): Promise<number | null> {
    const { ring, batchMax } = this;
    const task = {
      role,
      ring,
      buffer: this.buffer,
      shared: this.shared.buffer,
      turns: this.turns,
      seed: SEED,
      batchMax,
      start,
    };
    const worker = new Worker(WORKER_URL, { workerData: task });
    this.threads.set(role, worker);
    let stoppedAt: number | null = null;
    worker.once('message', (seq: number) => {
      stoppedAt = seq;
    });
    try {
      await once(worker, 'exit'); // rejects when the worker throws
    } catch (error) {
      this.failure = error;
      // The other side would wait for ever.
      for (const thread of this.threads.values()) await thread.terminate();
      throw error;
    }
    return stoppedAt;
  }

  async kill(role: Side): Promise<void> {
    await this.threads.get(role)?.terminate();
  }

  setGoal(seq: number): void {
    this.shared[GOAL] = seq;
    Atomics.store(this.shared, GOAL_KNOWN, 1); // publish: the goal above
  }

  async waitUntil(isReady: () => boolean): Promise<void> {
    while (!isReady()) {
      if (this.failure !== null) throw this.failure;
      await sleep(1);
    }
  }

  progress(word: number): number {
    return Atomics.load(this.shared, word); // acquire: that side's latest batch
  }

  isEmpty(): boolean {
    const i32 = new Int32Array(this.buffer);
    const tail = Atomics.load(i32, TAIL_INDEX); // acquire: all that was published
    return tail === Atomics.load(i32, HEAD_INDEX); // acquire: all that was released
  }
}

async function raceToGoal(race: Race, count: number): Promise<void> {
  const goal = (race.start + count) | 0;
  race.setGoal(goal);
  const stoppedAt = await Promise.all([race.run('produce', race.start), race.run('consume', race.start)]);
  assert.deepEqual(stoppedAt, [goal, goal]);
  assert.equal(race.isEmpty(), true, 'nothing is left over');
}

test('20 million records cross a record ring whole and in order, past 2^31', { timeout: HANG_MS }, async () => {
  const count = 20_000_000;
  const start = 2 ** 31 - count / 2;
  await raceToGoal(new Race('record', RecordRing.create(4096, 32), 256, start, start), count);
});

test('a record ring of 4 odd-sized records is as safe as a large one, past 2^32', { timeout: HANG_MS }, async () => {
  const count = 100_000;
  const start = -count / 2;
  await raceToGoal(new Race('record', RecordRing.create(4, 20), 6, start, start), count);
});

test('5 million records of random sizes cross a byte ring whole and in order, past 2^31', {
  timeout: HANG_MS,
}, async () => {
  const counter = 2 ** 31 - 128 * 2 ** 20;
  await raceToGoal(new Race('byte', ByteRing.create(65536), 64, counter, 0), 5_000_000);
});

test('a byte ring with room for a few records is as safe as a large one, past 2^32', {
  timeout: HANG_MS,
}, async () => {
  const count = 100_000;
  await raceToGoal(new Race('byte', ByteRing.create(512), 4, -8 * 2 ** 20, -count / 2), count);
});

/**
 * Kills one side or the other, each time at some point that nobody chose, and starts a successor from where the ring
 * itself says that the dead one stood. Then stops the producer for good and lets both run to a goal.
 */
async function raceWithKills(race: Race, findResume: (race: Race, role: Side) => Promise<number>): Promise<void> {
  const random = createRandom(SEED);
  const sides = { produce: race.run('produce', race.start), consume: race.run('consume', race.start) };

  async function replace(role: Side): Promise<number> {
    await race.kill(role);
    assert.equal(await sides[role], null, `the ${role} side was still at work`);
    const resumeAt = await findResume(race, role);
    // A side tells its progress just before it moves the ring, so it died at most one batch short of what it told.
    const told = race.progress(role === 'produce' ? PRODUCED : CONSUMED);
    const missing = (told - resumeAt) | 0;
    assert.equal(missing >= 0 && missing <= race.batchMax, true, `${role} told ${told}, stood at ${resumeAt}`);
    return resumeAt;
  }

  for (let kills = 0; kills < 12; kills++) {
    const before = race.progress(CONSUMED);
    const distance = 5000 * random();
    await race.waitUntil(() => ((race.progress(CONSUMED) - before) | 0) > distance);
    const role = random() < 0.5 ? 'produce' : 'consume';
    sides[role] = race.run(role, await replace(role));
  }
  const resumeAt = await replace('produce');
  const goal = (resumeAt + 100_000) | 0;
  race.setGoal(goal);
  sides.produce = race.run('produce', resumeAt);
  assert.deepEqual(await Promise.all([sides.produce, sides.consume]), [goal, goal]);
  assert.equal(race.isEmpty(), true, 'nothing is left over');
}

test('threads killed at random on a record ring are replaced and no record is lost, doubled or torn', {
  timeout: HANG_MS,
}, async () => {
  const start = 2 ** 31 - 10_000;
  const buffer = RecordRing.create(256, 32);
  const observer = new RecordRing(buffer);
  await raceWithKills(new Race('record', buffer, 32, start, start), async (_race, role) =>
    role === 'produce' ? observer.written() : observer.consumed(),
  );
});

test('threads killed at random on a byte ring are replaced and no record is lost, doubled or torn', {
  timeout: HANG_MS,
}, async () => {
  const race = new Race('byte', ByteRing.create(8192), 32, 2 ** 31 - 2 ** 20, 0);
  await raceWithKills(race, async (_race, role) => {
    if (role === 'produce') {
      // Once the consumer has emptied the ring, the number it waits for is the first that was not published.
      await race.waitUntil(() => race.isEmpty());
      return race.progress(CONSUMED);
    }
    // The living producer refills the ring; its first record is the first that was not released.
    const observer = new ByteRing(race.buffer);
    await race.waitUntil(() => observer.next());
    return observer.view.getInt32(observer.offset, true);
  });
});
