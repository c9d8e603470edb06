import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { DelayedFrames } from '../../../src/net/gateway/delayed-frames.js';
import { DROP_DELAYED, NetCounters } from '../../../src/net/gateway/net-counters.js';
import { SESSION_LIVE, SessionTable } from '../../../src/net/gateway/session.js';
import { DELAYED_FRAME_BYTES, RESYNC_RETRY_MS } from '../../../src/net/limits.js';
import { buildFrame, openFrame } from '../../../src/protocol/fb/server-frame.js';

const DELAY_MS = 1000;
const frameOf = (tick: number, full = false) => buildFrame({ tick, ack: 0, full });
const ROOM = frameOf(1, true).length + DELAYED_FRAME_BYTES;

/** `most`: spectators, who share the room of `frames` frames each. */
function stage(t: TestContext, most = 2, frames = 100) {
  const sessions = new SessionTable(4, new Float64Array([0]));
  const counters = new NetCounters();
  const sent: string[] = [];
  const asked: number[] = [];
  let now = 0;
  const delayed = new DelayedFrames({
    ...{ sessions, counters, delayMs: DELAY_MS, spectatorsMax: most, bytesMax: most * frames * ROOM },
    send: (client, frame) => sent.push(`${client}:${openFrame(frame)?.tick()}`),
    askForFull: (client) => asked.push(client),
    clock: () => now,
  });
  t.after(() => delayed.stop());
  const join = (): number => {
    const client = sessions.open(0);
    sessions.setState(client, SESSION_LIVE);
    delayed.begin(client);
    return client;
  };
  const take = (client: number, tick: number, full = false) => {
    const frame = frameOf(tick, full);
    delayed.take(client, frame, 0, frame.length);
  };
  const at = (ms: number): string[] => {
    now = ms;
    delayed.release();
    return sent.splice(0);
  };
  return { sessions, counters, delayed, asked, join, take, at, drops: () => counters.drops[DROP_DELAYED] };
}

test('frames go out in their order when their time has come, and not before', (t) => {
  const { join, take, at, drops } = stage(t);
  const [a, b] = [join(), join()];
  take(a, 1, true);
  at(400);
  take(b, 2, true);
  take(a, 3);
  assert.deepEqual(at(DELAY_MS - 1), []);
  assert.deepEqual(at(DELAY_MS), [`${a}:1`]);
  assert.deepEqual(at(DELAY_MS + 400), [`${b}:2`, `${a}:3`]);
  assert.equal(drops(), 0);
});

test('what finds no room in its share is dropped, up to a full frame that is asked for; others are not touched', (t) => {
  const { join, take, at, asked, drops } = stage(t, 2, 2);
  const [a, b] = [join(), join()];
  take(a, 1, true);
  take(a, 2);
  take(a, 3);
  take(b, 3, true);
  assert.deepEqual([drops(), asked], [1, []], 'nothing is asked for while there is no room for it');
  assert.deepEqual(at(DELAY_MS), [`${a}:1`, `${a}:2`, `${b}:3`]);
  take(a, 4);
  take(a, 5);
  assert.deepEqual([drops(), asked], [3, [a]], 'asked for once');
  at(DELAY_MS + RESYNC_RETRY_MS);
  take(a, 6);
  assert.deepEqual([drops(), asked], [4, [a, a]], 'and again after a while');
  take(a, 7, true);
  take(a, 8);
  assert.deepEqual(at(3 * DELAY_MS + RESYNC_RETRY_MS), [`${a}:7`, `${a}:8`]);
  assert.equal(drops(), 4);
});

test('what waits of a spectator that is gone reaches nobody, and gives back its room', (t) => {
  const { sessions, join, take, at, drops } = stage(t, 1, 2);
  const first = join();
  take(first, 1, true);
  take(first, 2);
  sessions.release(first);
  const next = [join(), join(), join(), join()].find((client) => client === first);
  assert.equal(next, first);
  assert.deepEqual(at(DELAY_MS), []);
  take(first, 3, true);
  take(first, 4);
  assert.deepEqual(at(2 * DELAY_MS), [`${first}:3`, `${first}:4`]);
  assert.equal(drops(), 0);
});

test('a timer sends what nobody asks for', async (t) => {
  const sessions = new SessionTable(1, new Float64Array([0]));
  let resolve: (client: number) => void = () => {};
  const sent = new Promise<number>((found) => {
    resolve = found;
  });
  const delayed = new DelayedFrames({
    ...{ sessions, counters: new NetCounters(), delayMs: 20, spectatorsMax: 1 },
    send: (client) => resolve(client),
    askForFull: () => {},
  });
  t.after(() => delayed.stop());
  const client = sessions.open(0);
  sessions.setState(client, SESSION_LIVE);
  const frame = frameOf(1, true);
  delayed.take(client, frame, 0, frame.length);
  assert.equal(await sent, client);
});
