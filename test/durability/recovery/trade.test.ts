// Gold that changes hands over borders while a server is killed again and again: it is neither made nor lost.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { WebSocket } from 'ws';
import { TesseraClient } from '../../../src/client/client.js';
import type { SocketClass } from '../../../src/client/socket.js';
import { describeCommands } from '../../../src/game/describe-commands.js';
import { GOLD, TRADERS } from '../../faults/games/trade-game.js';
import { startServer, type TestServer } from '../../server.js';

const GAME = fileURLToPath(new URL('../../faults/games/trade-game.js', import.meta.url));
const KILLS = 3;
/** Of play between two kills, and for what is under way to arrive once everybody stands still. */
const PLAY_MS = [300, 1200] as const;
const SETTLE_MS = 1500;

const folder = mkdtempSync(join(tmpdir(), 'tessera-trade-'));
after(() => rmSync(folder, { recursive: true, force: true }));

interface Count {
  gold: number;
  given: number;
}

/** Everybody stands still while they are counted. */
async function count(server: TestServer): Promise<Count> {
  const eye = new TesseraClient({
    url: server.wsUrl,
    name: 'eye',
    commands: describeCommands({ Halt: { payload: { on: { type: 'bool' } } } }),
    WebSocket: WebSocket as unknown as SocketClass,
  });
  await eye.connect();
  await server.until('all are born', () => eye.shared?.count === TRADERS);
  eye.send('Halt', { on: true });
  await server.until('they stand still', () => eye.shared?.halted === true);
  await sleep(SETTLE_MS);
  const sum: Count = { gold: Number(eye.shared?.lost), given: 0 };
  let traders = 0;
  for (const { kind, fields } of eye.entities.values()) {
    if (eye.welcome?.kinds[kind] !== 'trader') continue;
    traders++;
    sum.gold += Number(fields[eye.fieldIndex('gold')]);
    sum.given += Number(fields[eye.fieldIndex('given')]);
  }
  assert.equal(traders, TRADERS);
  eye.send('Halt', { on: false });
  await server.until('they go on', () => eye.shared?.halted === false);
  eye.close();
  return sum;
}

test('gold is neither made nor lost by trades over borders, however often the server is killed', async () => {
  const args = [
    '--game',
    GAME,
    '--data',
    folder,
    '--zones',
    '2x2',
    '--threads',
    '2',
    '--bots',
    '0',
    '--log-level',
    'warn',
  ];
  let server = await startServer([...args, '--start', 'fresh']);
  let before = await count(server);
  assert.equal(before.gold, TRADERS * GOLD);
  for (let kill = 0; kill < KILLS; kill++) {
    await sleep(PLAY_MS[0] + ((PLAY_MS[1] - PLAY_MS[0]) * kill) / KILLS);
    if (kill % 2 === 1) process.kill(server.pid, 'SIGUSR2'); // a tick thread ends just before
    await server.kill();
    server = await startServer([...args, '--start', 'resume']);
    const now = await count(server);
    assert.equal(now.gold, TRADERS * GOLD, `after kill ${kill}`);
    assert.ok(now.given > before.given + 100, 'they had traded meanwhile');
    before = now;
  }
  assert.equal(await server.stop(), 0);
});
