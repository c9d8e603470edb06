// A server inside another program: checks, lock and log as of the command, and no signals, which belong to that program.

import type { Log } from '../base/log.js';
import { loadSettings, type Settings } from '../config/settings.js';
import { createLog } from './cli/log.js';
import { checkStartup } from './cli/startup-checks.js';
import { startServer as startChecked } from './main/server.js';

export interface EmbedOptions {
  /** Default: lines on the error stream, as of the settings logLevel and log. */
  log?: Log;
}

export interface EmbeddedServer {
  port: number;
  /** http://HOST:PORT */
  url: string;
  /** Tick threads. */
  threads: number;
  /** Resolves with the reason when this server should end: the platform drains it, or another process has its data folder. */
  endAsked: Promise<string>;
  /** Ends it within 10 s. `text` is what clients are told. False: not all could be kept; the log says what. */
  stop(text?: string): Promise<boolean>;
}

/**
 * Starts a server with these settings and defaults for the others; the environment and config files play no part. Throws
 * an Error with everything that is wrong, a line each.
 */
export async function startServer(
  settings: Partial<Settings> = {},
  { log: givenLog }: EmbedOptions = {},
): Promise<EmbeddedServer> {
  const load = () =>
    loadSettings({ argv: ['--config', 'startServer'], env: {}, readFile: () => JSON.stringify(settings) });
  const loaded = load();
  if (!loaded.ok) throw new Error(loaded.errors.join('\n'));
  if (!('settings' in loaded)) throw new Error('no settings');
  const pinoLog = createLog(loaded.settings);
  const log = givenLog ?? pinoLog;
  const checked = checkStartup(loaded.settings, loaded.sources, (line) => log.warn({}, line));
  if (!checked.ok) throw new Error(checked.errors.join('\n'));
  const { lock } = checked;
  try {
    const setLogLevel = (level: Settings['logLevel']): void => {
      pinoLog.level = level;
    };
    const server = await startChecked(loaded.settings, log, { reread: load, setLogLevel });
    const { host } = loaded.settings;
    return {
      port: server.port,
      url: `http://${host.includes(':') ? `[${host}]` : host}:${server.port}`,
      threads: server.threads,
      endAsked: Promise.race([server.drainAsked, lock.lost]),
      async stop(text) {
        const isKept = await server.stop(text);
        lock.release();
        return isKept;
      },
    };
  } catch (error) {
    lock.release();
    throw error;
  }
}
