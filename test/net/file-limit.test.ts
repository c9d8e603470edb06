import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openClient } from './game-client.js';
import { RawClient } from './raw-client.js';
import { sleep, until } from './start-net.js';

const FILES = 64;
const TRIES_MAX = 200;

test('a server that runs out of file descriptors cuts off who is too many, and goes on', async (context) => {
  const script = fileURLToPath(new URL('./limited-server.js', import.meta.url));
  const child = spawn('sh', ['-c', `ulimit -n ${FILES}; exec "$0" "$1"`, process.execPath, script], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  context.after(() => child.kill());
  const ended = new Promise((resolve) => child.on('close', resolve));
  const [port] = await once(createInterface(child.stdout), 'line');
  const crowd = Array.from({ length: 2 * FILES }, () => new RawClient(Number(port)));
  await until('connections that are cut off', () => crowd.some(({ isGone }) => isGone));
  for (const client of crowd) client.destroy();
  // The descriptors of the crowd are free some time after it has gone.
  let honest = await openClient(Number(port));
  for (let tries = 0; tries < TRIES_MAX && !honest.isOpen; tries++) {
    await sleep(50);
    honest = await openClient(Number(port));
  }
  assert.ok(honest.isOpen);
  honest.destroy();
  child.stdin.end();
  assert.equal(await ended, 0);
});
