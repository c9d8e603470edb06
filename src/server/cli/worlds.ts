#!/usr/bin/env node
// The command that lists what is stored of worlds, and from which cold snapshots a server can start.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { STORES_FOLDER } from '../../base/data-folder.js';
import { parseSetting, rangeText } from '../../config/setting-lookup.js';
import {
  isDataFolder,
  type ListedCold,
  type ListedSession,
  type ListedSnapshot,
  listWorlds,
  type WorldList,
} from '../../durability/recovery/world-list.js';
import { loadBackends, openSnapshotStores } from '../../stores/open-stores.js';
import { type Fail, failAs, readArguments } from './arguments.js';

const HELP = `tessera worlds [options], or npm run worlds -- [options]

Lists the sessions of the journal, the hot and the cold snapshots of each zone, and whether they are whole.
A server goes back to a cold snapshot with --start cold:TICK. Only reads, also while a server runs.

  --data DIR      the data folder (default: data)
  --redis URL     where that server has its hot snapshots (default: in the data folder)
  --mongodb URL   where it has its cold ones (default: in the data folder)
  --json          the same as JSON
  --help          this text

Exit code: 0 all is whole, 1 something is damaged or missing, 2 it cannot be listed.
`;
const KIB = 1024;

const fail: Fail = failAs('worlds', 2);

async function main(): Promise<void> {
  const { values } = readArguments(
    {
      options: {
        data: { type: 'string', default: 'data' },
        redis: { type: 'string', default: '' },
        mongodb: { type: 'string', default: '' },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    },
    fail,
  );
  if (values.help) {
    process.stdout.write(HELP);
    return;
  }
  const { data, redis, mongodb } = values;
  for (const name of ['redis', 'mongodb'] as const) {
    if (parseSetting(name, values[name]) === undefined) {
      fail(`${name} is ${JSON.stringify(values[name])}; allowed: ${rangeText(name)}`);
    }
  }
  if (!isDataFolder(data)) fail(`data is ${data}, and there is nothing in it; choose the --data folder of a server`);
  const folder = join(data, STORES_FOLDER);
  if (!existsSync(folder) && (redis === '' || mongodb === '')) fail(`data is ${data}, which has no stores in it`);
  await loadBackends({ kafka: '', redis, mongodb });
  const stores = openSnapshotStores({ folder, redis, mongodb });
  try {
    const list = await listWorlds(data, stores.hot, stores.cold);
    process.stdout.write(values.json ? `${JSON.stringify(list, undefined, 2)}\n` : describe(list));
    if (!isWhole(list)) process.exitCode = 1;
  } finally {
    await stores.close();
  }
}

function isWhole({ journal, hot, cold }: WorldList): boolean {
  const snapshots = [...hot, ...cold.flatMap(({ zones }) => zones)];
  return (
    snapshots.every(({ damage }) => damage === '') &&
    journal.every(({ damage, missing }) => damage === '' && missing.length === 0)
  );
}

function describe({ data, worldId, journal, hot, cold }: WorldList): string {
  const lines = [
    `${data}: ${worldId === '' ? 'no world yet' : `world ${worldId}`}`,
    '',
    `journal, ${countOf(journal, 'session')}`,
    ...journal.map(describeSession),
    '',
    `hot snapshots, ${countOf(hot, 'zone')}`,
    ...hot.map((snapshot) => `  ${describeSnapshot(snapshot, worldId)}`),
    '',
    `cold snapshots, ${cold.length}`,
    ...cold.flatMap((set) => describeCold(set, worldId)),
  ];
  return `${lines.join('\n')}\n`;
}

function countOf(list: readonly unknown[], what: string): string {
  return `${list.length} ${list.length === 1 ? what : `${what}s`}`;
}

function describeSession(listed: ListedSession): string {
  const { session, isKept, startedAt, game, segments, missing, bytes, writtenAt, damage } = listed;
  const what = damage === '' ? `${game}, began ${startedAt}` : `damaged: ${damage}`;
  const gaps = missing.length === 0 ? '' : `, missing: ${missing.join(', ')}`;
  const kept = isKept ? ', kept aside when a start went back' : '';
  const size = `${countOf(Array.from({ length: segments }), 'segment')}, ${kib(bytes)}`;
  return `  ${session}  ${what}, last written ${writtenAt}, ${size}${gaps}${kept}`;
}

function describeCold({ tick, takenAt, zones }: ListedCold, worldId: string): string[] {
  const damaged = zones.filter(({ damage }) => damage !== '').length;
  const state = damaged === 0 ? 'whole' : `${damaged} of ${zones.length} zones damaged`;
  const head = `  --start cold:${tick}  taken ${takenAt}, ${countOf(zones, 'zone')}, ${state}`;
  return [head, ...zones.map((snapshot) => `    ${describeSnapshot(snapshot, worldId)}`)];
}

function describeSnapshot({ zone, worldId, tick, takenAt, bytes, damage }: ListedSnapshot, own: string): string {
  const other = worldId === '' || worldId === own ? '' : `, of world ${worldId}`;
  const state = damage === '' ? 'whole' : `damaged: ${damage}`;
  return `zone ${zone}  tick ${tick}, taken ${takenAt || 'at an unknown time'}, ${kib(bytes)}, ${state}${other}`;
}

function kib(bytes: number): string {
  return `${Math.ceil(bytes / KIB)} KiB`;
}

await main().catch((error: Error) => fail(error.message));
