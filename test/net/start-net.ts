// A net side on a free port of this machine, with the echo world behind it.

import { DEFAULTS } from '../../src/config/settings.js';
import { Metrics } from '../../src/net/http/metrics.js';
import { createNet, type Net, type NetOptions, type NetSettings } from '../../src/net/net.js';
import { EchoWorld, echoGame, QUANTUM } from './echo-world.js';

export interface Running {
  net: Net;
  world: EchoWorld;
  metrics: Metrics;
  port: number;
  /** Lets the world make frames until the end of the test. */
  stepEvery(ms: number, paddingBytes?: number): void;
  stop(): Promise<void>;
}

const running = new Set<Running>();

/** For after(): a test that failed has left its server behind, and that would keep the process alive. */
export async function stopAll(): Promise<void> {
  await Promise.all([...running].map((one) => one.stop()));
}

const silentLog = { debug() {}, info() {}, warn() {}, error() {} };

export async function startNet(settings: Partial<NetSettings> = {}, rest: Partial<NetOptions> = {}): Promise<Running> {
  const world = new EchoWorld();
  const metrics = new Metrics();
  const net = createNet({
    settings: { ...DEFAULTS, port: 0, clientsMax: 64, ...settings },
    game: echoGame,
    quantum: QUANTUM,
    leaveRadius: 30,
    world,
    log: silentLog,
    metrics,
    health: () => ({ clients: net.stats.clients }),
    ready: () => ({ ready: true, reasons: [] }),
    ...rest,
  });
  world.sink = net.sink;
  const timers: NodeJS.Timeout[] = [];
  const { port } = await net.listen();
  const started: Running = {
    net,
    world,
    metrics,
    port,
    stepEvery: (ms, paddingBytes = 0) => {
      timers.push(setInterval(() => world.step(paddingBytes), ms));
    },
    stop: async () => {
      for (const timer of timers) clearInterval(timer);
      running.delete(started);
      await net.close();
    },
  };
  running.add(started);
  return started;
}

/** Waits for what must come; a limit far above what it takes turns a hang into a failure. */
export async function until(what: string, condition: () => boolean, limitMs = 15000): Promise<void> {
  const start = performance.now();
  while (!condition()) {
    if (performance.now() - start > limitMs) throw new Error(`waited in vain: ${what}`);
    await sleep(5);
  }
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
