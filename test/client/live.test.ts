// Two clients of the SDK on a real server.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WebSocket } from 'ws';
import { type FrameInfo, TesseraClient } from '../../src/client/client.js';
import { ARENA_COMMANDS } from '../../src/games/arena/command-forms.js';
import { startServer } from '../server.js';

/** The first frame after which the condition holds. */
function frameWhere(client: TesseraClient, holds: (frame: FrameInfo) => boolean): Promise<FrameInfo> {
  return new Promise((resolve, reject) => {
    client.onFrame = (frame) => {
      if (frame.delta.error !== null) reject(new Error(`tick ${frame.tick}: ${frame.delta.error}`));
      if (holds(frame)) resolve(frame);
    };
    client.onClose = ({ reason }) => reject(new Error(`closed: ${reason}`));
  });
}

test('two clients see each other, one walks, and both see it walk', async () => {
  const server = await startServer(['--spawn', 'crowd', '--bots', '40']);
  const [walker, watcher] = ['walker', 'watcher'].map(
    (name) => new TesseraClient({ url: server.wsUrl, name, commands: ARENA_COMMANDS, WebSocket }),
  );
  try {
    const welcome = await walker.connect();
    await watcher.connect();
    assert.equal(welcome.game, 'arena');
    await frameWhere(walker, () => walker.self !== null);
    const id = welcome.entityId;
    await frameWhere(watcher, () => watcher.entities.has(id));
    const startX = watcher.entities.get(id)!.x;
    const direction = startX < welcome.worldWidth / 2 ? 1 : -1;
    const seq = walker.send('Move', { x: direction * 127, y: 0 });
    const frame = await frameWhere(walker, ({ ack }) => ack >= seq);
    assert.equal(frame.ack, seq);
    assert.ok(walker.roundTrip.count === 1 && walker.roundTrip.lastMs > 0);
    await frameWhere(watcher, () => (watcher.entities.get(id)!.x - startX) * direction > 2);
    await frameWhere(walker, () => (walker.self!.x - startX) * direction > 2);
    walker.ping();
    await frameWhere(walker, () => walker.pingMs > 0);
    assert.deepEqual([walker.traffic.framesBad, watcher.traffic.framesBad], [0, 0]);
    walker.close();
    await frameWhere(watcher, () => !watcher.entities.has(id));
  } finally {
    walker.close();
    watcher.close();
    await server.stop();
  }
});
