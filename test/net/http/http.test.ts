import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Readiness } from '../../../src/net/http/http.js';
import { GAME_PATH } from '../../../src/net/http/http.js';
import { findReferences } from '../../../src/net/http/static-files.js';
import { joinClient } from '../game-client.js';
import { RawClient } from '../raw-client.js';
import { type Running, startNet, stopAll, until } from '../start-net.js';

const readiness: Readiness = { ready: true, reasons: [] };
let running: Running;
let base: string;
before(async () => {
  running = await startNet({}, { health: () => ({ zones: [{ id: 0 }], clients: 3 }), ready: () => readiness });
  base = `http://127.0.0.1:${running.port}`;
});
after(stopAll);

test('health is JSON, whatever state the server is in', async () => {
  const answer = await fetch(`${base}/healthz`);
  assert.equal(answer.status, 200);
  assert.match(answer.headers.get('content-type')!, /application\/json/);
  assert.deepEqual(await answer.json(), { zones: [{ id: 0 }], clients: 3 });
});

test('readiness answers 503 with reasons while the server is not ready', async () => {
  assert.equal((await fetch(`${base}/readyz`)).status, 200);
  readiness.ready = false;
  readiness.reasons = ['zone 2 keeps failing'];
  const answer = await fetch(`${base}/readyz`);
  assert.equal(answer.status, 503);
  assert.deepEqual(await answer.json(), { ready: false, reasons: ['zone 2 keeps failing'] });
  readiness.ready = true;
});

test('metrics show traffic, rejects, drops, closes and sessions, and what others register', async () => {
  running.metrics.registerGauge('test_depth', 'Depth', ['zone'], (report) => report(4, { zone: '1' }));
  running.metrics.registerCounter('test_things_total', 'Things', [], (report) => report(11));
  running.metrics.registerQuantiles('test_ms', 'Times', [], (report) => report(1.5, { quantile: '0.99' }));
  const client = await joinClient(running.port);
  const answer = await fetch(`${base}/metrics`);
  assert.match(answer.headers.get('content-type')!, /text\/plain/);
  const text = await answer.text();
  for (const line of [
    'tessera_net_sessions{state="live"} 1',
    'tessera_net_rejects_total{code="RateLimited"} 0',
    'tessera_net_drops_total{reason="congested"} 0',
    'tessera_net_closes_total{code="4004",by="server"} 0',
    'test_depth{zone="1"} 4',
    'test_things_total 11',
    'test_ms{quantile="0.99"} 1.5',
  ]) {
    assert.ok(text.includes(`${line}\n`), `no line ${line}`);
  }
  // A pong may have come on top of the Join.
  assert.match(text, /tessera_net_packets_total\{transport="ws",direction="in"\} [1-9]/);
  assert.match(text, /process_cpu_seconds_total [0-9.]+/);
  assert.ok((await (await fetch(`${base}/metrics`)).text()).includes('test_things_total 11\n'), 'read, not added up');
  client.destroy();
});

test('modules of the page are served by the paths by which they import each other', async () => {
  for (const path of [
    '/src/protocol/limits.js',
    '/src/base/assert.js',
    '/src/protocol/fb/client-message.js',
    '/vendor/flatbuffers/flatbuffers.js',
  ]) {
    const answer = await fetch(base + path);
    assert.equal(answer.status, 200, path);
    assert.match(answer.headers.get('content-type')!, /text\/javascript/);
    assert.equal(answer.headers.get('cache-control'), 'no-cache');
    assert.equal(answer.headers.get('x-content-type-options'), 'nosniff');
  }
});

test('everything the page loads is served', async () => {
  const wanted = new Set(['/', '/src/web/play/index.html']);
  for (const path of wanted) {
    const answer = await fetch(base + path);
    assert.equal(answer.status, 200, path);
    for (const reference of findReferences(path, await answer.text())) wanted.add(reference);
  }
  assert.ok(wanted.has('/src/client/client.js') && wanted.size > 20, [...wanted].join(' '));
});

test('what is not on the list is not served, however it is spelled', async () => {
  for (const path of [
    '/src/net/http/http.js',
    '/src/protocol/../net/http.js',
    '/src/protocol/%2e%2e/net/http.js',
    '/..%2f..%2fpackage.json',
    '//etc/passwd',
    '/vendor/flatbuffers/../../package.json',
    '/src/protocol/',
    '/nothing',
    '/%',
    '/__proto__',
    '/constructor',
  ]) {
    const client = new RawClient(running.port);
    client.write(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
    await until(`an answer for ${path}`, () => client.status !== 0 || client.isGone);
    assert.ok(client.status === 404 || client.status === 400, `${path}: ${client.status}`);
    client.destroy();
  }
});

test('the WebSocket address tells a plain request what it is', async () => {
  assert.equal((await fetch(base + GAME_PATH)).status, 426);
});

test('requests with bodies and other methods are refused', async () => {
  assert.equal((await fetch(`${base}/healthz`, { method: 'DELETE' })).status, 404);
  const answer = await fetch(`${base}/healthz`, { method: 'POST', body: 'x'.repeat(100_000) });
  assert.ok(answer.status >= 400 && answer.status < 500, String(answer.status));
  await answer.text();
});

test('a health page that fails is an error of that page alone', async () => {
  const failing = await startNet({}, { health: () => assert.fail('on purpose') });
  const answer = await fetch(`http://127.0.0.1:${failing.port}/healthz`);
  assert.equal(answer.status, 500);
  assert.doesNotMatch(await answer.text(), /purpose/);
  await failing.stop();
});

test('a port that cannot be had is an error with the code of the system', async () => {
  await assert.rejects(startNet({ port: running.port }), { code: 'EADDRINUSE' });
  await assert.rejects(startNet({ host: '192.0.2.1' }), { code: 'EADDRNOTAVAIL' });
});
