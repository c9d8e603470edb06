import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { readProcessFigures } from '../../../bench/load/report/process-figures.js';

const isLinux = process.platform === 'linux';
const MODULE = new URL('../../../src/server/threads/thread-name.js', import.meta.url);

test('a worker that is named shows its name to the system, and the process keeps its own', {
  skip: !isLinux,
}, async () => {
  const before = readFileSync(`/proc/${process.pid}/comm`, 'utf8');
  const code = `const { parentPort } = require('node:worker_threads');
    import(${JSON.stringify(MODULE.href)}).then(({ nameThread }) => {
      nameThread('tick-7');
      parentPort.postMessage('named');
      parentPort.once('message', () => parentPort.close());
    });`;
  const worker = new Worker(code, { eval: true });
  await new Promise((resolve) => worker.once('message', resolve));
  assert.ok(readProcessFigures(process.pid)!.threads.some(({ name }) => name === 'tick-7'));
  assert.equal(readFileSync(`/proc/${process.pid}/comm`, 'utf8'), before);
  await worker.terminate();
});
