// Backends that fail on purpose, and come back: the proxies and faults of the benches.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import net from 'node:net';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { FAULTS } from '../../bench/faults/faults.js';
import { collectAnswers, openKafkaProxy } from '../../bench/faults/kafka-proxy.js';
import { TcpProxy } from '../../bench/faults/tcp-proxy.js';
import { createRandom } from '../../src/base/chance.js';
import { openKafkaEventLog } from '../../src/stores/kafka/kafka-event-log.js';
import { requireOrSkip } from '../require.js';
import { findService, skipReason } from '../services/running.js';

const SHORT_MS = 400;

async function openEcho(t: TestContext): Promise<TcpProxy> {
  const echo = net.createServer((socket) => socket.on('error', () => {}).pipe(socket));
  await new Promise<void>((resolve) => echo.listen(0, '127.0.0.1', resolve));
  const proxy = await TcpProxy.open((echo.address() as net.AddressInfo).port);
  t.after(async () => {
    await proxy.close();
    echo.close();
  });
  return proxy;
}

/** What becomes of a question over a new connection within `ms`. */
function ask(t: TestContext, proxy: TcpProxy, ms: number): Promise<'answered' | 'refused' | 'silent'> {
  return new Promise((resolve) => {
    const socket = net.connect(proxy.port, '127.0.0.1');
    t.after(() => socket.destroy());
    const timer = setTimeout(() => resolve('silent'), ms);
    const settle = (outcome: 'answered' | 'refused') => () => {
      clearTimeout(timer);
      resolve(outcome);
    };
    socket.on('data', settle('answered'));
    socket.on('error', settle('refused'));
    socket.write('hello');
  });
}

function findFault(name: string) {
  const fault = FAULTS.find((candidate) => candidate.name === name);
  assert.ok(fault);
  return fault;
}

for (const [name, outcome] of [
  ['stopped', 'refused'],
  ['half-open', 'silent'],
  ['slow', 'silent'],
] as const) {
  test(`a backend that is ${name} is ${outcome} at first, cuts who was there, and is well when it is healed`, async (t) => {
    const proxy = await openEcho(t);
    const before = net.connect(proxy.port, '127.0.0.1');
    let isCut = false;
    before
      .on('error', () => {})
      .on('close', () => {
        isCut = true;
      });
    before.write('hello');
    await new Promise((resolve) => before.once('data', resolve));
    const { port } = proxy;
    const heal = await findFault(name).begin(proxy);
    assert.equal(await ask(t, proxy, SHORT_MS), outcome);
    await heal();
    assert.equal(proxy.port, port);
    assert.equal(await ask(t, proxy, 5000), 'answered');
    while (!isCut) await sleep(5);
  });
}

test('a slow backend answers, late', async (t) => {
  const proxy = await openEcho(t);
  const heal = await findFault('slow').begin(proxy);
  const beganMs = performance.now();
  assert.equal(await ask(t, proxy, 20000), 'answered');
  assert.ok(performance.now() - beganMs > 1900);
  await heal();
});

test('a flapping backend is there and not there in turns', async (t) => {
  const proxy = await openEcho(t);
  const heal = await findFault('flapping').begin(proxy);
  const outcomes: string[] = [];
  const endMs = performance.now() + 20000;
  const turns = (): number => outcomes.filter((outcome, i) => outcome !== outcomes[i - 1]).length;
  while (turns() < 4 && performance.now() < endMs) {
    outcomes.push(await ask(t, proxy, SHORT_MS));
    await sleep(20);
  }
  assert.ok(turns() >= 4, outcomes.join());
  await heal();
  assert.equal(await ask(t, proxy, 5000), 'answered');
});

test('answers are changed whole, in whatever pieces they come', () => {
  const random = createRandom(4);
  const answers = Array.from({ length: 50 }, (_, n) => {
    const bytes = Buffer.alloc(4 + Math.floor(random() * 60), n);
    bytes.writeInt32BE(bytes.length - 4);
    return bytes;
  });
  const seen: Buffer[] = [];
  const collect = collectAnswers((answer) => {
    seen.push(Buffer.from(answer));
  });
  const all = Buffer.concat(answers);
  const passed: Buffer[] = [];
  for (let at = 0; at < all.length; ) {
    const limit = at + 1 + Math.floor(random() * 40);
    passed.push(Buffer.from(collect(all.subarray(at, limit))));
    at = limit;
  }
  assert.deepEqual(seen, answers);
  assert.deepEqual(Buffer.concat(passed), all);
});

test('clients of a broker stay behind its proxy, which can take it away', { timeout: 60000 }, async (t) => {
  const broker = findService('kafka');
  if (!requireOrSkip(t, broker !== undefined, skipReason('kafka'))) return;
  const [host, port] = broker!.split(':');
  const { proxy, address, rewrittenCount } = await openKafkaProxy(host, Number(port));
  const log = openKafkaEventLog({
    brokers: [address],
    connectTimeoutMs: 1000,
    requestTimeoutMs: 1000,
    deadlineMs: 4000,
  });
  t.after(async () => {
    await log.close();
    await proxy.close();
  });
  const topic = `test.${randomUUID()}`;
  await log.createTopics([{ name: topic, partitions: 2 }]);
  const record = { topic, key: 'k', value: Buffer.from('one'), timestampMs: Date.now() };
  await log.append([record]);
  assert.ok(rewrittenCount() > 0, 'the broker was named anew');
  await proxy.shut();
  await assert.rejects(log.append([record]));
  await proxy.reopen();
  for (let tries = 0; ; tries++) {
    const isTaken = await log.append([record]).then(
      () => true,
      () => false,
    );
    if (isTaken) break;
    assert.ok(tries < 100, 'the log comes back');
    await sleep(100);
  }
});
