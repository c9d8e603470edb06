// Each live setting is changed in the file of a running server, and is seen to take effect.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { WebSocket } from 'ws';
import { CloseCode } from '../../src/net/gateway/close-codes.js';
import { startServer, type TestServer } from '../server.js';
import { closeLogs, Platform, Player } from './platform.js';

/** A server with a file of settings, which `change` rewrites before it asks for a reload. */
async function openStage(t: TestContext, settings: object, ...args: string[]) {
  const folder = mkdtempSync(join(tmpdir(), 'tessera-reload-'));
  const config = join(folder, 'settings.json');
  const data = join(folder, 'data');
  const write = (content: object) => writeFileSync(config, JSON.stringify(content));
  write(settings);
  const server: TestServer = await startServer(['--config', config, '--data', data, '--zones', '1x1', ...args]);
  t.after(async () => {
    await server.stop();
    await closeLogs();
    rmSync(folder, { recursive: true, force: true });
  });
  const platform = await Platform.openFolder(data);
  let commands = 0;
  const change = (content: object) => {
    write(content);
    return platform.order({ commandId: `r${++commands}`, type: 'reload' });
  };
  return { server, write, change, wait: server.until };
}

interface Frame {
  welcome?: { updateHz: number };
  rejects?: { code: number }[];
}

/** A socket of its own, which does what it is told and remembers how it ended. */
class Guest {
  closeCode = 0;
  welcome: Frame['welcome'];
  rejects = 0;
  readonly socket: WebSocket;

  constructor(url: string, isJoining = true, options = {}) {
    this.socket = new WebSocket(url, 'tessera.json.1', options);
    this.socket.on('open', () => isJoining && this.socket.send('{"type":"join","name":"guest"}'));
    this.socket.on('message', (data) => {
      const { welcome, rejects = [] } = JSON.parse(String(data)) as Frame;
      this.welcome = welcome ?? this.welcome;
      this.rejects += rejects.length;
    });
    this.socket.on('error', () => {}); // a close follows
    this.socket.on('close', (code) => {
      this.closeCode = code;
    });
  }

  sendMany(count: number, firstSeq: number): void {
    for (let i = 0; i < count; i++) {
      this.socket.send(JSON.stringify({ type: 'Move', seq: firstSeq + i, x: 1, y: 0 }));
    }
  }
}

test('limits of clients and connections change for those who play and those who come', async (t) => {
  const { server, change, wait } = await openStage(t, { connectionsPerAddress: 8, messagesPerSecond: 1000 });
  const { wsUrl } = server;
  const first = new Guest(wsUrl);
  await wait('a welcome', () => first.welcome !== undefined);
  assert.equal(first.welcome?.updateHz, 30);
  first.sendMany(100, 1);
  await wait('all are applied', async () => (await server.counter('tessera_zone_commands_applied_total')) === 100);
  assert.equal(first.rejects, 0);

  const answer = await change({ connectionsPerAddress: 2, messagesPerSecond: 20, updateHz: 15 });
  assert.deepEqual(answer.payload.applied?.sort(), ['connectionsPerAddress', 'messagesPerSecond', 'updateHz']);
  assert.deepEqual(answer.payload.restart, []);
  first.sendMany(100, 101);
  await wait('most are refused', async () => first.rejects > 10);
  const second = new Guest(wsUrl);
  await wait('a second welcome', () => second.welcome !== undefined);
  assert.equal(second.welcome?.updateHz, 15);
  const third = new Guest(wsUrl);
  await wait('the third is turned away', () => third.closeCode !== 0);
  assert.equal(third.welcome, undefined);
  assert.equal(first.closeCode + second.closeCode, 0, 'who is in stays in');
});

test('time-outs change for connections that are there already', async (t) => {
  const slowest = { joinTimeoutMs: 60000, idleTimeoutMs: 3600000, slowClientMs: 600000 };
  const { server, change, wait } = await openStage(t, slowest);
  const undecided = new Guest(server.wsUrl, false);
  const slow = new Guest(server.wsUrl);
  await wait('a welcome', () => slow.welcome !== undefined);
  await wait('it has answered a ping', async () => {
    await new Promise((resolve) => setTimeout(resolve, 2500));
    return true;
  });
  slow.socket.pause();
  await change({ ...slowest, joinTimeoutMs: 100 });
  await wait('who does not join is closed', () => undecided.closeCode === CloseCode.JoinTimeout);
  await change({ ...slowest, slowClientMs: 100 });
  const closed = (code: number) => async () => {
    const { net } = (await (await fetch(`${server.url}/healthz`)).json()) as {
      net: { closedByServer: Record<string, number> };
    };
    return (net.closedByServer[String(code)] ?? 0) > 0;
  };
  await wait('who does not read is closed', closed(CloseCode.TooSlow));
  const silent = new Guest(server.wsUrl, true, { autoPong: false });
  await wait('a welcome', () => silent.welcome !== undefined);
  await change({ ...slowest, idleTimeoutMs: 3000 });
  await wait('who answers no ping is closed', () => silent.closeCode === CloseCode.Idle);
});

test('the patience with a tick thread changes while one hangs', async (t) => {
  const game = fileURLToPath(new URL('./games/chaos-game.js', import.meta.url));
  const { server, change, wait } = await openStage(t, { hangMs: 60000, game });
  const player = await new Player(server.wsUrl, 'Eve').joined();
  player.send('Spin', {});
  await new Promise((resolve) => setTimeout(resolve, 1000));
  assert.equal(await server.counter('tessera_thread_restarts_total'), 0);
  const { payload } = await change({ hangMs: 200, game });
  assert.deepEqual(payload.applied, ['hangMs']);
  await wait('it is replaced', async () => (await server.counter('tessera_thread_restarts_total')) === 1);
});

test('snapshots come in their new period, and the log says more or less', async (t) => {
  const { server, write, change, wait } = await openStage(t, {
    hotSnapshotMs: 10000,
    coldSnapshotMs: 300000,
    logLevel: 'error',
  });
  assert.doesNotMatch(server.log(), /a command of the platform/);
  const { payload } = await change({ hotSnapshotMs: 1000, coldSnapshotMs: 5000, logLevel: 'info' });
  assert.deepEqual(payload.applied?.sort(), ['coldSnapshotMs', 'hotSnapshotMs', 'logLevel']);
  await wait('the log speaks', () => /"applied":\["hotSnapshotMs".*read again/.test(server.log()));
  // With the old periods these would take 20 and 300 seconds.
  const startMs = performance.now();
  await wait('two hot snapshots', async () => (await server.counter('tessera_io_hot_snapshots_total')) >= 2);
  assert.ok(performance.now() - startMs < 15000);
  await wait('a cold snapshot', async () => (await server.counter('tessera_io_cold_snapshots_total')) >= 1);

  write({ hotSnapshotMs: 2000, coldSnapshotMs: 5000, seed: 77 });
  process.kill(server.pid, 'SIGHUP');
  await wait('SIGHUP does the same', () => /"applied":\["hotSnapshotMs"\],"restart":\["seed"\]/.test(server.log()));
});

test('what cannot change is named, what is wrong is told as at the start, and flags stay', async (t) => {
  const { server, write, change, wait } = await openStage(t, { tickHz: 60 }, '--messages-per-second', '70');
  const both = await change({ tickHz: 120, worldWidth: 1024, messagesPerSecond: 50, joinTimeoutMs: 4000 });
  assert.deepEqual(both.payload.applied, ['joinTimeoutMs']);
  assert.deepEqual(both.payload.restart?.sort(), ['tickHz', 'worldWidth']);
  const wrong = await change({ tickHz: 60, joinTimeoutMs: 1, slowClientMs: 5000, colour: 'red' });
  assert.equal(wrong.type, 'platform.command.failed');
  const lines = (wrong.payload.reason ?? '').split('\n');
  assert.equal(lines.length, 2);
  assert.match(lines[0], /^joinTimeoutMs is 1 \(from .*settings\.json\); allowed: a whole number from 100 to 60000$/);
  assert.match(lines[1], /colour.* is no setting/);
  // It fits what is written beside it, and not what runs.
  const unfit = await change({ tickHz: 120, updateHz: 100 });
  assert.match(unfit.payload.reason ?? '', /updateHz is 100 .* while tickHz is 60 \(from the running server\)/);
  write({});
  process.kill(server.pid, 'SIGHUP');
  await wait('the defaults', () => /"applied":\["joinTimeoutMs"\],"restart":\[\]/.test(server.log()));
  write({ joinTimeoutMs: 5 });
  process.kill(server.pid, 'SIGHUP');
  await wait('a complaint', () => /none applied: joinTimeoutMs is 5/.test(server.log()));
});
