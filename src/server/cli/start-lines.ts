// What a person reads when the server has started: where it can be reached, and what keeps its world.

import { join } from 'node:path';
import { JOURNAL_FOLDER, STORES_FOLDER } from '../../base/data-folder.js';
import { DEFAULT_SOURCE } from '../../config/setting-lookup.js';
import type { SettingName, SettingSources, Settings } from '../../config/settings.js';
import { withoutSecrets } from '../../durability/lease/world-lease.js';

export function describeStart(
  settings: Settings,
  sources: SettingSources,
  { port, threads }: { port: number; threads: number },
): string {
  const shownHost = settings.host.includes(':') ? `[${settings.host}]` : settings.host;
  const { zoneColumns, zoneRows, tickHz, worldWidth, worldHeight, bots } = settings;
  return [
    `listening on http://${shownHost}:${port}`,
    `  play in a browser   http://${shownHost}:${port}/`,
    `  WebSocket clients   ws://${shownHost}:${port}/ws/game  (schemas/WIRE.md)`,
    `  health, metrics     /healthz  /readyz  /metrics`,
    ...describeBackends(settings, sources).map(([what, where]) => `  ${what.padEnd(20)}${where}`),
    `  world ${worldWidth} x ${worldHeight} in ${zoneColumns * zoneRows} zones on ${threads} tick ` +
      `${threads === 1 ? 'thread' : 'threads'} at ${tickHz}/s, ${bots} bots`,
    '  Ctrl-C ends it; --help lists every setting; SIGHUP reads the settings again; SIGUSR2 kills a tick thread',
    '',
  ].join('\n');
}

/** What keeps what, and who said so: a flag, the environment, a config file, or nobody. */
function describeBackends(settings: Settings, sources: SettingSources): [string, string][] {
  const { data, kafka, redis, mongodb, journalFlushMs } = settings;
  const from = (name: SettingName): string =>
    `(${sources[name] === DEFAULT_SOURCE ? `--${name} is not set` : `from ${sources[name]}`})`;
  const embedded = (folder: string): string => join(data, STORES_FOLDER, folder);
  const journal =
    journalFlushMs === 0
      ? 'none (--journal-flush-ms is 0): a kill loses all that is newer than the last snapshot'
      : `${join(data, JOURNAL_FOLDER)}, every ${journalFlushMs} ms at the latest`;
  const dataFrom = sources.data === DEFAULT_SOURCE ? '(default)' : `(from ${sources.data})`;
  return [
    ['data folder', `${data} ${dataFrom}`],
    ['event log', `${kafka === '' ? `embedded, ${embedded('log')}` : `Kafka, ${kafka}`} ${from('kafka')}`],
    [
      'hot store',
      `${redis === '' ? `embedded, ${embedded('hot')}` : `Redis, ${withoutSecrets(redis)}`} ${from('redis')}`,
    ],
    [
      'cold store',
      `${mongodb === '' ? `embedded, ${embedded('cold')}` : `MongoDB, ${withoutSecrets(mongodb)}`} ${from('mongodb')}`,
    ],
    ['journal', journal],
  ];
}
