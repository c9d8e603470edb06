// The I/O thread: events to the log, committed state to the stores. The only thread that a slow backend can slow.
// io-parts.ts opens what it works with, io-beats.ts says when each part works, io-stop.ts ends it.

import type { MessagePort } from 'node:worker_threads';
import { nowMs } from '../../base/clock.js';
import { loadBackends } from '../../stores/open-stores.js';
import { IoBeats } from './io-beats.js';
import { openIoParts, subscribeToPlatform } from './io-parts.js';
import { stopIo } from './io-stop.js';
import { IoWatch } from './io-watch.js';
import type { FromIoThread, IoBeginning, IoThreadData, ToIoThread } from './thread-messages.js';

/** Resolves when the thread is at work. `jobEntry` is the module of its job thread. */
export async function runIoThread(data: IoThreadData, port: MessagePort, jobEntry: URL): Promise<void> {
  const send = (message: FromIoThread): void => port.postMessage(message);
  const say = (line: string): void => send({ kind: 'notice', line });
  const { kafka, redis, mongodb } = data.plan.settings;
  await loadBackends({ kafka, redis, mongodb });
  const beginning = await waitForBeginning(port, send);
  const parts = await openIoParts({ data, beginning, jobEntry, send, say });
  const { journal, bans, desk, playerSnapshotter } = parts;
  void bans.load().then((loaded) => loaded && send({ kind: 'bans', bans: loaded }));
  await journal
    ?.begin(nowMs())
    .catch((error: Error) => say(`the journal does not begin: ${error.message}; until it does, a kill loses more`));
  send({ kind: 'ready' });
  // Not sooner: main's answers would find nobody who listens.
  const subscribed = subscribeToPlatform(parts, say);
  const beats = new IoBeats(parts, data.plan.settings);
  const watch = new IoWatch(parts, (status) => send({ kind: 'status', status }));
  watch.start();
  port.on('message', (message: ToIoThread) => {
    if (message.kind === 'stop') void stop();
    else if (message.kind === 'settings') beats.changePeriods(message);
    else if (message.kind === 'outcome') desk.settle(message.request, message.outcome);
    else if (message.kind === 'session') playerSnapshotter.joined(message.session);
    else if (message.kind === 'sessionOver')
      playerSnapshotter.left(message.client, message.generation, message.isForGood);
    else if (message.kind === 'findPlayer') void findPlayer(message.request, message.playerId);
  });

  async function stop(): Promise<void> {
    beats.stop();
    const unkept = await stopIo(parts, subscribed, say);
    watch.stop();
    send({ kind: 'stopped', unkept });
    port.close();
  }

  async function findPlayer(request: number, playerId: string): Promise<void> {
    try {
      send({ kind: 'player', request, player: await playerSnapshotter.find(playerId), problem: '' });
    } catch (error) {
      send({ kind: 'player', request, player: undefined, problem: (error as Error).message });
    }
  }
}

/** Main says so when this thread has loaded and the world is recovered. */
function waitForBeginning(port: MessagePort, send: (message: FromIoThread) => void): Promise<IoBeginning> {
  return new Promise((resolve) => {
    const listen = (message: ToIoThread): void => {
      if (message.kind !== 'begin') return;
      port.off('message', listen);
      resolve(message.beginning);
    };
    port.on('message', listen);
    send({ kind: 'loaded' });
  });
}
