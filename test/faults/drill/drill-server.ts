// The built server for a drill: like the one of test/server.ts, but it can be killed before it is ready, and its data stays.

import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const CLI = fileURLToPath(new URL('../../../src/server/cli/cli.js', import.meta.url));
const START_MS_MAX = 60000;
const LOG_BYTES_KEPT = 64 * 1024;
const running = new Set<ChildProcess>();

export interface DrillHealth {
  zones: { tick: number; entities: number }[];
  recovery: { source: string; snapshotTick: number; journalTick: number | null; ms: number; skipped: string[] };
}

export class DrillServer {
  /** Undefined until it listens. */
  url: string | undefined;
  /** From its start to that. */
  readyMs = 0;
  private readonly child: ChildProcess;
  private readonly closed: Promise<void>;
  private readonly startedMs = performance.now();
  private text = '';

  constructor(flags: readonly string[]) {
    this.child = spawn(process.execPath, ['--max-semi-space-size=64', CLI, '--port', '0', ...flags], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('TESSERA_'))),
    });
    running.add(this.child);
    this.closed = new Promise((resolve) => this.child.once('close', () => resolve()));
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.setEncoding('utf8').on('data', (chunk: string) => this.hear(chunk));
    }
  }

  get wsUrl(): string {
    return `${this.url?.replace('http:', 'ws:')}/ws/game`;
  }

  get log(): string {
    return this.text;
  }

  get hasEnded(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  async ready(signal?: AbortSignal): Promise<void> {
    while (this.url === undefined) {
      signal?.throwIfAborted();
      if (this.hasEnded) throw new Error(`the server ended before it listened:\n${this.text}`);
      if (performance.now() - this.startedMs > START_MS_MAX) {
        throw new Error(`the server does not listen after ${START_MS_MAX} ms:\n${this.text}`);
      }
      await sleep(2);
    }
  }

  async health(): Promise<DrillHealth> {
    return (await (await fetch(`${this.url}/healthz`)).json()) as DrillHealth;
  }

  /** Events that the log has acknowledged since the server began; undefined when it does not answer any more. */
  async eventsAppended(): Promise<number | undefined> {
    try {
      const text = await (await fetch(`${this.url}/metrics`)).text();
      return Number(/^tessera_io_events_appended_total (\d+)/m.exec(text)?.[1] ?? 0);
    } catch {
      return undefined;
    }
  }

  /** As a crash would, at once. */
  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.closed;
    running.delete(this.child);
  }

  private hear(chunk: string): void {
    this.text = (this.text + chunk).slice(-LOG_BYTES_KEPT);
    if (this.url !== undefined) return;
    const address = /^listening on (http:\/\/\S+)/m.exec(this.text);
    if (address === null) return;
    this.url = address[1];
    this.readyMs = performance.now() - this.startedMs;
  }
}

process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});
