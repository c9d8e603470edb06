import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { test } from 'node:test';
import {
  cpuSecondsOf,
  findListener,
  machineCpuSecondsOf,
  openFilesMax,
  readMachineCpuSeconds,
  readProcessFigures,
  schedulingOf,
  threadCores,
  threadUse,
} from '../../../bench/load/report/process-figures.js';

const isLinux = process.platform === 'linux';

test('CPU time is read behind a name that holds spaces and parentheses', () => {
  const stat = '42 (a (strange) name) S 1 42 42 0 -1 4194560 1 0 0 0 150 50 0 0 20 0 11 0 100 1 1';
  assert.equal(cpuSecondsOf(stat), 2);
});

test('this process has used CPU and memory, and its main thread is named', { skip: !isLinux }, () => {
  const figures = readProcessFigures(process.pid)!;
  assert.ok(figures.cpuSeconds > 0);
  assert.ok(figures.rssMiB > 1 && figures.rssMiBMax >= figures.rssMiB * 0.5);
  assert.ok(figures.threads.some((thread) => thread.name === 'main' && thread.id === process.pid));
});

test('what threads have used is the difference of two readings, and what a new one has used is all of it', () => {
  const reading = (atMs: number, ids: readonly number[]) => ({
    atMs,
    cpuSeconds: 0,
    rssMiB: 1,
    rssMiBMax: 1,
    anonMiB: 1,
    threads: ids.map((id) => ({ id, name: `t${id}`, cpuSeconds: atMs * id, waitSeconds: atMs, wakeUps: 10 * atMs })),
  });
  assert.deepEqual(threadUse(reading(1, [1, 9]), reading(3, [1, 2])), [
    { id: 1, name: 't1', cpuSeconds: 2, waitSeconds: 2, wakeUps: 20 },
    { id: 2, name: 't2', cpuSeconds: 6, waitSeconds: 3, wakeUps: 30 },
  ]);
});

test('cores are the CPU time between two readings, busiest first, and idle threads are left out', () => {
  const thread = (name: string, id: number, cpuSeconds: number) => ({
    id,
    name,
    cpuSeconds,
    waitSeconds: 2 * cpuSeconds,
    wakeUps: 0,
  });
  const reading = (atMs: number, busy: number, idle: number) => ({
    atMs,
    cpuSeconds: busy + idle,
    rssMiB: 1,
    rssMiBMax: 1,
    anonMiB: 1,
    threads: [thread('main', 1, idle), thread('io', 3, busy / 2), thread('tick-0', 2, busy)],
  });
  assert.deepEqual(threadCores(reading(0, 1, 1), reading(2000, 2, 1)), [
    { name: 'tick-0', cores: 0.5, waiting: 1 },
    { name: 'io', cores: 0.25, waiting: 0.5 },
  ]);
});

test('schedstat is in nanoseconds', () => {
  assert.deepEqual(schedulingOf('1500000000 250000000 42\n'), { cpuSeconds: 1.5, waitSeconds: 0.25 });
});

test('a process that is not there has no figures', () => {
  assert.equal(readProcessFigures(0x7ffffff0), null);
});

test('who listens on a port is found', { skip: !isLinux }, async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  assert.equal(findListener(port), process.pid);
  server.close();
  await once(server, 'close');
  assert.equal(findListener(port), null);
});

test('the limit of open files is known', { skip: !isLinux }, () => {
  assert.ok(openFilesMax()! > 64);
});

test('the CPU time of the machine is that of all states but idle and waiting', { skip: !isLinux }, () => {
  assert.equal(machineCpuSecondsOf('cpu  100 20 30 90000 500 7 3 0 0 0\ncpu0 1 2 3 4 5 6 7 0 0 0'), 1.6);
  assert.ok(readMachineCpuSeconds()! > 0);
});
