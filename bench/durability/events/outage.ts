// "The tick never waits": a server under load while its log and its stores fail in every way there is, through proxies
// in front of them. Every faulty phase stands between two undisturbed ones and is compared with these two.

import { setTimeout as sleep } from 'node:timers/promises';
import { Progress, say } from '../../../src/server/cli/progress.js';
import { FAULTS, type Fault } from '../../faults/faults.js';
import { openKafkaProxy } from '../../faults/kafka-proxy.js';
import { TcpProxy } from '../../faults/tcp-proxy.js';
import { defaultOptions } from '../../load/options.js';
import type { Metrics } from '../../load/report/server-figures.js';
import { planSwarm } from '../../load/run.js';
import { planScene } from '../../load/scene.js';
import type { ServerUnderTest } from '../../load/server-under-test.js';
import { SwarmThreads } from '../../load/swarm/swarm-threads.js';
import { formatColumns, pauseUnlessStopped, type Scenario, type ScenarioValues } from '../../scenario.js';
import { startEventServer, Tap } from './event-server.js';
import { backlogOf, formatPercent, PhaseFigures, percentAbove, readMetrics } from './figures.js';

const PROMISED_PERCENT = 10;
const TICK_HZ = 60;
const WARM_UP_MS = 4000;
/** After a fault: for the backlog to go, before the next undisturbed phase begins. */
const SETTLE_MS_MAX = 30000;
const SETTLE_MS_MIN = 1000;
const SETTLED_EVENTS = 5000;
/** Snapshots more often than by default, so that every phase has some of both kinds. */
const SNAPSHOTS = { 'hot-snapshot-ms': 1000, 'cold-snapshot-ms': 5000 };

const BACKENDS = [
  {
    name: 'log',
    variable: 'TESSERA_KAFKA',
    form: /^([\w.-]+):(\d+)$/,
    example: '127.0.0.1:9092, one broker of this machine',
  },
  { name: 'hot', variable: 'TESSERA_REDIS', form: /^redis:\/\/([\w.-]+):(\d+)/, example: 'redis://127.0.0.1:6379' },
  {
    name: 'cold',
    variable: 'TESSERA_MONGODB',
    form: /^mongodb:\/\/([\w.-]+):(\d+)/,
    example: 'mongodb://127.0.0.1:27017/bench',
  },
] as const;
type BackendName = (typeof BACKENDS)[number]['name'];

interface Case {
  backend: BackendName;
  fault: Fault;
  disturbed: PhaseFigures[];
  /** From where the fault begins to where its backlog is gone: some failures only show when they time out. */
  counted: PhaseFigures[];
  undisturbed: PhaseFigures[];
}

export const scenario: Scenario = {
  name: 'outage',
  summary: 'ticks of a server under load while its log, hot or cold store is stopped, slow, half-open or flapping',
  options: [
    { name: 'seconds', value: 8, min: 2, max: 600, about: 'of each phase' },
    { name: 'rounds', value: 3, min: 1, max: 100, about: 'times that every fault is staged' },
    {
      name: 'clients',
      value: 300,
      min: 1,
      max: 4000,
      about: 'players of the load tester, 30 inputs and updates per second each',
    },
    { name: 'events', value: 3000, min: 0, max: 100000, about: 'events per second beside those of the play' },
    { name: 'backend', value: 'all', choices: ['all', 'log', 'hot', 'cold'], about: 'what fails' },
    { name: 'fault', value: 'all', choices: ['all', ...FAULTS.map(({ name }) => name)], about: 'in which way' },
    { name: 'seed', value: 1, min: 0, max: 2 ** 31 - 1, about: 'of the world and the players' },
  ],
  findProblems: () =>
    BACKENDS.filter(({ variable, form }) => !form.test(process.env[variable] ?? '')).map(
      ({ variable, example }) =>
        `needs ${variable}, such as ${example}; it is ${process.env[variable] ?? 'not set'}. Use services that no game runs on: it writes to them`,
    ),
  async run(values, signal) {
    const proxies = await openProxies();
    try {
      await new Outage(values, proxies, signal).run();
    } finally {
      await Promise.all(Object.values(proxies).map(({ proxy }) => proxy.close()));
    }
  },
};

interface Proxied {
  proxy: TcpProxy;
  /** For the server. */
  address: string;
  /** False: clients were told to go past the proxy. */
  isInTheWay(): boolean;
}
type Proxies = Record<BackendName, Proxied>;

async function openProxies(): Promise<Proxies> {
  const opened = await Promise.all(
    BACKENDS.map(async ({ name, variable, form }): Promise<[BackendName, Proxied]> => {
      const address = process.env[variable] as string;
      const [, host, port] = form.exec(address) as RegExpExecArray;
      if (name === 'log') {
        const { proxy, address: proxied, rewrittenCount } = await openKafkaProxy(host, Number(port));
        return [name, { proxy, address: proxied, isInTheWay: () => rewrittenCount() > 0 }];
      }
      const proxy = await TcpProxy.open(Number(port));
      const proxied = address.replace(`${host}:${port}`, `127.0.0.1:${proxy.port}`);
      return [name, { proxy, address: proxied, isInTheWay: () => true }];
    }),
  );
  return Object.fromEntries(opened) as Proxies;
}

class Outage {
  private readonly cases: Case[];
  private readonly seconds: number;
  private readonly progress: Progress;
  private phasesDone = 0;
  private server!: ServerUnderTest;

  constructor(
    private readonly values: ScenarioValues,
    private readonly proxies: Proxies,
    private readonly signal: AbortSignal,
  ) {
    this.seconds = Number(values.seconds);
    this.cases = BACKENDS.flatMap(({ name: backend }) =>
      FAULTS.map((fault) => ({ backend, fault, disturbed: [], counted: [], undisturbed: [] })),
    ).filter(({ backend, fault }) => isChosen(values.backend, backend) && isChosen(values.fault, fault.name));
    this.progress = new Progress('phases', Number(values.rounds) * this.cases.length * 2 + 1);
  }

  async run(): Promise<void> {
    const { clients, seed, events } = this.values;
    const { log, hot, cold } = this.proxies;
    const settings = { kafka: log.address, redis: hot.address, mongodb: cold.address, start: 'fresh', ...SNAPSHOTS };
    this.server = await startEventServer({ clients: Number(clients), seed: Number(seed), settings });
    try {
      const swarm = this.openSwarm();
      try {
        await swarm.requestAll('connect');
        await swarm.requestAll('startInputs');
        const tap = await Tap.open(this.server);
        await tap.set(Math.round(Number(events) / TICK_HZ));
        await pauseUnlessStopped(WARM_UP_MS, this.signal);
        this.assertInTheWay();
        await this.stageAll();
        await tap.set(0);
        this.progress.stop();
        await this.report(await this.settle());
        tap.close();
      } finally {
        await swarm.close();
      }
    } finally {
      this.progress.stop();
      await this.server.stop();
    }
  }

  private openSwarm(): SwarmThreads {
    const options = { ...defaultOptions(), clients: Number(this.values.clients), seed: Number(this.values.seed) };
    return new SwarmThreads(
      planSwarm(options, planScene('spread', options.clients, options.visible), this.server.url),
      1,
    );
  }

  /** Only a broker sends its clients elsewhere. */
  private assertInTheWay(): void {
    if (this.proxies.log.isInTheWay()) return;
    throw new Error('the server reaches Kafka past the proxy: the broker must call itself what TESSERA_KAFKA calls it');
  }

  private async stageAll(): Promise<void> {
    let before = await this.measure('undisturbed');
    for (let round = 0; round < Number(this.values.rounds); round++) {
      for (const staged of this.cases) {
        if (this.signal.aborted) return;
        const begin = await readMetrics(this.server);
        const heal = await staged.fault.begin(this.proxies[staged.backend].proxy);
        const disturbed = await this.measure(`${staged.backend} ${staged.fault.name}`);
        await heal();
        const counted = PhaseFigures.between(begin, await this.settle(), 0);
        const after = await this.measure('undisturbed');
        if (disturbed === undefined || before === undefined || after === undefined) return;
        staged.disturbed.push(disturbed);
        staged.counted.push(counted);
        staged.undisturbed.push(before, after);
        before = after;
      }
    }
  }

  /** Undefined when it was cut short. */
  private async measure(name: string): Promise<PhaseFigures | undefined> {
    const begin = await readMetrics(this.server);
    const beganMs = performance.now();
    await pauseUnlessStopped(this.seconds * 1000, this.signal);
    const end = await readMetrics(this.server);
    this.phasesDone++;
    this.progress.update(this.phasesDone, name);
    const exit = this.server.exitText();
    if (exit !== null) throw new Error(`${exit}; it said:\n${this.server.log()}`);
    return this.signal.aborted ? undefined : PhaseFigures.between(begin, end, (performance.now() - beganMs) / 1000);
  }

  private async settle(): Promise<Metrics> {
    const beganMs = performance.now();
    await sleep(SETTLE_MS_MIN);
    let metrics = await readMetrics(this.server);
    while (backlogOf(metrics) > SETTLED_EVENTS && performance.now() - beganMs < SETTLE_MS_MAX && !this.signal.aborted) {
      await sleep(250);
      metrics = await readMetrics(this.server);
    }
    return metrics;
  }

  private async report(last: Metrics): Promise<void> {
    const { clients, events, rounds } = this.values;
    const lines = [
      `${clients} clients walking, ${events} events/s, phases of ${this.seconds} s, ${rounds} rounds; tick times in ms`,
    ];
    lines.push(formatColumns([HEAD, ...this.cases.filter(({ disturbed }) => disturbed.length > 0).map(describeCase)]));
    const sum = PhaseFigures.between(new Map(), last, 0).counts;
    lines.push(
      `in all: ${sum.read} events read from the rings, ${sum.appended} taken by the log, ${sum.lost} lost, ` +
        `${sum.ringFull} refused by a full ring, ${backlogOf(last)} still wait; ${sum.skippedTicks} ticks skipped`,
    );
    process.stdout.write(`${lines.join('\n')}\n`);
    for (const fault of FAULTS) say(`${fault.name}: ${fault.about}`);
  }
}

const HEAD = [
  '',
  'p50',
  'p99',
  'max',
  'undisturbed p50',
  'p99',
  'max',
  'p99 against it',
  'promise',
  'lost',
  'spooled',
  'log failures',
  'hot',
  'cold',
];

function isChosen(chosen: number | string, name: string): boolean {
  return chosen === 'all' || chosen === name;
}

function describeCase({ backend, fault, disturbed, counted, undisturbed }: Case): string[] {
  const during = PhaseFigures.sum(disturbed);
  const beside = PhaseFigures.sum(undisturbed);
  const percent = percentAbove(during.tickMs(0.99), beside.tickMs(0.99));
  const ticks = [during, beside].flatMap((figures) =>
    [figures.tickMs(0.5), figures.tickMs(0.99), figures.tickMsMax].map((ms) => ms.toFixed(2)),
  );
  const { lost, spooled, logFailures, hotFailures, coldFailures } = PhaseFigures.sum(counted).counts;
  return [
    `${backend} ${fault.name}`,
    ...ticks,
    formatPercent(percent),
    percent <= PROMISED_PERCENT ? 'kept' : 'missed',
    ...[lost, spooled, logFailures, hotFailures, coldFailures].map(String),
  ];
}
