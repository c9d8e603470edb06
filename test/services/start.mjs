// npm run services: starts on loopback what the full test suite needs, and says where it is. Run again, it keeps what
// runs and starts what does not. With `--only kafka,redis` just those; with `--state FILE` a second set beside the first;
// with `--keep` a stopped service returns to its port and its data; with `--advertise PORT` the broker of Kafka names
// that port to its clients.

import { mkdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { kafka } from './kafka.mjs';
import { mariadb } from './mariadb.mjs';
import { mongodb } from './mongodb.mjs';
import { STATE_FILE } from './paths.mjs';
import { findFreePort, isAlive, probe, waitReady } from './process.mjs';
import { redis } from './redis.mjs';
import { readState, writeState } from './state.mjs';

const SERVICES = [redis, mariadb, kafka, mongodb];

const { values: options } = parseArgs({
  options: {
    only: { type: 'string' },
    state: { type: 'string', default: STATE_FILE },
    keep: { type: 'boolean', default: false },
    advertise: { type: 'string' },
    'state-path': { type: 'boolean', default: false },
  },
});

function askService(service, port) {
  return probe(port, service.probe.request, service.probe.expected);
}

async function ensureService(service, state) {
  const previous = state.services[service.name];
  if (previous && isAlive(previous.pid, previous.mark) && (await askService(service, previous.port))) {
    console.log(`${service.name}: runs already, port ${previous.port}, pid ${previous.pid}`);
    return;
  }
  const folder = join(dirname(options.state), 'run', service.name);
  const logFile = join(dirname(options.state), 'logs', `${service.name}.log`);
  const kept = options.keep ? previous : undefined;
  if (!kept) rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const port = kept?.port ?? (await findFreePort());
  const startedAt = Date.now();
  const advertise = options.advertise ? Number(options.advertise) : undefined;
  const started = await service.start({ folder, port, logFile, advertise, previous: kept });
  state.services[service.name] = { ...started, port, folder, logFile };
  // Written before it is ready: whatever goes wrong from here, `services:stop` finds the process.
  writeState(state, options.state);
  await waitReady(service.name, {
    ...started,
    logFile,
    check: () => askService(service, port),
    timeoutMs: service.readyMs,
  });
  console.log(`${service.name}: port ${port}, pid ${started.pid}, ready in ${Date.now() - startedAt} ms`);
}

async function main() {
  if (options['state-path']) {
    console.log(options.state);
    return;
  }
  const wanted = options.only?.split(',') ?? SERVICES.map((service) => service.name);
  const state = readState(options.state);
  let failures = 0;
  for (const service of SERVICES.filter(({ name }) => wanted.includes(name))) {
    try {
      await ensureService(service, state);
    } catch (error) {
      failures++;
      console.error(`${service.name}: ${error.message}`);
    }
  }
  for (const { env } of Object.values(state.services)) {
    for (const [name, value] of Object.entries(env)) console.log(`export ${name}='${value}'`);
  }
  process.exitCode = failures > 0 ? 1 : 0;
}

await main();
