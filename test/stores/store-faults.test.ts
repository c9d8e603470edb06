// Redis and MongoDB behind a bad network: every call ends in time, says what happened, and the next good moment works.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { openMongoColdStore } from '../../src/stores/mongodb/mongo-cold-store.js';
import { openRedisHotStore } from '../../src/stores/redis/redis-hot-store.js';
import { type BackendHealth, type NoticeListener, PersistError } from '../../src/stores/store-ports.js';
import { until } from '../folder.js';
import { requireOrSkip } from '../require.js';
import { TcpProxy } from '../services/proxy.js';
import { findService, OwnService, type ServiceName, skipReason } from '../services/running.js';

interface Subject {
  write(): Promise<unknown>;
  health(): BackendHealth;
  close(): Promise<void>;
}

interface Backend {
  name: ServiceName;
  open(port: number, onNotice?: NoticeListener): Subject;
}

const DEADLINE_MS = 1500;
const CONNECT_MS = 800;
/** The longest that one call may take: what it waits for a connection, and for the answer. */
const CALL_MS_MAX = 6000;

const BACKENDS: Backend[] = [
  {
    name: 'redis',
    open(port, onNotice = () => {}) {
      const url = `redis://127.0.0.1:${port}`;
      const store = openRedisHotStore({ url, deadlineMs: DEADLINE_MS, connectTimeoutMs: CONNECT_MS, onNotice });
      const key = `test:${randomUUID()}`;
      return {
        write: () => store.set([{ key, value: Buffer.from('v'), ttlMs: 10000 }]),
        health: () => store.health(),
        close: () => store.close(),
      };
    },
  },
  {
    name: 'mongodb',
    open(port, onNotice = () => {}) {
      const url = `mongodb://127.0.0.1:${port}/tessera?directConnection=true`;
      const store = openMongoColdStore({ url, deadlineMs: DEADLINE_MS, connectTimeoutMs: CONNECT_MS, onNotice });
      const key = `test:${randomUUID()}`;
      return {
        write: () => store.putRows('faults', [{ key, value: Buffer.from('v') }]),
        health: () => store.health(),
        close: () => store.close(),
      };
    },
  },
];

async function assertFailsInTime(subject: Subject): Promise<void> {
  const startedMs = performance.now();
  await assert.rejects(subject.write(), (error) => error instanceof PersistError && error.retriable);
  assert.ok(performance.now() - startedMs < CALL_MS_MAX, 'a bounded time');
  assert.equal(subject.health().state, 'down');
}

async function assertRecovers(subject: Subject): Promise<void> {
  await until('a write', () =>
    subject.write().then(
      () => subject.health().state === 'up', // a first call that waits for its connection may be slow
      () => false,
    ),
  );
}

for (const { name, open } of BACKENDS) {
  async function openThroughProxy(
    t: TestContext,
    onNotice?: NoticeListener,
  ): Promise<{ subject: Subject; proxy: TcpProxy } | undefined> {
    const address = findService(name);
    if (!requireOrSkip(t, address !== undefined, skipReason(name))) return undefined;
    const proxy = await TcpProxy.open(Number(new URL(address!).port));
    const subject = open(proxy.port, onNotice);
    t.after(async () => {
      await subject.close();
      await proxy.close();
    });
    return { subject, proxy };
  }

  test(`${name}: a half-open connection fails calls in time and is replaced`, { timeout: 60000 }, async (t) => {
    const opened = await openThroughProxy(t);
    if (!opened) return;
    const { subject, proxy } = opened;
    await subject.write();
    proxy.mode = 'silent';
    await assertFailsInTime(subject);
    await assertFailsInTime(subject);
    proxy.mode = 'open';
    await assertRecovers(subject);
  });

  test(`${name}: a backend that hangs is named within 2 s, and said when it is back`, { timeout: 60000 }, async (t) => {
    const lines: string[] = [];
    const opened = await openThroughProxy(t, (line) => lines.push(line));
    if (!opened) return;
    const { subject, proxy } = opened;
    await assertRecovers(subject);
    lines.length = 0;
    proxy.mode = 'silent';
    const startedMs = performance.now();
    const writing = assertFailsInTime(subject);
    await until('it is named', () => lines.length > 0);
    assert.ok(performance.now() - startedMs < 2000, 'within 2 s');
    assert.equal(lines[0], `${name}: has not answered for 1 s`);
    await writing;
    proxy.mode = 'open';
    await assertRecovers(subject);
    assert.match(lines.at(-1) ?? '', /: answers again, after it was (down|slow) for \d+\.\d s$/);
  });

  test(`${name}: a connection that is cut again and again works in between`, { timeout: 60000 }, async (t) => {
    const opened = await openThroughProxy(t);
    if (!opened) return;
    const { subject, proxy } = opened;
    for (let round = 0; round < 5; round++) {
      await assertRecovers(subject);
      proxy.cut();
    }
    await assertRecovers(subject);
  });

  test(`${name}: a backend that refuses fails calls in time and is found again`, { timeout: 60000 }, async (t) => {
    const opened = await openThroughProxy(t);
    if (!opened) return;
    const { subject, proxy } = opened;
    proxy.mode = 'refusing';
    proxy.cut();
    await assertFailsInTime(subject);
    proxy.mode = 'open';
    await assertRecovers(subject);
  });

  test(`${name}: slow answers are waited for`, { timeout: 60000 }, async (t) => {
    const opened = await openThroughProxy(t);
    if (!opened) return;
    const { subject, proxy } = opened;
    await subject.write();
    proxy.delayMs = 200;
    await subject.write();
    assert.equal(subject.health().failures, 0);
  });

  test(`${name}: a killed server is found again when it returns`, { timeout: 90000 }, async (t) => {
    if (!requireOrSkip(t, findService(name) !== undefined, skipReason(name))) return;
    const service = await OwnService.start(name);
    t.after(() => service.stop());
    const subject = open(service.port);
    t.after(() => subject.close());
    await subject.write();
    await service.kill();
    await assertFailsInTime(subject);
    await service.start();
    await assertRecovers(subject);
  });
}
