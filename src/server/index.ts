// What a program imports that runs a server inside itself: `tessera/server`.

export type { Log } from '../base/log.js';
export { DEFAULTS, type Settings } from '../config/settings.js';
export { type EmbeddedServer, type EmbedOptions, startServer } from './embed.js';
