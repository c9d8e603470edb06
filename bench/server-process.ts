// The built server in a process of its own: the one way in which benches, the load tester, the drill and the tests start
// it. None outlives the process that started it, however that one ends.

import { type ChildProcess, spawn } from 'node:child_process';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { ENVIRONMENT_PREFIX } from '../src/config/setting-names.js';
import { NODE_FLAGS } from '../src/server/cli/node-flags.js';

export const SERVER_CLI = fileURLToPath(new URL('../src/server/cli/cli.js', import.meta.url));

/** A start may wait for the lease of a server that was killed, and read a long journal. */
const START_MS_MAX = 60000;
/** A server promises to stop within 10 s. */
const STOP_MS_MAX = 15000;
const POLL_MS = 5;
const LOG_BYTES_KEPT = 256 * 1024;

export interface ServerProcessOptions {
  /** As npm start gives them, unless said otherwise. */
  nodeFlags?: readonly string[];
  /** The server reads this process's TESSERA_ variables too. */
  inheritsSettings?: boolean;
  /** A process group of its own: Ctrl-C on a terminal reaches only whoever started the server. */
  ownGroup?: boolean;
  /** Another build's program, to compare with. */
  cli?: string;
}

const running = new Set<ChildProcess>();

export class ServerProcess {
  /** From the start until it listened; 0 before. */
  readyMs = 0;
  private address: RegExpExecArray | null = null;
  private readonly child: ChildProcess;
  private readonly closed: Promise<void>;
  private readonly startedMs = performance.now();
  private text = '';

  /** Flags as on the command line. */
  constructor(flags: readonly string[], options: ServerProcessOptions = {}) {
    const { nodeFlags = NODE_FLAGS, inheritsSettings = false, ownGroup = false, cli = SERVER_CLI } = options;
    this.child = spawn(process.execPath, [...nodeFlags, cli, ...flags], {
      detached: ownGroup,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: inheritsSettings ? process.env : withoutSettings(process.env),
    });
    running.add(this.child);
    this.closed = new Promise((resolve) => this.child.once('close', () => resolve()));
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.setEncoding('utf8').on('data', (chunk: string) => this.hear(chunk));
    }
  }

  get pid(): number {
    return this.child.pid!;
  }

  get isListening(): boolean {
    return this.address !== null;
  }

  /** http://HOST:PORT */
  get url(): string {
    return this.found[1];
  }

  get wsUrl(): string {
    return `${this.url.replace('http:', 'ws:')}/ws/game`;
  }

  get port(): number {
    return Number(this.found[2]);
  }

  /** What it said last, on both streams. */
  log(): string {
    return this.text;
  }

  get hasEnded(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  /** How it ended; null while it runs. */
  exitText(): string | null {
    if (this.child.signalCode !== null) return `the server was ended by ${this.child.signalCode}`;
    return this.child.exitCode === null ? null : `the server exited with ${this.child.exitCode}`;
  }

  /** Resolves when it listens. */
  async ready(signal?: AbortSignal): Promise<void> {
    while (this.address === null) {
      signal?.throwIfAborted();
      if (this.hasEnded) {
        await this.closed;
        throw new Error(`${this.exitText()} before it listened:\n${this.text}`);
      }
      if (performance.now() - this.startedMs > START_MS_MAX) {
        throw new Error(`the server did not listen within ${START_MS_MAX} ms:\n${this.text}`);
      }
      await sleep(POLL_MS);
    }
  }

  async health<T>(): Promise<T> {
    return (await (await fetch(`${this.url}/healthz`)).json()) as T;
  }

  async metrics(): Promise<string> {
    return (await fetch(`${this.url}/metrics`)).text();
  }

  /** Asks it to end. Its exit code, or null if it had to be killed. */
  stop(): Promise<number | null> {
    return this.end('SIGTERM');
  }

  /** Ends it as a crash would, at once. */
  async kill(): Promise<void> {
    await this.end('SIGKILL');
  }

  /** Whoever started it may end without having stopped it; the server ends too. */
  unref(): void {
    this.child.unref();
    for (const stream of [this.child.stdout, this.child.stderr]) (stream as Socket).unref();
  }

  private async end(signal: NodeJS.Signals): Promise<number | null> {
    this.child.ref();
    if (!this.hasEnded) this.child.kill(signal);
    const timer = setTimeout(() => this.child.kill('SIGKILL'), STOP_MS_MAX);
    await this.closed;
    clearTimeout(timer);
    running.delete(this.child);
    return this.child.exitCode;
  }

  private get found(): RegExpExecArray {
    if (this.address === null) throw new Error('the server does not listen yet');
    return this.address;
  }

  private hear(chunk: string): void {
    this.text = (this.text + chunk).slice(-LOG_BYTES_KEPT);
    if (this.address !== null) return;
    this.address = /^listening on (http:\/\/[^\s/]+:(\d+))/m.exec(this.text);
    if (this.address !== null) this.readyMs = performance.now() - this.startedMs;
  }
}

/** Settings as flags. */
export function flagsOf(settings: Readonly<Record<string, string | number>>): string[] {
  return Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
}

function withoutSettings(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith(ENVIRONMENT_PREFIX)));
}

process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});
