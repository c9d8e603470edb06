// npm run services:stop: stops by pid what start.mjs started, and nothing else. Logs stay, data does not.

import { rmSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { STATE_FILE } from './paths.mjs';
import { isAlive, stopProcess } from './process.mjs';
import { readState, removeState } from './state.mjs';

const { values: options } = parseArgs({ options: { state: { type: 'string', default: STATE_FILE } } });

const state = readState(options.state);
await Promise.all(
  Object.entries(state.services).map(async ([name, service]) => {
    const ran = isAlive(service.pid, service.mark);
    await stopProcess(service.pid, service.mark);
    rmSync(service.folder, { recursive: true, force: true });
    console.log(ran ? `${name}: stopped, pid ${service.pid}` : `${name}: did not run`);
  }),
);
removeState(options.state);
