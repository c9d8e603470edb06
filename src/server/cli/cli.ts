#!/usr/bin/env node
// The command: settings, checks, start, and an end that leaves nothing behind.

import { readFileSync } from 'node:fs';
import { isatty } from 'node:tty';
import { nowMs } from '../../base/clock.js';
import { type LoadedSettings, loadSettings, type SettingSources, type Settings } from '../../config/settings.js';
import { SAME_SIGNAL_MS, STOP_MS_MAX } from '../limits.js';
import { BadGame } from '../main/load-game.js';
import { type RunningServer, startServer } from '../main/server.js';
import type { DataFolderLock } from './data-folder-lock.js';
import { helpText, versionText } from './help.js';
import { createLog } from './log.js';
import { describeStart } from './start-lines.js';
import { checkStartup, describeListenError } from './startup-checks.js';

const hadTerminal = isatty(0);

function load(): LoadedSettings {
  return loadSettings({
    argv: process.argv.slice(2),
    env: process.env,
    readFile: (path) => readFileSync(path, 'utf8'),
  });
}

function fail(lines: readonly string[]): never {
  for (const line of lines) {
    process.stderr.write(`tessera: ${line}\n`);
  }
  process.exit(1);
}

/** All is done. An exit of Node's own would want to set a terminal in order that is gone, and abort. */
function dieOfHangup(): void {
  process.removeAllListeners('SIGHUP');
  process.kill(process.pid, 'SIGHUP');
}

function obeySignals(server: RunningServer, lock: DataFolderLock): void {
  let endingSinceMs: number | undefined;
  let endingBy = '';
  const end = async (signal: string, text?: string): Promise<void> => {
    if (endingSinceMs !== undefined) {
      // One Ctrl-C may come twice, from the terminal and from npm. A person who asks again means at once.
      // The platform's drain and a signal are two who ask for the same; only a second signal is in a hurry.
      const isFirst = signal === 'drain' || endingBy === 'drain';
      const isSame = signal === endingBy && nowMs() - endingSinceMs <= SAME_SIGNAL_MS;
      if (isFirst && signal !== 'drain') endingBy = signal;
      if (isFirst || isSame) return;
      fail([`${signal} while stopping: ends at once; what was not stored by now is lost`]);
    }
    endingSinceMs = nowMs();
    endingBy = signal;
    process.stdout.write(`${signal}: telling clients, stopping\n`);
    setTimeout(() => fail([`stopping took longer than ${STOP_MS_MAX} ms`]), STOP_MS_MAX).unref();
    const isKept = await server.stop(text);
    lock.release();
    if (signal === 'SIGHUP') dieOfHangup();
    process.exit(isKept ? 0 : 1);
  };
  process.on('SIGINT', () => void end('SIGINT'));
  process.on('SIGTERM', () => void end('SIGTERM'));
  void server.drainAsked.then((text) => end('drain', text));
  process.on('SIGHUP', () => {
    if (!hadTerminal || isatty(0)) {
      server.reload();
      return;
    }
    void end('SIGHUP'); // a terminal that was closed sends the same signal, and is no terminal any more
  });
  process.on('SIGUSR2', () => server.endTickThread());
}

async function start(settings: Settings, sources: SettingSources): Promise<void> {
  const log = createLog(settings);
  const checked = checkStartup(settings, sources, (line) => log.warn({}, line));
  if (!checked.ok) {
    fail(checked.errors);
  }
  void checked.lock.lost.then((line) => fail([`${line}: ends at once, before it damages what that one writes`]));
  try {
    const setLogLevel = (level: Settings['logLevel']): void => {
      log.level = level;
    };
    const server = await startServer(settings, log, { reread: load, setLogLevel });
    obeySignals(server, checked.lock);
    process.stdout.write(describeStart(settings, sources, server));
  } catch (error) {
    checked.lock.release();
    const { syscall } = error as NodeJS.ErrnoException;
    const isListenError = syscall === 'listen' || syscall === 'getaddrinfo';
    if (error instanceof BadGame) fail(error.lines);
    fail([isListenError ? describeListenError(error, settings, sources) : (error as Error).message]);
  }
}

const loaded = load();
if (!loaded.ok) {
  fail(loaded.errors);
} else if ('help' in loaded) {
  process.stdout.write(helpText());
} else if ('version' in loaded) {
  process.stdout.write(versionText());
} else {
  await start(loaded.settings, loaded.sources);
}
