#!/usr/bin/env node
// The command: settings, checks, start, and an end that leaves nothing behind.

import { readFileSync } from 'node:fs';
import { isatty } from 'node:tty';
import { type Logger, pino } from 'pino';
import { nowMs } from '../../base/clock.js';
import { type LoadedSettings, loadSettings, type SettingSources, type Settings } from '../../config/settings.js';
import { BadGame } from '../main/load-game.js';
import { type RunningServer, startServer } from '../main/server.js';
import type { DataFolderLock } from './data-folder-lock.js';
import { helpText, versionText } from './help.js';
import { checkStartup, describeListenError } from './startup-checks.js';

/** A stop that takes longer than this is ended by force. */
const STOP_MS_MAX = 10000;
const SAME_SIGNAL_MS = 1000;
/** Of log lines that found no room, kept until there is some; further ones are lost. */
const LOG_WAITING_BYTES_MAX = 1 << 20;
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

function describe(settings: Settings, server: RunningServer): string {
  const shownHost = settings.host.includes(':') ? `[${settings.host}]` : settings.host;
  const { zoneColumns, zoneRows, tickHz, worldWidth, worldHeight, bots } = settings;
  return [
    `listening on http://${shownHost}:${server.port}`,
    `  play in a browser   http://${shownHost}:${server.port}/`,
    `  WebSocket clients   ws://${shownHost}:${server.port}/ws/game  (schemas/WIRE.md)`,
    `  health, metrics     /healthz  /readyz  /metrics`,
    `  world ${worldWidth} x ${worldHeight} in ${zoneColumns * zoneRows} zones on ${server.threads} tick ` +
      `${server.threads === 1 ? 'thread' : 'threads'} at ${tickHz}/s, ${bots} bots`,
    '  Ctrl-C ends it; --help lists every setting; SIGHUP reads the settings again; SIGUSR2 kills a tick thread',
    '',
  ].join('\n');
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

/** Where the log cannot be written, because its disk is full or nobody reads it any more, play goes on all the same. */
function createLog(level: Settings['logLevel']): Logger {
  const lines = pino.destination({ dest: 2, sync: true, maxLength: LOG_WAITING_BYTES_MAX });
  lines.on('error', () => {});
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
  return pino({ level, base: null }, lines);
}

async function start(settings: Settings, sources: SettingSources): Promise<void> {
  const log = createLog(settings.logLevel);
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
    process.stdout.write(describe(settings, server));
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
