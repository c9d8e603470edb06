// The table that people read: every figure, and beside it what was promised where this run can be held to it.

import type { LoadOptions } from '../options.js';
import type { CensusOutcome, LoadResult } from './result.js';

/** The load that the promises of the spread scene are made for. */
const PROMISED_CLIENTS = 2000;
const PROMISED_HZ = 30;
const TICK_HZ_SHORTFALL_MAX = 0.5;

interface Row {
  name: string;
  value: string;
  promise?: string;
  kept?: boolean | null;
}

function format(value: number | null, digits = 1): string {
  if (value === null) return 'unknown';
  const text = value.toFixed(digits);
  return value >= 10000 ? text.replace(/\B(?=(\d{3})+(?!\d))/g, ',') : text;
}

function isBelow(value: number | null, limit: number): boolean | null {
  return value === null ? null : value < limit;
}

function promised(value: string, promise: string, kept: boolean | null): Omit<Row, 'name'> {
  return { value, promise, kept };
}

function rowsOf(options: LoadOptions, result: LoadResult): Row[] {
  const isSpread = options.scene === 'spread';
  return [
    ...tickRows(options, result),
    ...trafficRows(options, result),
    ...roundTripRows(isSpread, result),
    ...costRows(isSpread, result),
    ...troubleRows(result),
  ];
}

function tickRows(options: LoadOptions, { tickHz, tickMs, clientsJoined, clientsWanted }: LoadResult): Row[] {
  const hzMin = (tickHz.wanted ?? Number.NaN) - TICK_HZ_SHORTFALL_MAX;
  const isKept = tickHz.achieved === null ? null : tickHz.achieved >= hzMin;
  return [
    {
      name: 'clients joined',
      ...promised(`${clientsJoined} of ${clientsWanted}`, 'all', clientsJoined === clientsWanted),
    },
    {
      name: 'ticks per second, slowest zone',
      ...promised(format(tickHz.achieved, 2), `${format(hzMin)}+ of ${tickHz.wanted}`, isKept),
    },
    { name: 'tick ms p50', value: format(tickMs.p50, 2) },
    options.scene === 'hubs'
      ? { name: 'tick ms p99', ...promised(format(tickMs.p99, 2), 'under 16.6', isBelow(tickMs.p99, 16.6)) }
      : { name: 'tick ms p99', value: format(tickMs.p99, 2) },
    { name: 'tick ms max', value: format(tickMs.max, 2) },
  ];
}

function trafficRows(options: LoadOptions, result: LoadResult): Row[] {
  const { packetsPerSecond, bytesPerVisibleEntityUpdate: perUpdate } = result;
  const packets = packetsPerSecond.in + packetsPerSecond.out;
  const isPromisedLoad =
    options.scene === 'spread' &&
    options.clients >= PROMISED_CLIENTS &&
    options.inputHz >= PROMISED_HZ &&
    options.updateHz >= PROMISED_HZ;
  return [
    { name: 'packets per second in', value: format(packetsPerSecond.in, 0) },
    { name: 'packets per second out', value: format(packetsPerSecond.out, 0) },
    isPromisedLoad
      ? { name: 'packets per second', ...promised(format(packets, 0), 'over 100,000', packets > 100000) }
      : { name: 'packets per second', value: format(packets, 0) },
    { name: '  as the server counts, in', value: format(result.serverPacketsPerSecond.in, 0) },
    { name: '  as the server counts, out', value: format(result.serverPacketsPerSecond.out, 0) },
    { name: 'bytes per client per second', value: format(result.bytesPerClientPerSecond, 0) },
    {
      name: 'bytes per visible entity update',
      ...promised(format(perUpdate, 2), 'at most 6', perUpdate === null ? null : perUpdate <= 6),
    },
    { name: 'entity updates per frame', value: format(result.entityUpdatesPerFrame) },
    { name: 'entities in view, mean', value: format(result.visibleMean) },
  ];
}

function roundTripRows(isSpread: boolean, { rttMs, rttCount }: LoadResult): Row[] {
  return [
    { name: 'round trip ms mean', value: format(rttMs.mean) },
    { name: 'round trip ms p50', value: format(rttMs.p50) },
    { name: 'round trip ms p90', value: format(rttMs.p90) },
    isSpread
      ? { name: 'round trip ms p99', ...promised(format(rttMs.p99), 'under 50', isBelow(rttMs.p99, 50)) }
      : { name: 'round trip ms p99', value: format(rttMs.p99) },
    { name: 'round trip ms max', value: format(rttMs.max) },
    { name: 'round trips measured', value: format(rttCount, 0) },
  ];
}

function costRows(isSpread: boolean, result: LoadResult): Row[] {
  const { serverCpuCores: cores, serverRssMiB: rss, serverRssMiBPeak: peak, cpuUsPerPacket: perPacket } = result;
  const rows: Row[] = isSpread
    ? [
        { name: 'server CPU, cores', ...promised(format(cores, 2), 'under 1.4', isBelow(cores, 1.4)) },
        { name: 'server CPU us per packet', ...promised(format(perPacket, 2), 'under 10', isBelow(perPacket, 10)) },
        { name: 'server memory, MiB', ...promised(format(rss, 0), 'under 1024', isBelow(rss, 1024)) },
      ]
    : [
        { name: 'server CPU, cores', value: format(cores, 2) },
        { name: 'server CPU us per packet', value: format(perPacket, 2) },
        { name: 'server memory, MiB', value: format(rss, 0) },
      ];
  rows.push({ name: 'server memory peak, MiB', value: format(peak, 0) });
  for (const { name, cores, waiting } of result.serverThreads)
    rows.push({
      name: `  thread ${name}, cores; waiting for one`,
      value: `${format(cores, 2)}; ${format(waiting, 2)}`,
    });
  rows.push({ name: 'generator CPU, cores', value: format(result.generatorCpuCores, 2) });
  rows.push({ name: 'other processes CPU, cores', value: format(result.otherCpuCores, 2) });
  rows.push({ name: 'generator late by at most, ms', value: format(result.generatorLatenessMsMax) });
  return rows;
}

function troubleRows(result: LoadResult): Row[] {
  const { inputs } = result;
  return [
    { name: 'inputs held back, skipped', value: `${inputs.heldBack}, ${inputs.skipped}` },
    { name: 'inputs never acknowledged', value: String(inputs.unanswered) },
    { name: 'drops by the server', value: listCounts(result.drops) },
    { name: 'rejects seen by clients', value: listCounts(result.rejects) },
    { name: 'disconnects', value: String(result.disconnects) },
    { name: 'silent for over 2 s', value: `${result.silentClients} clients` },
    { name: 'longest silence, ms', value: format(result.silenceMsMax, 0) },
    { name: 'census before', value: tellCensus(result.census.before) },
    { name: 'census after', value: tellCensus(result.census.after) },
  ];
}

function listCounts(counts: Record<string, number>): string {
  const entries = Object.entries(counts);
  return entries.length === 0 ? 'none' : entries.map(([reason, count]) => `${reason} ${count}`).join(', ');
}

function tellCensus(census: CensusOutcome | null): string {
  if (census === null) return 'not taken';
  const pairs = `${format(census.pairsSeen, 0)} of ${format(census.pairsExpected, 0)} seen by ${census.clients} clients`;
  const crowded = census.crowded === 0 ? '' : `, ${census.crowded} views held to their nearest half`;
  return `${pairs}, ${census.mismatches} mismatches${crowded}`;
}

function mark(kept: boolean | null | undefined): string {
  if (kept === undefined) return '';
  if (kept === null) return 'unknown';
  return kept ? 'kept' : 'NOT KEPT';
}

export function formatReport(options: LoadOptions, result: LoadResult): string {
  const { machine } = result;
  const settings = Object.entries(result.settings)
    .filter(([, value]) => value !== '')
    .map(([name, value]) => `${name} ${value}`);
  const rows = rowsOf(options, result);
  const nameWidth = Math.max(...rows.map((row) => row.name.length)) + 2;
  const valueWidth = Math.max(...rows.filter((row) => row.promise !== undefined).map((row) => row.value.length), 8) + 2;
  const lines = rows.map((row) => {
    const promise = row.promise === undefined ? '' : `${row.promise.padEnd(16)}${mark(row.kept)}`;
    return `${row.name.padEnd(nameWidth)}${row.value.padEnd(valueWidth)}${promise}`.trimEnd();
  });
  return [
    '',
    `machine   ${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB, Linux ${machine.kernel}, Node ${machine.node}`,
    `settings  ${settings.join(', ')}`,
    `measured  ${format(result.seconds, 2)} s${result.interrupted ? ', cut short' : ''}`,
    '',
    `${'figure'.padEnd(nameWidth)}${'measured'.padEnd(valueWidth)}promise`,
    ...lines,
    '',
    ...result.warnings.map((warning) => `warning: ${warning}`),
    ...result.errors.map((error) => `error: ${error}`),
    result.ok ? 'every client joined, stayed, and saw what it should' : `${result.errors.length} errors`,
  ].join('\n');
}
