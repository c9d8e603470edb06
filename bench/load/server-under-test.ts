// The server under load: a process of its own, with settings that make the scene.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DEFAULTS } from '../../src/config/settings.js';
import { flagsOf, ServerProcess } from '../server-process.js';
import { GAME_PATH, type LoadOptions } from './options.js';
import type { ScenePlan } from './scene.js';

/** Room for connections that are being closed while others come. */
const CLIENTS_SPARE = 16;

export interface ServerUnderTest {
  /** http://host:port */
  base: string;
  url: URL;
  pid: number | null;
  /** What the server printed last; empty for one that was not started here. */
  log(): string;
  /** How the server ended, while it should be running; null while it runs. */
  exitText(): string | null;
  stop(): Promise<void>;
}

export function serverArguments(options: LoadOptions, plan: ScenePlan, dataFolder: string): string[] {
  const settings: Record<string, string | number> = {
    host: '127.0.0.1',
    port: 0,
    data: dataFolder,
    seed: options.seed,
    world: `${plan.worldSide}x${plan.worldSide}`,
    zones: `${plan.zonesPerSide}x${plan.zonesPerSide}`,
    spawn: plan.spawn,
    'update-hz': options.updateHz,
    'clients-max': options.clients + CLIENTS_SPARE,
    'connections-per-address': options.clients + CLIENTS_SPARE,
    // Twice the rate of inputs, because a stalled generator makes up for lost time.
    'messages-per-second': Math.max(DEFAULTS.messagesPerSecond, options.inputHz * 2),
  };
  return [...flagsOf(settings), ...options.serverArgs];
}

/** It reads the TESSERA_ variables of this process, and Ctrl-C reaches it only after its last figures were read. */
export async function startServer(options: LoadOptions, plan: ScenePlan): Promise<ServerUnderTest> {
  const dataFolder = mkdtempSync(join(tmpdir(), 'tessera-load-'));
  const server = new ServerProcess(serverArguments(options, plan, dataFolder), {
    inheritsSettings: true,
    ownGroup: true,
  });
  const stop = async (): Promise<void> => {
    await server.stop();
    rmSync(dataFolder, { recursive: true, force: true });
  };
  try {
    await server.ready();
  } catch (error) {
    await stop();
    throw error;
  }
  const { url: base, pid } = server;
  const url = new URL(GAME_PATH, base.replace('http:', 'ws:'));
  return { base, url, pid, log: () => server.log(), exitText: () => server.exitText(), stop };
}
