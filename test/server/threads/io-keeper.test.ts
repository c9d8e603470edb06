import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { BANS_MS_MAX } from '../../../src/server/limits.js';
import { PlayerDesk } from '../../../src/server/main/player-desk.js';
import { IoKeeper, type IoWorker } from '../../../src/server/threads/io-keeper.js';
import type {
  FromIoThread,
  IoBeginning,
  IoThreadData,
  ToIoThread,
} from '../../../src/server/threads/thread-messages.js';

/** An I/O thread as main sees it: it loads, begins when it is told to, and stops. Until it has begun it hears nothing else. */
class Thread extends EventEmitter {
  readonly got: string[] = [];
  eventsLost = 0;
  private isReady = false;

  constructor(private readonly failure: string) {
    super();
    setImmediate(() => (failure === 'load' ? this.die('no such file') : this.tell({ kind: 'loaded' })));
  }

  postMessage(message: ToIoThread): void {
    if (this.isReady || message.kind === 'begin') this.got.push(message.kind);
    setImmediate(() => {
      if (message.kind === 'begin') {
        if (this.failure === 'begin') this.die('the store is damaged');
        else this.tell({ kind: 'ready' });
      } else if (message.kind === 'stop')
        this.tell({ kind: 'stopped', unkept: this.failure === 'stop' ? ['no room for the spool'] : [] });
    });
  }

  tell(message: FromIoThread): void {
    this.isReady ||= message.kind === 'ready';
    this.emit('message', message);
  }

  die(reason: string): void {
    this.emit('error', new Error(reason));
    this.emit('exit', 1);
  }

  terminate(): Promise<number> {
    return Promise.resolve(0);
  }
}

function stage(
  failures: readonly string[] = [],
  onLaunched: (thread: number) => void = () => {},
): { keeper: IoKeeper; threads: Thread[]; lines: string[]; bans: string[] } {
  const threads: Thread[] = [];
  const lines: string[] = [];
  const bans: string[] = [];
  const keep = (fields: object, line: string): void => void lines.push(`${line} ${JSON.stringify(fields)}`);
  const log = { debug: keep, info: keep, warn: keep, error: keep };
  const start = (): IoWorker => {
    const thread = new Thread(failures[threads.length] ?? '');
    threads.push(thread);
    queueMicrotask(() => onLaunched(threads.length));
    return thread as unknown as IoWorker;
  };
  const keeper = new IoKeeper({
    data: {} as IoThreadData,
    log,
    desk: new PlayerDesk(log),
    obey: () => Promise.reject(new Error('nobody asks')),
    onBans: (all) => bans.push(...all.map(({ who }) => who)),
    onStatus: () => {},
    start,
  });
  return { keeper, threads, lines, bans };
}

async function begin(keeper: IoKeeper): Promise<void> {
  keeper.open();
  await sleep(0);
  await keeper.load();
  await keeper.begin({} as IoBeginning);
}

for (const [when, reason] of [
  ['load', /no such file/],
  ['begin', /the store is damaged/],
] as const) {
  test(`a thread that fails at its first ${when} ends the start at once, with its own words`, async () => {
    const { keeper, threads } = stage([when]);
    await assert.rejects(begin(keeper), reason);
    assert.equal(await keeper.stop(), true);
    assert.equal(threads.length, 1);
  });
}

test('one that ends later is replaced, and until then the server says that it is not ready', async () => {
  const { keeper, threads } = stage();
  await begin(keeper);
  assert.deepEqual(keeper.unreadyReasons(), []);
  threads[0].die('out of memory');
  assert.match(keeper.unreadyReasons().join(), /ended once.*out of memory/);
  while (keeper.unreadyReasons().length > 0) await sleep(20);
  assert.equal(threads.length, 2);
  assert.equal(await keeper.stop(), true);
  assert.deepEqual(threads[1].got, ['begin', 'stop']);
});

test('settings that are read again while a thread begins are told to it when it listens', async () => {
  const adopt = (): void => keeper.adopt({ hotSnapshotMs: 2000, coldSnapshotMs: 9000 });
  const { keeper, threads } = stage([], (thread) => thread === 2 && adopt());
  await begin(keeper);
  adopt();
  assert.deepEqual(threads[0].got, ['begin', 'settings']);
  threads[0].die('out of memory');
  while (keeper.unreadyReasons().length > 0) await sleep(1);
  assert.equal(await keeper.stop(), true);
  assert.deepEqual(threads[1].got, ['begin', 'settings', 'stop']);
});

test('a stop between a thread and its successor starts one that keeps the end of the world', async () => {
  const { keeper, threads } = stage();
  await begin(keeper);
  threads[0].die('out of memory');
  assert.equal(await keeper.stop(), true);
  assert.equal(threads.length, 2);
  assert.deepEqual(threads[1].got, ['begin', 'stop']);
});

test('where that one fails too, the stop says that nothing was kept', async () => {
  const { keeper, threads, lines } = stage(['', 'begin']);
  await begin(keeper);
  threads[0].die('out of memory');
  assert.equal(await keeper.stop(), false);
  assert.match(lines.join('\n'), /the end of the world is not kept: the store is damaged/);
});

test('a start waits for the bans of earlier servers, and says so when they are late', async (t) => {
  const { keeper, threads, lines, bans } = stage();
  await begin(keeper);
  const waiting = keeper.waitForBans();
  threads[0].tell({ kind: 'bans', bans: [{ kind: 'name', who: 'x', untilMs: 1 }] });
  await waiting;
  assert.deepEqual([bans, lines], [['x'], []]);
  const late = stage();
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const over = late.keeper.waitForBans();
  t.mock.timers.tick(BANS_MS_MAX);
  await over;
  assert.match(late.lines.join(), /the bans are not loaded after 3000 ms/);
});

test('a thread that could not keep everything says what, and the stop says so', async () => {
  const { keeper, lines } = stage(['stop']);
  await begin(keeper);
  assert.equal(await keeper.stop(), false);
  assert.match(lines.join('\n'), /could not keep everything: no room for the spool/);
});
