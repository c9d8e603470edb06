// The wiring: from settings to a running server and back.

import { randomInt, randomUUID } from 'node:crypto';
import { availableParallelism, hostname } from 'node:os';
import { join, resolve } from 'node:path';
import { createRandom } from '../../base/chance.js';
import { nowMs, processMs, wallMs } from '../../base/clock.js';
import { STORES_FOLDER } from '../../base/data-folder.js';
import type { Log } from '../../base/log.js';
import type { Settings } from '../../config/settings.js';
import { planCheckpoints } from '../../durability/checkpoints/checkpoint-plan.js';
import { describeSession } from '../../durability/journal/journal-session.js';
import { identifyFolder } from '../../durability/lease/folder-identity.js';
import { type RecoveryReport, recoverWorld, shapeOf } from '../../durability/recovery/recovery.js';
import { keepWorld, openWorldFolder, settle } from '../../durability/recovery/world-folder.js';
import { keptFields } from '../../engine/clients/arrival.js';
import { TICK_THREADS_MAX } from '../../engine/limits.js';
import { Placement } from '../../engine/plan/placement.js';
import { cellsComplaint } from '../../engine/plan/plan-cells.js';
import { POSITION_QUANTUM, planWorld, type WorldPlan } from '../../engine/plan/world-plan.js';
import type { GameDefinition } from '../../game/definition.js';
import { listStoredForms } from '../../game/fields/stored-value.js';
import { RejectCode } from '../../game/reject-codes.js';
import { loadResumeSecret } from '../../net/auth/resume-secret.js';
import type { ResumeOptions } from '../../net/gateway/resumption.js';
import { Metrics } from '../../net/http/metrics.js';
import { createNet, type Net } from '../../net/net.js';
import { CLIENT_ID_MAX } from '../../protocol/limits.js';
import { requireSoundStores } from '../../stores/open-stores.js';
import { GENERATION_LEAP_MAX } from '../limits.js';
import { WorldReport } from '../reports/world-report.js';
import { IoKeeper } from '../threads/io-keeper.js';
import { Supervisor } from '../threads/supervisor.js';
import { type AbsentClient, listAbsentClients } from './absent-clients.js';
import { CodeWatch, type GameCode } from './code-hash.js';
import { Grants } from './grants.js';
import { LiveSettings, type SettingsSource } from './live-settings.js';
import { loadGame } from './load-game.js';
import { PlatformActions } from './platform-actions.js';
import { PlayerDesk } from './player-desk.js';
import { Router } from './router.js';

const STOP_TEXT = 'The server is stopping.';
export interface RunningServer {
  port: number;
  threads: number;
  /** A drill: ends a tick thread as a crash would. */
  endTickThread(): void;
  /** Resolves with what to tell clients when the platform wants this server to end; whoever started it ends it. */
  drainAsked: Promise<string>;
  /** Reads the settings again and applies those that can change now; the log says which. */
  reload(): void;
  /** `text` is what clients are told. False: not all could be kept; the log says what. */
  stop(text?: string): Promise<boolean>;
}

function countThreads(settings: Settings): number {
  const zones = settings.zoneColumns * settings.zoneRows;
  const wanted = settings.threads === 0 ? Math.max(1, availableParallelism() - 1) : settings.threads;
  return Math.min(wanted, zones, TICK_THREADS_MAX);
}

export async function startServer(settings: Settings, log: Log, source: SettingsSource): Promise<RunningServer> {
  const startedMs = wallMs();
  const { game, url, code, hashAgain } = await loadGame(settings.game);
  const complaint = cellsComplaint(settings, game);
  if (complaint !== undefined) throw new Error(complaint);
  const threads = countThreads(settings);
  const plan = planWorld(settings, game, threads, processMs());
  const { data, kafka, redis, mongodb } = settings;
  requireSoundStores({ folder: join(data, STORES_FOLDER), kafka, redis, mongodb });
  const folderFound = openWorldFolder(settings.data, log);
  const lease = {
    ...{ folder: identifyFolder(settings.data), token: randomUUID(), worldId: folderFound.worldId },
    server: `process ${process.pid} on ${hostname()}, data folder ${resolve(settings.data)}`,
  };
  const desk = new PlayerDesk(log);
  const told = new CodeWatch(code.hash, log);
  const supervisor = new Supervisor({
    plan,
    gameUrl: url,
    log,
    onSpawn: () => told.look(hashAgain()),
    onReplaced: (thread) => router.attachClients(thread),
  });
  const io = new IoKeeper({
    data: {
      plan,
      players: {
        kinds: game.kinds,
        fields: keptFields(game.fields),
        forms: listStoredForms(game.fields),
        ...(game.components && { components: game.components }),
      },
      eventNames: game.events,
      eventForms: game.eventForms ?? {},
    },
    log,
    desk,
    obey: (command) => actions.run(command),
    onBans: (bans) => actions.restoreBans(bans),
    onStatus: (status) => report.durability.hear(status),
  });
  // Threads load their code while the world is recovered.
  supervisor.spawnSpare();
  io.open();
  const shape = shapeOf(settings, game, plan);
  const sources = { folder: folderFound, lease, code: code.hash };
  const recovered = await recoverWorld(plan, game, shape, log, sources).catch(async (error) => {
    await Promise.all([supervisor.stop(), io.stop()]);
    throw error;
  });
  const recovery = recovered.report;
  const folder = settle(folderFound, recovery.worldId, lease.token);
  const resume = prepareResume(plan, recovery, desk, log);
  const router = new Router(plan, place(settings), game);
  for (const { client, generation, zone, key } of resume.reserved) router.reserve(client, generation, zone, key);
  const metrics = new Metrics();
  const report = new WorldReport(plan, router, supervisor);
  report.register(metrics, game.events);
  const unreadyReasons = (): string[] => [
    ...supervisor.unreadyReasons(),
    ...io.unreadyReasons(),
    ...report.durability.unreadyReasons(),
  ];
  const net = wireNet({
    settings,
    game,
    code,
    plan,
    router,
    unreadyReasons,
    report,
    metrics,
    recovery,
    resume,
    log,
  });
  let askDrain: (text: string) => void = () => {};
  const drainAsked = new Promise<string>((resolve) => {
    askDrain = resolve;
  });
  const actions = new PlatformActions({
    net,
    grants: new Grants({ game, net, router }),
    log,
    reload: () => live.reload(),
    startedMs,
    drain: (text) => askDrain(text === '' ? STOP_TEXT : text),
  });
  const live = new LiveSettings({ plan, source, net, io, log });
  const stop = async (text = STOP_TEXT): Promise<boolean> => {
    await net.drain(RejectCode.Draining, text);
    await net.close();
    router.stop();
    report.stop();
    await supervisor.stop();
    log.info(report.restFigures(), 'the world stands still');
    const isKept = await io.stop();
    log.info(report.handedOver(), isKept ? 'what was left is handed over' : 'what was left is handed over in part');
    return isKept;
  };
  try {
    await io.load();
    // A world that goes on is as old as it was: its next tick is due now.
    plan.originMs = processMs() - (recovered.tick * 1000) / settings.tickHz;
    plan.epoch = Math.max(recovered.epochMin, Math.floor(plan.originMs));
    keepWorld(settings.data, folder);
    await recovered.keepJournals?.();
    // The world as it stands is on the disk before anything happens to it.
    await io.begin({
      session: describeSession(plan, game, code.hash),
      shape: { ...shape, worldId: recovery.worldId, writer: lease.token, gameVersion: game.version, code: code.hash },
      earlierWorlds: folder.earlier,
      lease: { ...lease, worldId: recovery.worldId },
      checkpoints: planCheckpoints(game, settings, {
        worldId: recovery.worldId,
        startedAtMs: Math.max(recovered.epochMin, startedMs),
      }),
      recoveredEvents: recovered.events,
    });
    await supervisor.start();
    router.connect(net.sink);
    // Whoever played when the world ended is not connected now: those who are waited for are named as well.
    for (const thread of plan.zonesOfThread.keys()) router.attachClients(thread);
    router.start();
    await io.waitForBans();
    const { port } = await net.listen();
    const reload = (): void => void live.reload();
    return { port, threads, drainAsked, stop, reload, endTickThread: () => supervisor.endOne() };
  } catch (error) {
    await net.close();
    router.stop();
    report.stop();
    await supervisor.stop();
    await io.stop();
    throw error;
  }
}

function place(settings: Settings): Placement {
  const { spawn, worldWidth, worldHeight, zoneColumns, zoneRows, viewRadius, seed } = settings;
  return new Placement(spawn, worldWidth, worldHeight, zoneColumns, zoneRows, viewRadius, createRandom(seed));
}

interface WorldResume extends ResumeOptions {
  reserved: readonly AbsentClient[];
}

function prepareResume(plan: WorldPlan, { worldId, source }: RecoveryReport, desk: PlayerDesk, log: Log): WorldResume {
  const { resumeSecret, resumeMs, data } = plan.settings;
  const { waiting, lastGeneration } = listAbsentClients(plan, log);
  const isNewWorld = source === 'initial';
  const secret = loadResumeSecret({ text: resumeSecret, folder: data, isNewWorld, log });
  return {
    secret,
    worldId,
    resumeMs,
    reserved: waiting,
    lastGeneration: leapFrom(lastGeneration),
    findPlayer: (playerId) => desk.find(playerId),
    onJoined: (session) => desk.joined(session),
    onLeft: (client, epoch, isForGood) => desk.left(client, epoch, isForGood),
  };
}

/**
 * Above all that are recovered. What was given out since is not known here: a leap by chance makes it unlikely that the
 * number of a client of an earlier server is given out again.
 */
function leapFrom(lastGeneration: number): number {
  const leap = randomInt(1, GENERATION_LEAP_MAX);
  return lastGeneration + leap < CLIENT_ID_MAX ? lastGeneration + leap : leap;
}

interface Parts {
  settings: Settings;
  game: GameDefinition;
  code: GameCode;
  plan: WorldPlan;
  router: Router;
  /** Of all threads. */
  unreadyReasons: () => string[];
  report: WorldReport;
  metrics: Metrics;
  recovery: RecoveryReport;
  resume: ResumeOptions;
  log: Log;
}

function wireNet(parts: Parts): Net {
  const { settings, game, code, plan, router, unreadyReasons, report, metrics, recovery, resume, log } = parts;
  const startedMs = nowMs();
  const net: Net = createNet({
    settings,
    game,
    quantum: POSITION_QUANTUM,
    leaveRadius: plan.leaveRadius,
    world: router,
    log,
    metrics,
    resume,
    health: () => ({
      status: unreadyReasons().length === 0 ? 'ok' : 'degraded',
      uptimeMs: Math.round(nowMs() - startedMs),
      clients: net.stats.clients,
      spectators: net.stats.spectators,
      absent: net.stats.absent,
      connections: net.stats.connections,
      zones: report.zoneHealth(),
      threads: report.threadHealth(),
      tickHz: settings.tickHz,
      net: net.stats.snapshot(),
      durability: report.durability.health(),
      recovery,
      game: { name: game.name, version: game.version, code: code.hash, notCovered: code.notCovered },
    }),
    ready: () => {
      const reasons = unreadyReasons();
      return { ready: reasons.length === 0, reasons };
    },
  });
  return net;
}
