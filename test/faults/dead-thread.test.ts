import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { WebSocket } from 'ws';
import { TesseraClient } from '../../src/client/client.js';
import type { SocketClass } from '../../src/client/socket.js';
import { startServer, type TestServer } from '../server.js';
import chaos from './games/chaos-game.js';

const GAME = fileURLToPath(new URL('./games/chaos-game.js', import.meta.url));
const CLIENTS = 8;

let server: TestServer | undefined;
after(async () => {
  await server?.stop();
});

interface Player {
  client: TesseraClient;
  closed: boolean;
  steps(): number;
}

async function join(url: string, name: string): Promise<Player> {
  const client = new TesseraClient({
    url,
    name,
    commands: chaos.commands as never,
    WebSocket: WebSocket as unknown as SocketClass,
  });
  const player: Player = {
    client,
    closed: false,
    steps: () => (client.self?.fields[0] as number | undefined) ?? -1,
  };
  client.onClose = () => {
    player.closed = true;
  };
  await client.connect();
  return player;
}

async function readJson(url: string): Promise<{ status: number; body: Record<string, never> }> {
  const response = await fetch(url);
  return { status: response.status, body: (await response.json()) as Record<string, never> };
}

test('a thread that throws, exits, spins or is killed is replaced: nobody is disconnected, nothing committed is lost', async () => {
  server = await startServer(['--game', GAME, '--zones', '2x2', '--threads', '2', '--world', '200x200']);
  const players = await Promise.all(Array.from({ length: CLIENTS }, (_, i) => join(server?.wsUrl as string, `p${i}`)));
  let steps = 0;
  for (const fault of ['Throw', 'Exit', 'Spin', 'kill', 'Throw']) {
    steps++;
    for (const { client } of players) client.send('Step', {});
    await server.until(`step ${steps} is seen by all`, () => players.every((player) => player.steps() === steps));
    const restartsBefore = (server.log().match(/tick thread replaced/g) ?? []).length;
    if (fault === 'kill') process.kill(server.pid, 'SIGUSR2');
    else players[steps % CLIENTS].client.send(fault, {});
    await server.until(`${fault}: the thread is replaced`, () => {
      return (server?.log().match(/tick thread replaced/g) ?? []).length > restartsBefore;
    });
    const frames = players.map(({ client }) => client.traffic.framesIn);
    await server.until(`${fault}: everybody gets frames again`, () =>
      players.every(({ client }, i) => client.traffic.framesIn > frames[i]),
    );
    for (const [i, player] of players.entries()) {
      assert.equal(player.closed, false, `${fault}: client ${i} is still connected`);
      assert.equal(player.steps(), steps, `${fault}: client ${i} kept its entity and what was committed`);
    }
  }
  for (const { client } of players) client.close();
});

test('a thread that fails again and again backs off, and the server says that it is not ready', async () => {
  const cursed = await startServer(['--game', GAME, '--zones', '1x1', '--world', '200x200']);
  try {
    const player = await join(cursed.wsUrl, 'witch');
    assert.equal((await readJson(`${cursed.url}/readyz`)).status, 200);
    player.client.send('Curse', {});
    await cursed.until('it is unready for good', async () => {
      const { status, body } = await readJson(`${cursed.url}/readyz`);
      return status === 503 && JSON.stringify(body).includes('times in a row');
    });
    assert.match(JSON.stringify((await readJson(`${cursed.url}/readyz`)).body), /this world is cursed/);
    assert.equal(player.closed, false);
    player.client.close();
  } finally {
    const exit = await cursed.stop();
    assert.equal(exit, 0, 'it still ends cleanly');
  }
});
