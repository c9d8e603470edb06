// npm run drill: kills a real server with SIGKILL again and again, also while it starts, starts it anew on the same data
// folder, and checks each time what was promised of a kill: how much play is lost, that the world is the one that was,
// and that the event log keeps what it acknowledged. A seed repeats the choices, not the machine's timing.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { flagsOf } from '../../../bench/server-process.js';
import { createRandom } from '../../../src/base/chance.js';
import { Progress, say } from '../../../src/server/cli/progress.js';
import { findLogFaults, type LoggedEvent, readEvents } from './drill-log.js';
import { DrillPlayer } from './drill-player.js';
import { type DrillHealth, DrillServer } from './drill-server.js';
import { compareSight, type FoundWorld, readFoundWorld } from './drill-world.js';

const TICK_HZ = 60;
const ZONES = 4;
const EXIT_WRONG_OPTIONS = 2;
const EXIT_INTERRUPTED = 130;
/** Of the kills: while the server starts, and within 100 ms after it is ready. The others fall into play. */
const SHARE_STARTING = 0.2;
const SHARE_JUST_READY = 0.2;
const JUST_READY_MS = 100;
const PLAY_MS_MIN = 200;
const POLL_MS = 50;
/** So many units of the world to an entity at least. */
const UNITS_PER_ENTITY = 64;
const WORLD_SIDE_MIN = 512;
const WORLD_SIDE_MAX = 8192;

export interface DrillOptions {
  kills: number;
  clients: number;
  bots: number;
  seed: number;
  /** The longest play between two kills. */
  playMs: number;
  hotSnapshotMs: number;
  flushMs: number;
  /** Allowed beyond the flush interval, for machines that are busy with something else. */
  slackMs: number;
}

export const DRILL_DEFAULTS: DrillOptions = {
  kills: 100,
  clients: 20,
  bots: 200,
  seed: 1,
  playMs: 2500,
  hotSnapshotMs: 1000,
  flushMs: 100,
  slackMs: 0,
};

export interface DrillResult {
  kills: { starting: number; justReady: number; playing: number };
  /** Ticks between the newest frame that a client had and where the world went on, of each kill that clients saw. */
  behindTicks: number[];
  readyMs: number[];
  recoveryMs: number[];
  sources: Record<string, number>;
  /** Positions that clients had seen in the very tick that the world went on from. */
  sightsCompared: number;
  /** Clients whose entities had outlived the kill, and who joined again. */
  cameBack: number;
  events: number;
  eventsTwice: number;
  faults: string[];
  /** What recoveries could not use, by how often. */
  skipped: Record<string, number>;
}

type KillKind = keyof DrillResult['kills'];

export class KillDrill {
  readonly result: DrillResult = {
    kills: { starting: 0, justReady: 0, playing: 0 },
    behindTicks: [],
    readyMs: [],
    recoveryMs: [],
    sources: {},
    sightsCompared: 0,
    cameBack: 0,
    events: 0,
    eventsTwice: 0,
    faults: [],
    skipped: {},
  };
  private readonly random: () => number;
  private readonly players: DrillPlayer[];
  private readonly flags: string[];
  private log: LoggedEvent[] = [];
  private round = 0;
  /** The newest tick that somebody knows of: of a frame, or where the world went on. */
  private knownTick = 0;
  /** Whether a client had frames of this life. */
  private isSeen = false;
  /** Of the session that was looked at last. */
  private epoch = 0;
  private entities: FoundWorld['entities'] = new Map();

  constructor(
    private readonly folder: string,
    private readonly options: DrillOptions,
    private readonly signal?: AbortSignal,
  ) {
    const { seed, clients, bots, hotSnapshotMs, flushMs } = options;
    this.random = createRandom(seed);
    this.players = Array.from({ length: clients }, (_, i) => new DrillPlayer(`player ${i}`, this.random));
    const wanted = Math.ceil(Math.sqrt(bots * UNITS_PER_ENTITY));
    const side = Math.min(WORLD_SIDE_MAX, Math.max(WORLD_SIDE_MIN, wanted));
    this.flags = flagsOf({
      host: '127.0.0.1',
      port: 0,
      data: folder,
      bots,
      seed,
      world: `${side}x${side}`,
      'clients-max': Math.max(64, clients),
      zones: '2x2',
      'tick-hz': TICK_HZ,
      'hot-snapshot-ms': hotSnapshotMs,
      'journal-flush-ms': flushMs,
    });
  }

  async run(onRound: (round: number, text: string) => void = () => {}): Promise<DrillResult> {
    const { kills } = this.options;
    for (this.round = 0; this.round < kills && !this.signal?.aborted; this.round++) {
      const kind = this.chooseKind();
      await this.live(kind);
      this.result.kills[kind]++;
      onRound(this.round + 1, `${kind}, ${this.result.faults.length} violations`);
    }
    if (this.signal?.aborted) return this.result;
    // The last kill is looked at too.
    const server = new DrillServer(this.flags);
    try {
      await server.ready(this.signal);
      await this.checkWorld(server);
    } finally {
      await server.kill();
    }
    await this.checkLog(0);
    return this.result;
  }

  private chooseKind(): KillKind {
    const dice = this.random();
    if (dice < SHARE_STARTING && this.round > 0) return 'starting';
    return dice < SHARE_STARTING + SHARE_JUST_READY ? 'justReady' : 'playing';
  }

  /** From a start to the next kill. */
  private async live(kind: KillKind): Promise<void> {
    const server = new DrillServer(this.flags);
    let acknowledged = 0;
    try {
      if (kind === 'starting') {
        const usualMs = this.result.readyMs.at(-1) ?? 1000;
        await sleep(this.random() * usualMs, undefined, { signal: this.signal });
        if (server.isListening) await this.checkWorld(server);
      } else {
        await server.ready(this.signal);
        const waitMs = kind === 'justReady' ? this.random() * JUST_READY_MS : this.choosePlayMs();
        // In its first moments the server is not asked anything, and clients come when they come.
        if (kind === 'justReady') await sleep(waitMs);
        else acknowledged = await this.play(server, waitMs);
      }
    } catch (error) {
      if (!this.signal?.aborted) throw error;
    } finally {
      await server.kill();
      this.checkFound(); // it may have come that far without our asking
      for (const player of this.players) {
        if (player.newestTick > 0) {
          this.isSeen = true;
          this.knownTick = Math.max(this.knownTick, player.newestTick);
        }
        player.leave();
      }
    }
    if (!this.signal?.aborted) await this.checkLog(acknowledged);
  }

  private choosePlayMs(): number {
    return PLAY_MS_MIN + this.random() * Math.max(0, this.options.playMs - PLAY_MS_MIN);
  }

  /** How many events had been acknowledged when it was asked last. */
  private async play(server: DrillServer, ms: number): Promise<number> {
    await this.checkWorld(server);
    await Promise.all(this.players.map((player) => this.enter(player, server)));
    const deadlineMs = performance.now() + ms;
    let acknowledged = 0;
    while (performance.now() < deadlineMs) {
      this.signal?.throwIfAborted();
      acknowledged = (await server.eventsAppended()) ?? acknowledged;
      await sleep(Math.min(POLL_MS, Math.max(0, deadlineMs - performance.now())));
      if (server.hasEnded) throw new Error(`the server ended by itself:\n${server.log()}`);
    }
    return acknowledged;
  }

  /** Whoever's entity is in the world comes back to it. */
  private async enter(player: DrillPlayer, server: DrillServer): Promise<void> {
    const former = player.entityId;
    const isThere = this.entities.get(former)?.isOwned === true;
    await player.join(server.wsUrl);
    if (!isThere) return;
    this.result.cameBack++;
    if (player.entityId === former) return;
    this.fault(`${player.name} had entity ${former}, which is there, and came back as ${player.entityId}`);
  }

  private async checkWorld(server: DrillServer): Promise<void> {
    const { result } = this;
    const { recovery } = await server.health<DrillHealth>();
    this.checkFound();
    result.readyMs.push(server.readyMs);
    result.recoveryMs.push(recovery.ms);
    result.sources[recovery.source] = (result.sources[recovery.source] ?? 0) + 1;
    for (const reason of recovery.skipped) {
      const what = reason.replace(/\d+/g, 'N');
      result.skipped[what] = (result.skipped[what] ?? 0) + 1;
    }
  }

  /** The world that the last start found, once. */
  private checkFound(): void {
    const { result, options, players } = this;
    const world = readFoundWorld(this.folder);
    if (world.epoch === this.epoch || world.zones < ZONES) return;
    this.epoch = world.epoch;
    this.entities = world.entities;
    for (const fault of world.faults) this.fault(fault);
    const behind = this.knownTick - world.tick;
    if (this.isSeen) result.behindTicks.push(Math.max(0, behind));
    const allowed = ((options.flushMs + options.slackMs) * TICK_HZ) / 1000;
    if (behind > allowed) {
      this.fault(
        `the world goes on from tick ${world.tick}, and ${this.knownTick} was known: ${behind} ticks are lost`,
      );
    }
    for (const { name, sights, quantum } of players) {
      const sight = sights.get(world.tick);
      if (sight === undefined) continue;
      result.sightsCompared++;
      for (const fault of compareSight(world, name, sight, quantum)) this.fault(fault);
    }
    for (const { sights } of players) sights.clear();
    this.knownTick = world.tick;
    this.isSeen = false;
  }

  private async checkLog(acknowledged: number): Promise<void> {
    const now = await readEvents(this.folder);
    for (const fault of findLogFaults(this.log, now, acknowledged)) this.fault(fault);
    this.log = now;
    this.result.events = now.length;
    this.result.eventsTwice = now.length - new Set(now.map(({ eventId }) => eventId)).size;
  }

  private fault(text: string): void {
    this.result.faults.push(`kill ${this.round}: ${text}`);
  }
}

function describeSpread(values: readonly number[], unit: string): string {
  if (values.length === 0) return 'none';
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number): string =>
    sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))].toFixed(0);
  return `p50 ${at(0.5)}, p90 ${at(0.9)}, max ${at(1)} ${unit} (${sorted.length})`;
}

export function formatDrill({ kills, ...result }: DrillResult): string {
  const counts = (record: Record<string, number>): string =>
    Object.entries(record)
      .map(([name, count]) => `${name} ${count}`)
      .join(', ') || 'none';
  return [
    `kills          ${kills.starting} while starting, ${kills.justReady} just ready, ${kills.playing} in play`,
    `play lost      ${describeSpread(result.behindTicks, `ticks of 1/${TICK_HZ} s`)}`,
    `time to ready  ${describeSpread(result.readyMs, 'ms')}`,
    `recovery       ${describeSpread(result.recoveryMs, 'ms')}; from ${counts(result.sources)}`,
    `not used       ${counts(result.skipped)}`,
    `positions      ${result.sightsCompared} as clients had seen them in that very tick`,
    `clients        ${result.cameBack} came back to entities that were there`,
    `events         ${result.events} in the log, ${result.eventsTwice} of them came again`,
    `violations     ${result.faults.length}`,
    ...result.faults.slice(0, 20).map((fault) => `  ${fault}`),
  ].join('\n');
}

const HELP = `tessera drill [options], or npm run drill -- [options]

Kills a server again and again with SIGKILL and checks what is left.

  --kills N            how often (default: ${DRILL_DEFAULTS.kills})
  --clients N          who move and shoot (default: ${DRILL_DEFAULTS.clients})
  --bots N             entities beside them (default: ${DRILL_DEFAULTS.bots})
  --play-ms MS         the longest play between two kills (default: ${DRILL_DEFAULTS.playMs})
  --hot-snapshot-ms MS as of the server (default: ${DRILL_DEFAULTS.hotSnapshotMs})
  --slack-ms MS        more may be lost than the journal's ${DRILL_DEFAULTS.flushMs} ms, on a busy machine (default: 0)
  --seed N             of all choices (default: ${DRILL_DEFAULTS.seed})

Exit code: 0 nothing was violated, 1 something was, 130 interrupted.
`;
const NUMBERS: Record<string, { option: keyof DrillOptions; min: number; max: number }> = {
  kills: { option: 'kills', min: 1, max: 100000 },
  clients: { option: 'clients', min: 0, max: 2000 },
  bots: { option: 'bots', min: 0, max: 120000 },
  'play-ms': { option: 'playMs', min: PLAY_MS_MIN, max: 600000 },
  'hot-snapshot-ms': { option: 'hotSnapshotMs', min: 1000, max: 10000 },
  'slack-ms': { option: 'slackMs', min: 0, max: 60000 },
  seed: { option: 'seed', min: 0, max: 2 ** 32 - 1 },
};

/** The text is why there are no options: the help, or what is wrong with them. */
function readOptions(args: string[]): { options: DrillOptions } | { text: string; isHelp: boolean } {
  const options = { ...DRILL_DEFAULTS };
  const known = Object.keys(NUMBERS).map((name) => [name, { type: 'string' }] as const);
  let values: Record<string, string | boolean | undefined>;
  try {
    ({ values } = parseArgs({ args, options: { ...Object.fromEntries(known), help: { type: 'boolean' } } }));
  } catch (error) {
    return { text: (error as Error).message, isHelp: false };
  }
  if (values.help === true) return { text: HELP, isHelp: true };
  for (const [name, { option, min, max }] of Object.entries(NUMBERS)) {
    const text = values[name];
    if (text === undefined) continue;
    const value = Number(text);
    if (!Number.isInteger(value) || value < min || value > max) {
      return { text: `--${name} is ${text}; allowed: a whole number from ${min} to ${max}`, isHelp: false };
    }
    options[option] = value;
  }
  return { options };
}

async function main(): Promise<number> {
  const read = readOptions(process.argv.slice(2));
  if (!('options' in read)) {
    if (read.isHelp) process.stdout.write(read.text);
    else say(`drill: ${read.text}; --help says what there is`);
    return read.isHelp ? 0 : EXIT_WRONG_OPTIONS;
  }
  const { options } = read;
  const interrupt = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => {
      if (interrupt.signal.aborted) return; // one Ctrl-C may come twice, from the terminal and from npm
      say('\nstopping; what was seen so far follows');
      interrupt.abort();
    });
  }
  const folder = mkdtempSync(join(tmpdir(), 'tessera-drill-'));
  say(`seed ${options.seed}, data in ${folder}`);
  const drill = new KillDrill(folder, options, interrupt.signal);
  const progress = new Progress('drill', options.kills);
  let failure: Error | undefined;
  try {
    await drill.run((round, text) => progress.update(round, text));
  } catch (error) {
    if (!interrupt.signal.aborted) failure = error as Error;
  }
  progress.stop();
  const { faults } = drill.result;
  process.stdout.write(`${formatDrill(drill.result)}\n`);
  if (failure !== undefined) say(`drill: ${failure.message}`);
  if (faults.length > 0 || failure !== undefined) {
    const { kills, clients, bots, playMs, hotSnapshotMs, slackMs, seed } = options;
    say(
      `again with: npm run drill -- --kills ${kills} --clients ${clients} --bots ${bots} --play-ms ${playMs} ` +
        `--hot-snapshot-ms ${hotSnapshotMs} --slack-ms ${slackMs} --seed ${seed}; the data is kept in ${folder}`,
    );
    return 1;
  }
  rmSync(folder, { recursive: true, force: true });
  return interrupt.signal.aborted ? EXIT_INTERRUPTED : 0;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = await main();
