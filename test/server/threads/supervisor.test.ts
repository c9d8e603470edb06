import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { WorldPlan } from '../../../src/engine/plan/world-plan.js';
import * as T from '../../../src/memory/tables/thread-control.js';
import { Supervisor, type TickWorker } from '../../../src/server/threads/supervisor.js';
import type { TakePlace, TickThreadData } from '../../../src/server/threads/thread-messages.js';

const HANG_MS = 60;
const END_MS_MAX = 120;
const WAIT_MS_MAX = 5000;

/** A tick thread as main sees it: it beats until it hangs, and ends some time after it is told to, or never. */
class Thread extends EventEmitter {
  hasEnded = false;
  isHung = false;
  wasToldToEnd = false;
  /** It ends as soon as it is told to. */
  isObedient = true;
  place: TakePlace | undefined;
  runningSinceMs = Number.POSITIVE_INFINITY;
  private readonly beat: NodeJS.Timeout;

  constructor(
    private readonly controls: readonly SharedArrayBuffer[],
    readonly data: TickThreadData,
  ) {
    super();
    this.beat = setInterval(() => this.tick(), 5).unref();
    setImmediate(() => data.thread === undefined && this.emit('message', { kind: 'loaded' }));
  }

  private get index(): number | undefined {
    return this.data.thread ?? this.place?.thread;
  }

  private tick(): void {
    if (this.index === undefined || this.isHung || this.hasEnded) return;
    const { words } = new T.ThreadControl(this.controls[this.index]);
    words[T.HEARTBEAT]++;
    if (words[T.STOP] === 1 && this.isObedient) this.end();
    if (words[T.RUNNING] === 1) return;
    words[T.RUNNING] = 1;
    this.runningSinceMs = performance.now();
    this.emit('message', { kind: 'running', tick: 7 });
  }

  postMessage(place: TakePlace): void {
    this.place = place;
  }

  terminate(): Promise<number> {
    this.wasToldToEnd = true;
    if (this.isObedient) setImmediate(() => this.end());
    return new Promise((resolve) => (this.hasEnded ? resolve(1) : this.once('exit', resolve)));
  }

  fail(reason: string): void {
    this.isHung = true;
    this.emit('error', new Error(reason));
  }

  end(): void {
    if (this.hasEnded) return;
    this.hasEnded = true;
    clearInterval(this.beat);
    this.emit('exit', 1);
  }
}

interface Stage {
  supervisor: Supervisor;
  threads: Thread[];
  /** Those that have, or had, the place of a tick thread. */
  employed(): Thread[];
  lines: string[];
  replaced: number[];
  until(what: () => boolean): Promise<void>;
}

function stage(t: TestContext, { count = 1, onBorn = (_thread: Thread): void => {} } = {}): Stage {
  const controls = Array.from({ length: count }, () => T.ThreadControl.create());
  const plan = {
    controls,
    zonesOfThread: controls.map((_, index) => [index]),
    settings: { hangMs: HANG_MS },
    originMs: 11,
    epoch: 22,
  } as unknown as WorldPlan;
  const lines: string[] = [];
  const keep = (fields: object, line: string): void => void lines.push(`${line} ${JSON.stringify(fields)}`);
  const threads: Thread[] = [];
  const replaced: number[] = [];
  const supervisor = new Supervisor({
    plan,
    gameUrl: '',
    log: { debug: keep, info: keep, warn: keep, error: keep },
    onReplaced: (thread) => void replaced.push(thread),
    endMsMax: END_MS_MAX,
    spawn: (data) => {
      const thread = new Thread(controls, data);
      threads.push(thread);
      onBorn(thread);
      return thread as unknown as TickWorker;
    },
  });
  t.after(async () => {
    for (const thread of threads) thread.end();
    await supervisor.stop();
  });
  const employed = (): Thread[] =>
    threads.filter(({ data, place }) => data.thread !== undefined || place !== undefined);
  const until = async (what: () => boolean): Promise<void> => {
    const limitMs = performance.now() + WAIT_MS_MAX;
    while (!what() && performance.now() < limitMs) await sleep(2);
    assert.ok(what(), `did not happen; log: ${lines.join('\n')}`);
  };
  return { supervisor, threads, employed, lines, replaced, until };
}

test('a thread that hangs is replaced only when it has ended, and the gap counts the wait for that', async (t) => {
  const { supervisor, threads, employed, lines, replaced, until } = stage(t);
  await supervisor.start();
  const [hung] = threads;
  hung.isObedient = false;
  hung.isHung = true;
  await until(() => hung.wasToldToEnd);
  await sleep(60);
  assert.equal(employed().length, 1, 'nobody else writes the zones of a thread that may still run');
  assert.match(supervisor.unreadyReasons().join(), /tick thread 0 is being replaced: no progress for \d+ ms/);
  hung.end();
  await until(() => replaced.length === 1);
  assert.equal(employed().length, 2);
  assert.deepEqual(supervisor.unreadyReasons(), []);
  const gapMs = Number(/tick thread replaced after (\d+) ms/.exec(lines.join('\n'))?.[1]);
  assert.ok(gapMs >= HANG_MS + 60, `${gapMs} ms`);
});

test('a hung thread that does not end keeps its zones, and log and readiness say so until it does', async (t) => {
  const { supervisor, threads, employed, lines, until } = stage(t);
  await supervisor.start();
  const [hung] = threads;
  hung.isObedient = false;
  hung.isHung = true;
  await until(() => lines.some((line) => /has not ended/.test(line)));
  assert.match(lines.join('\n'), new RegExp(`has not ended ${END_MS_MAX} ms after.*"thread":0,"zones":\\[0\\]`));
  assert.match(supervisor.unreadyReasons().join(), /tick thread 0 hangs and does not end.*restart the server/);
  assert.equal(employed().length, 1);
  hung.end();
  await until(() => supervisor.unreadyReasons().length === 0);
  assert.equal(employed().length, 2);
  assert.equal(supervisor.restarts, 1);
});

test('a thread that throws is replaced by the spare as soon as it has ended', async (t) => {
  const { supervisor, threads, employed, replaced, lines, until } = stage(t);
  await supervisor.start();
  await until(() => threads.length === 2);
  await sleep(10); // the spare loads
  threads[0].fail('a bug');
  await until(() => replaced.length === 1);
  assert.deepEqual(threads[1].place, { thread: 0, originMs: 11, epoch: 22 });
  assert.deepEqual(employed(), threads.slice(0, 2));
  assert.match(lines.join('\n'), /replaced after \d+ ms.*"reason":"a bug"/);
  await until(() => threads.length === 3); // and there is a spare again
  assert.equal(threads[2].data.thread, undefined);
});

test('a thread that ends by itself is replaced, and the others go on', async (t) => {
  const { supervisor, threads, replaced, until } = stage(t, { count: 2 });
  await supervisor.start();
  threads[1].end();
  await until(() => replaced.length === 1);
  assert.deepEqual(replaced, [1]);
  assert.equal(threads[0].wasToldToEnd, false);
  assert.equal(supervisor.restarts, 1);
});

test('a thread that fails again and again is waited for longer, and the server says that it is not ready', async (t) => {
  const { supervisor, employed, lines, until } = stage(t);
  await supervisor.start();
  await until(() => {
    const last = employed().at(-1);
    // Main has seen it run: that alone is no recovery.
    if (last?.isHung === false && performance.now() - last.runningSinceMs > 50) last.fail('a bug');
    return supervisor.unreadyReasons().some((line) => /failed 4 times in a row: a bug/.test(line));
  });
  const waits = lines.flatMap((line) => /"waitMs":(\d+)/.exec(line)?.[1] ?? []).map(Number);
  assert.deepEqual(waits, [0, 0, 100, 500]);
  assert.equal(supervisor.restarts, 4);
});

test('a thread that fails before its first tick fails the start', async (t) => {
  const { supervisor, threads } = stage(t, { onBorn: (thread) => queueMicrotask(() => thread.fail('no game')) });
  await assert.rejects(supervisor.start(), /tick thread 0 failed before its first tick: no game/);
  assert.ok(threads.length >= 1);
});

test('a stop lets threads end by themselves, and waits a bounded time for one that does not', async (t) => {
  const { supervisor, threads, lines } = stage(t, { count: 2 });
  await supervisor.start();
  await sleep(10); // the spare loads
  threads[1].isObedient = false;
  const startedMs = performance.now();
  await supervisor.stop();
  assert.equal(threads[0].wasToldToEnd, false, 'it stopped between two ticks');
  assert.equal(threads[1].wasToldToEnd, true);
  assert.ok(performance.now() - startedMs < WAIT_MS_MAX);
  assert.match(lines.join('\n'), /tick thread 1 has not ended/);
});

test('a thread that goes on is left alone, however long', async (t) => {
  const { supervisor, employed, replaced, lines } = stage(t);
  await supervisor.start();
  await sleep(4 * HANG_MS);
  assert.deepEqual([employed().length, replaced.length, supervisor.restarts], [1, 0, 0], lines.join('\n'));
});

test('a drill ends a thread that runs, each one the next, and it is replaced', async (t) => {
  const { supervisor, threads, until, replaced } = stage(t, { count: 2 });
  await supervisor.start();
  supervisor.endOne();
  await until(() => replaced.length === 1);
  supervisor.endOne();
  await until(() => replaced.length === 2);
  assert.deepEqual(replaced, [0, 1]);
  assert.ok(threads[0].wasToldToEnd && threads[1].wasToldToEnd);
});
