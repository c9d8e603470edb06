// What can be set, with its default, and where a value may come from: flags win over environment over a config file.

export type SpawnPolicy = 'spread' | 'crowd' | `hubs:${number}`;

export interface Settings {
  host: string;
  port: number;
  /** Folder for what lasts. One server at a time. */
  data: string;
  /** 'arena', or the path of a module that exports a game. */
  game: string;
  bots: number;
  seed: number;
  zoneColumns: number;
  zoneRows: number;
  /** Tick threads; 0: as many as there are cores less one, at least one, at most one per zone. */
  threads: number;
  worldWidth: number;
  worldHeight: number;
  tickHz: number;
  updateHz: number;
  viewRadius: number;
  spawn: SpawnPolicy;
  entitiesPerZone: number;
  clientsMax: number;
  connectionsPerAddress: number;
  /** Messages one client may send per second, with a burst of as many. */
  messagesPerSecond: number;
  /** Commands one zone applies per tick. */
  commandsPerTick: number;
  /** Commands of one client that a zone applies in one tick. */
  commandsPerClientTick: number;
  /** Bytes of state per second for one client. */
  bytesPerSecond: number;
  /** A client that has not joined by then is closed. */
  joinTimeoutMs: number;
  /** A client that answers no ping for this long is closed. */
  idleTimeoutMs: number;
  /** A client that stays backed up for this long is closed. */
  slowClientMs: number;
  /** A tick thread that shows no progress for this long is replaced. */
  hangMs: number;
  logLevel: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'silent';
}

export const DEFAULTS: Settings = {
  host: '127.0.0.1',
  port: 8080,
  data: 'data',
  game: 'arena',
  bots: 0,
  seed: 1,
  zoneColumns: 2,
  zoneRows: 2,
  threads: 0,
  worldWidth: 512,
  worldHeight: 512,
  tickHz: 60,
  updateHz: 30,
  viewRadius: 24,
  spawn: 'spread',
  entitiesPerZone: 32768,
  clientsMax: 4096,
  connectionsPerAddress: 4096,
  messagesPerSecond: 90,
  commandsPerTick: 1000,
  commandsPerClientTick: 8,
  bytesPerSecond: 65536,
  joinTimeoutMs: 5000,
  idleTimeoutMs: 30000,
  slowClientMs: 10000,
  hangMs: 500,
  logLevel: 'info',
};
