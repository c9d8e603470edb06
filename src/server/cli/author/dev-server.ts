// The server of `tessera dev`, in a process of its own: modules cannot be unloaded, so changed rules need a new process.

import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { DEV_STOP_MS_MAX } from '../../limits.js';
import { NODE_FLAGS } from '../node-flags.js';

const CLI = fileURLToPath(new URL('../cli.js', import.meta.url));

export class DevServer {
  private child: ChildProcess | undefined;
  private exited: Promise<number> = Promise.resolve(0);
  private isStopping = false;
  private isEnded = false;

  constructor(
    private readonly flags: readonly string[],
    private readonly say: (text: string) => void,
  ) {}

  start(): void {
    if (this.isEnded) return;
    this.isStopping = false;
    const child = spawn(process.execPath, [...NODE_FLAGS, CLI, ...this.flags], { stdio: 'inherit' });
    this.child = child;
    this.exited = new Promise((resolve) => {
      child.once('error', (error) => this.say(`the server cannot be started: ${error.message}`));
      child.once('close', (code, signal) => {
        this.child = undefined;
        if (!this.isStopping) this.say(`the server ended with ${signal ?? `code ${code}`}; waiting for the next save`);
        resolve(code ?? 1);
      });
    });
  }

  async restart(): Promise<void> {
    await this.stop('SIGTERM');
    this.start();
  }

  /** The exit code of the server, or 0 when none ran. */
  async end(signal: NodeJS.Signals): Promise<number> {
    this.isEnded = true;
    return this.child === undefined ? 0 : this.stop(signal);
  }

  /** Its own stop takes 10 s at most. */
  private async stop(signal: NodeJS.Signals): Promise<number> {
    this.isStopping = true;
    const { child } = this;
    if (child === undefined) return 0;
    child.kill(signal);
    const timer = setTimeout(() => child.kill('SIGKILL'), DEV_STOP_MS_MAX);
    const code = await this.exited;
    clearTimeout(timer);
    return code;
  }
}
