// What the machine must give before anything starts: a data folder of our own and enough file descriptors. Each failure
// is one line that names the setting, its value, and what to do.

import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describeSetting } from '../../config/setting-lookup.js';
import type { SettingName, SettingSources, Settings } from '../../config/settings.js';
import { findWebProblem } from '../../net/http/web-folder.js';
import { FILE_DESCRIPTORS_RESERVED } from '../limits.js';
import { type DataFolderLock, lockDataFolder } from './data-folder-lock.js';

export type StartupResult = { ok: true; lock: DataFolderLock } | { ok: false; errors: string[] };

/** Looks at everything before it answers. The lock is held only if all of it is well. `say` hears what takes its time. */
export function checkStartup(
  settings: Settings,
  sources: SettingSources,
  say: (line: string) => void = () => {},
): StartupResult {
  const errors: string[] = [];
  const describe = (name: SettingName) => describeSetting(name, settings[name], sources[name]);

  const descriptors = descriptorError(settings.clientsMax, readDescriptorLimit());
  if (descriptors !== undefined) errors.push(`${describe('clientsMax')}, ${descriptors}`);

  const problem = settings.web === '' ? undefined : findWebProblem(settings.web);
  if (problem !== undefined) errors.push(`${describe('web')}, ${problem}`);

  const folder = resolve(settings.data);
  const lock = lockDataFolder(folder, say);
  if (typeof lock === 'string') errors.push(`${describe('data')}, ${lock}`);
  if (errors.length === 0 && typeof lock !== 'string') return { ok: true, lock };
  if (typeof lock !== 'string') lock.release();
  return { ok: false, errors };
}

/** For what listen() fails with: one line in the manner of the checks above. */
export function describeListenError(error: unknown, settings: Settings, sources: SettingSources): string {
  const code = (error as NodeJS.ErrnoException).code;
  const port = describeSetting('port', settings.port, sources.port);
  const host = describeSetting('host', settings.host, sources.host);
  switch (code) {
    case 'EADDRINUSE':
      return `${port}, but another program has this port on ${settings.host}; stop it or choose another --port`;
    case 'EACCES':
      return `${port}, but this user may not listen there; choose a --port from 1024 on`;
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `${host}, but this machine has no such address (${code}); choose another --host`;
    default:
      return `${host} and ${port}, but listening there failed: ${String(error)}`;
  }
}

/** Soft limit of open files, undefined where the system does not tell. Node itself raises it to the hard limit. */
export function readDescriptorLimit(path = '/proc/self/limits'): number | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
  const soft = /^Max open files\s+(\S+)/m.exec(text)?.[1];
  if (soft === undefined) return undefined;
  return soft === 'unlimited' ? Number.POSITIVE_INFINITY : Number(soft);
}

export function descriptorError(clientsMax: number, limit: number | undefined): string | undefined {
  const needed = clientsMax + FILE_DESCRIPTORS_RESERVED;
  if (limit === undefined || limit >= needed) return undefined;
  const possible = limit - FILE_DESCRIPTORS_RESERVED;
  const lower = possible > 0 ? ` or lower --clients-max to ${possible}` : '';
  return `which takes ${needed} open files, but this process may have ${limit}; raise the limit (ulimit -n ${needed})${lower}`;
}
