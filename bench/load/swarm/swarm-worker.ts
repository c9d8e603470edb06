// Thread that generates load: answers the requests of messages.ts with a Swarm.

import { parentPort, workerData } from 'node:worker_threads';
import { assert } from '../../../src/base/assert.js';
import type { SwarmMessage, SwarmPlan, SwarmRequest, SwarmRequestName, SwarmRequests } from './messages.js';
import { Swarm } from './swarm.js';
import { SwarmCensus } from './swarm-census.js';

const PROGRESS_MS = 500;

const port = parentPort;
assert(port !== null, 'swarm-worker runs as a worker thread');

const swarm = new Swarm(workerData as SwarmPlan);
const census = new SwarmCensus(swarm);

function post(message: SwarmMessage): void {
  port!.postMessage(message);
}

async function perform(name: SwarmRequestName): Promise<SwarmRequests[SwarmRequestName]> {
  switch (name) {
    case 'connect':
      return swarm.connect();
    case 'endWindow':
      return swarm.endWindow();
    case 'lookAround':
      return census.lookAround();
    case 'readCensus':
      return census.read();
    case 'startInputs':
      swarm.startInputs();
      return null;
    case 'beginWindow':
      swarm.beginWindow();
      return null;
    case 'endCensus':
      census.end();
      return null;
    case 'close':
      clearInterval(progressTimer);
      port!.unref();
      return swarm.close();
  }
}

const progressTimer = setInterval(() => post({ type: 'progress', progress: swarm.progress() }), PROGRESS_MS);

port.on('message', ({ id, name }: SwarmRequest) => {
  perform(name).then(
    (result) => post({ type: 'reply', id, result }),
    (error: Error) => post({ type: 'failure', id, text: error.stack ?? error.message }),
  );
});
