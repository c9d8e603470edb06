// What the compiled tests know of the services that start.mjs has started, and how a test starts one of its own.

import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/** The same file as in paths.mjs. */
const CACHE_FOLDER = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'tessera-services');
export const STATE_FILE = process.env.TESSERA_SERVICES_STATE || join(CACHE_FOLDER, 'state.json');

export type ServiceName = 'redis' | 'mariadb' | 'kafka' | 'mongodb';

const VARIABLES: Record<ServiceName, string> = {
  redis: 'TESSERA_REDIS',
  mariadb: 'TESTS_MARIADB',
  kafka: 'TESSERA_KAFKA',
  mongodb: 'TESSERA_MONGODB',
};

interface RunningService {
  pid: number;
  port: number;
  innerPort?: number;
  env: Record<string, string>;
}

/** Where the service is: as the environment says, or else as the state file says; undefined when it does not run. */
export function findService(name: ServiceName): string | undefined {
  return process.env[VARIABLES[name]] || findRunning(name, STATE_FILE)?.env[VARIABLES[name]];
}

export function skipReason(name: ServiceName): string {
  return `${name} is not running: npm run services`;
}

function findRunning(name: ServiceName, stateFile: string): RunningService | undefined {
  if (!existsSync(stateFile)) return undefined;
  const service = JSON.parse(readFileSync(stateFile, 'utf8')).services[name] as RunningService | undefined;
  return service && isAlive(service.pid) ? service : undefined;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Compiled tests lie in an output folder; the scripts lie in the sources. */
function findScript(name: string): string {
  const besideOutput = fileURLToPath(new URL(`../../../test/services/${name}`, import.meta.url));
  return existsSync(besideOutput) ? besideOutput : join(process.cwd(), 'test', 'services', name);
}

export async function runScript(name: string, args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [findScript(name), ...args], { timeout: 120000 });
  return stdout;
}

/** A service that belongs to one test, so that it may be stopped, killed and started again. */
export class OwnService {
  readonly #name: ServiceName;
  readonly #folder: string;
  readonly #arguments: readonly string[];

  private constructor(name: ServiceName, folder: string, args: readonly string[]) {
    this.#name = name;
    this.#folder = folder;
    this.#arguments = args;
  }

  static async start(name: ServiceName, args: readonly string[] = []): Promise<OwnService> {
    const service = new OwnService(name, mkdtempSync(join(tmpdir(), `tessera-${name}-`)), args);
    await service.start();
    return service;
  }

  get #stateFile(): string {
    return join(this.#folder, 'state.json');
  }

  /** On the same port and with the same data as before. */
  async start(): Promise<void> {
    await runScript('start.mjs', ['--only', this.#name, '--state', this.#stateFile, '--keep', ...this.#arguments]);
  }

  get #running(): RunningService {
    const service = findRunning(this.#name, this.#stateFile);
    if (!service) throw new Error(`${this.#name} of this test does not run`);
    return service;
  }

  get port(): number {
    return this.#running.port;
  }

  /** Of a Kafka broker: the listener that names itself to its clients, whatever the other advertises. */
  get innerPort(): number {
    return this.#running.innerPort!;
  }

  signal(signal: NodeJS.Signals): void {
    process.kill(this.#running.pid, signal);
  }

  async kill(): Promise<void> {
    const { pid } = this.#running;
    process.kill(pid, 'SIGKILL');
    for (let i = 0; i < 200 && isAlive(pid); i++) await sleep(10);
  }

  async stop(): Promise<void> {
    await runScript('stop.mjs', ['--state', this.#stateFile]);
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
