// From what the phases of a run found to the figures that are reported. A run that was cut short has only the findings
// of the phases that it came through; what is unknown is null.

import { cpus, release, totalmem } from 'node:os';
import type { LoadOptions } from '../options.js';
import type { JoinFigures, StandStill, WindowFigures } from '../swarm/messages.js';
import type { CensusReport } from './census.js';
import { LatencyHistogram } from './latency-histogram.js';
import { type ProcessFigures, type ThreadCores, threadCores } from './process-figures.js';
import {
  achievedTickHz,
  dropsBetween,
  growthOf,
  type ServerReading,
  type TickFigures,
  tickFigures,
} from './server-figures.js';

export type CensusOutcome = CensusReport & StandStill;

export interface Findings {
  joins: JoinFigures[];
  censusBefore: CensusOutcome | null;
  censusAfter: CensusOutcome | null;
  windows: WindowFigures[];
  disconnects: Record<string, number>[];
  serverBegin: ServerReading | null;
  serverEnd: ServerReading | null;
  /** Longest tick that the server told of between begin and end. */
  tickMsMaxPolled: number;
  processBegin: ProcessFigures | null;
  processEnd: ProcessFigures | null;
  /** CPU of all processes in the timed part, in seconds. */
  machineCpuSeconds: number | null;
  /** CPU of the generator's own process in the timed part, in seconds, and how long that was. */
  generatorCpuSeconds: number;
  generatorSeconds: number;
  serverExit: string | null;
  interrupted: boolean;
}

export interface LoadResult {
  ok: boolean;
  interrupted: boolean;
  errors: string[];
  warnings: string[];
  machine: { cpu: string; cores: number; memoryGiB: number; kernel: string; node: string };
  settings: Record<string, string | number>;
  clientsWanted: number;
  clientsJoined: number;
  joinFailures: Record<string, number>;
  seconds: number;
  tickHz: { wanted: number | null; achieved: number | null };
  tickMs: TickFigures;
  /** As the generator counted them: inputs written, state frames read. */
  packetsPerSecond: { in: number; out: number };
  /** As the server counted them, control frames included. */
  serverPacketsPerSecond: { in: number | null; out: number | null };
  bytesPerClientPerSecond: number;
  bytesPerVisibleEntityUpdate: number | null;
  entityUpdatesPerFrame: number | null;
  visibleMean: number | null;
  rttMs: { mean: number | null; p50: number | null; p90: number | null; p99: number | null; max: number | null };
  rttCount: number;
  inputs: { wantedPerSecond: number; heldBack: number; skipped: number; unanswered: number };
  serverCpuCores: number | null;
  serverThreads: ThreadCores[];
  cpuUsPerPacket: number | null;
  serverRssMiB: number | null;
  serverRssMiBPeak: number | null;
  drops: Record<string, number>;
  rejects: Record<string, number>;
  disconnects: number;
  disconnectReasons: Record<string, number>;
  silentClients: number;
  silenceMsMax: number;
  generatorCpuCores: number | null;
  generatorLatenessMsMax: number;
  /** What neither the server nor the generator used; much of it makes the other figures worse. */
  otherCpuCores: number | null;
  census: { before: CensusOutcome | null; after: CensusOutcome | null };
}

/** Below this share of the inputs that were due, the generator was what was measured. */
const INPUT_SHARE_MIN = 0.98;
/** More than this for others, and a run says more about them than about the server. */
const OTHER_CORES_MAX = 0.15;
const REASONS_TOLD_MAX = 5;

function sum(windows: readonly WindowFigures[], key: keyof WindowFigures): number {
  return windows.reduce((total, window) => total + (window[key] as number), 0);
}

function greatest(windows: readonly WindowFigures[], key: keyof WindowFigures): number {
  return windows.reduce((most, window) => Math.max(most, window[key] as number), 0);
}

function mergeCounts(counts: readonly Record<string, number>[]): Record<string, number> {
  const merged: Record<string, number> = {};
  for (const [key, value] of counts.flatMap((part) => Object.entries(part))) merged[key] = (merged[key] ?? 0) + value;
  return merged;
}

function totalOf(counts: Record<string, number>): number {
  return Object.values(counts).reduce((total, value) => total + value, 0);
}

function mergeRtt(windows: readonly WindowFigures[]): LatencyHistogram {
  const merged = new LatencyHistogram();
  for (const window of windows) {
    const part = new LatencyHistogram(window.rttCounts);
    part.count = window.rttCount;
    part.sumMs = window.rttSumMs;
    part.maxMs = window.rttMaxMs;
    merged.add(part);
  }
  return merged;
}

function ratio(dividend: number, divisor: number): number | null {
  return divisor === 0 ? null : dividend / divisor;
}

export function describeMachine(): LoadResult['machine'] {
  const all = cpus();
  return {
    cpu: all[0]?.model ?? 'unknown',
    cores: all.length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    node: process.version,
  };
}

export function assembleResult(options: LoadOptions, settings: LoadResult['settings'], findings: Findings): LoadResult {
  const { windows } = findings;
  const joinFailures = mergeCounts(findings.joins.map((join) => join.failures));
  const clientsJoined = findings.joins.reduce((total, join) => total + join.joined, 0);
  const rtt = mergeRtt(windows);
  const seconds = windows.length === 0 ? 0 : sum(windows, 'seconds') / windows.length;
  const disconnectReasons = mergeCounts(findings.disconnects);
  const sampleFrames = sum(windows, 'sampleFrames');
  const result: LoadResult = {
    ok: false,
    interrupted: findings.interrupted,
    errors: [],
    warnings: [],
    machine: describeMachine(),
    settings,
    clientsWanted: options.clients,
    clientsJoined,
    joinFailures,
    seconds,
    ...serverFigures(findings),
    packetsPerSecond: {
      in: ratio(sum(windows, 'inputsSent'), seconds) ?? 0,
      out: ratio(sum(windows, 'framesReceived'), seconds) ?? 0,
    },
    bytesPerClientPerSecond: ratio(sum(windows, 'bytesReceived'), seconds * clientsJoined) ?? 0,
    bytesPerVisibleEntityUpdate: ratio(sum(windows, 'sampleBytes'), sum(windows, 'sampleRecords')),
    entityUpdatesPerFrame: ratio(sum(windows, 'sampleRecords'), sampleFrames),
    visibleMean: ratio(sum(windows, 'sampleVisibleSum'), sampleFrames),
    rttMs: {
      mean: ratio(rtt.sumMs, rtt.count),
      p50: rtt.percentileMs(0.5),
      p90: rtt.percentileMs(0.9),
      p99: rtt.percentileMs(0.99),
      max: rtt.count === 0 ? null : rtt.maxMs,
    },
    rttCount: rtt.count,
    inputs: {
      wantedPerSecond: options.inputHz * clientsJoined,
      heldBack: sum(windows, 'inputsHeldBack'),
      skipped: sum(windows, 'inputsSkipped'),
      unanswered: sum(windows, 'inputsUnanswered'),
    },
    cpuUsPerPacket: null,
    rejects: mergeCounts(windows.map((window) => window.rejects)),
    disconnects: totalOf(disconnectReasons),
    disconnectReasons,
    silentClients: sum(windows, 'silentClients'),
    silenceMsMax: greatest(windows, 'silenceMsMax'),
    generatorCpuCores: ratio(findings.generatorCpuSeconds, findings.generatorSeconds),
    generatorLatenessMsMax: greatest(windows, 'pacerLatenessMsMax'),
    otherCpuCores: null,
    census: { before: findings.censusBefore, after: findings.censusAfter },
  };
  const packets = result.packetsPerSecond.in + result.packetsPerSecond.out;
  if (result.serverCpuCores !== null) result.cpuUsPerPacket = ratio(result.serverCpuCores * 1e6, packets);
  result.otherCpuCores = otherCores(result, findings);
  result.errors = findErrors(result, findings);
  result.warnings = findWarnings(result, findings, options);
  result.ok = result.errors.length === 0;
  return result;
}

function otherCores(result: LoadResult, findings: Findings): number | null {
  const { machineCpuSeconds, generatorSeconds } = findings;
  if (machineCpuSeconds === null || generatorSeconds === 0 || result.serverCpuCores === null) return null;
  const known = result.serverCpuCores + (result.generatorCpuCores ?? 0);
  return Math.max(0, machineCpuSeconds / generatorSeconds - known);
}

type ServerPart = Pick<
  LoadResult,
  | 'tickHz'
  | 'tickMs'
  | 'serverPacketsPerSecond'
  | 'serverCpuCores'
  | 'serverThreads'
  | 'serverRssMiB'
  | 'serverRssMiBPeak'
  | 'drops'
>;

function serverFigures(findings: Findings): ServerPart {
  const { serverBegin: begin, serverEnd: end, processBegin, processEnd } = findings;
  const wanted = findings.joins.find((join) => join.welcome !== null)?.welcome?.tickHz ?? null;
  const knowsProcess = processBegin !== null && processEnd !== null;
  const cpuSeconds = knowsProcess ? processEnd.cpuSeconds - processBegin.cpuSeconds : 0;
  const process = {
    serverCpuCores: knowsProcess ? cpuSeconds / ((processEnd.atMs - processBegin.atMs) / 1000) : null,
    serverThreads: knowsProcess ? threadCores(processBegin, processEnd) : [],
    serverRssMiB: processEnd?.rssMiB ?? null,
    serverRssMiBPeak: processEnd?.rssMiBMax ?? null,
  };
  if (begin === null || end === null) {
    const unknown = { p50: null, p99: null, max: null };
    const packets = { in: null, out: null };
    return {
      tickHz: { wanted, achieved: null },
      tickMs: unknown,
      serverPacketsPerSecond: packets,
      drops: {},
      ...process,
    };
  }
  const seconds = (end.health.uptimeMs - begin.health.uptimeMs) / 1000;
  const packetsOf = (direction: string): number | null => {
    const growth = growthOf(begin.metrics, end.metrics, 'tessera_net_packets_total', { direction });
    return growth === null ? null : growth / seconds;
  };
  return {
    tickHz: { wanted, achieved: achievedTickHz(begin.health, end.health) },
    tickMs: tickFigures(begin.metrics, end.metrics, findings.tickMsMaxPolled),
    serverPacketsPerSecond: { in: packetsOf('in'), out: packetsOf('out') },
    drops: dropsBetween(begin.metrics, end.metrics),
    ...process,
  };
}

function tellCounts(what: string, counts: Record<string, number>): string[] {
  return Object.entries(counts)
    .sort((a, b) => b[1] - a[1])
    .slice(0, REASONS_TOLD_MAX)
    .map(([reason, count]) => `${count} ${what}: ${reason}`);
}

function findErrors(result: LoadResult, findings: Findings): string[] {
  const errors: string[] = [];
  if (findings.serverExit !== null) errors.push(findings.serverExit);
  errors.push(...tellCounts('clients did not join', result.joinFailures));
  errors.push(...tellCounts('clients were disconnected', result.disconnectReasons));
  const missing = result.clientsWanted - result.clientsJoined - totalOf(result.joinFailures);
  if (missing > 0 && !result.interrupted) errors.push(`${missing} clients were lost before the timed part`);
  if (result.silentClients > 0) {
    errors.push(
      `${result.silentClients} clients got no frame for more than 2 s; the longest for ${Math.round(result.silenceMsMax)} ms`,
    );
  }
  if (result.inputs.unanswered > 0)
    errors.push(`${result.inputs.unanswered} inputs were never acknowledged by a frame`);
  for (const [when, census] of Object.entries(result.census)) {
    if (census === null) continue;
    if (census.unstopped > 0) errors.push(`census ${when}: ${census.unstopped} clients had no answer to their stop`);
    if (census.withoutFull > 0) errors.push(`census ${when}: ${census.withoutFull} clients got no Full frame`);
    if (census.mismatches > 0)
      errors.push([`census ${when}: ${tellMismatches(census)}`, ...census.examples].join('\n  '));
  }
  return errors;
}

function tellMismatches(census: CensusOutcome): string {
  const parts = [
    `${census.missing} of ${census.pairsExpected} entities in view are not seen`,
    `${census.missingAcrossBorder} of them across a zone border`,
    `${census.misplaced} are seen in a wrong place`,
    `${census.beyondLeaveRadius} are seen beyond the leave radius`,
    `${census.blind} clients do not see themselves`,
  ];
  return `${census.mismatches} mismatches: ${parts.join(', ')}; the first:`;
}

function findWarnings(result: LoadResult, findings: Findings, options: LoadOptions): string[] {
  const warnings: string[] = [];
  const granted = findings.joins.find((join) => join.welcome !== null)?.welcome?.updateHz ?? options.updateHz;
  if (granted !== options.updateHz) {
    warnings.push(`${options.updateHz} updates per second were asked for, and ${granted} were granted`);
  }
  const share = ratio(result.packetsPerSecond.in, result.inputs.wantedPerSecond);
  if (result.seconds > 0 && share !== null && share < INPUT_SHARE_MIN) {
    warnings.push(
      `only ${(share * 100).toFixed(1)}% of the wanted inputs were sent: the generator or the machine was the limit, ` +
        'and round trips are longer than the server alone makes them',
    );
  }
  if (result.otherCpuCores !== null && result.otherCpuCores > OTHER_CORES_MAX) {
    warnings.push(`other processes of this machine used ${result.otherCpuCores.toFixed(2)} cores`);
  }
  if (result.inputs.heldBack > 0) {
    warnings.push(`${result.inputs.heldBack} inputs were held back because their socket was backed up`);
  }
  return warnings;
}
