import assert from 'node:assert/strict';
import net from 'node:net';
import { test } from 'node:test';
import { TcpProxy } from './proxy.js';
import { runScript, STATE_FILE } from './running.js';

test('scripts and compiled tests look for the state file in one place', async () => {
  assert.equal((await runScript('start.mjs', ['--state-path'])).trim(), STATE_FILE);
});

test('the proxy passes bytes, holds them back, falls silent, and cuts', async (t) => {
  const echo = net.createServer((socket) => socket.on('error', () => {}).pipe(socket));
  await new Promise<void>((resolve) => echo.listen(0, '127.0.0.1', resolve));
  const proxy = await TcpProxy.open((echo.address() as net.AddressInfo).port);
  t.after(async () => {
    await proxy.close();
    echo.close();
  });
  const socket = net.connect(proxy.port, '127.0.0.1');
  let heard = '';
  let closed = false;
  socket.on('data', (bytes) => {
    heard += bytes;
  });
  socket.on('error', () => {});
  socket.on('close', () => {
    closed = true;
  });
  const wait = async (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
  socket.write('one');
  while (heard.length < 3) await wait(5);
  proxy.delayMs = 50;
  const startedMs = performance.now();
  socket.write('two');
  while (heard.length < 6) await wait(5);
  assert.ok(performance.now() - startedMs >= 95, 'two ways of 50 ms each, and a timer may be a millisecond early');
  proxy.mode = 'silent';
  socket.write('three');
  await wait(150);
  assert.equal(heard, 'onetwo');
  assert.ok(!closed);
  proxy.cut();
  while (!closed) await wait(5);
});
