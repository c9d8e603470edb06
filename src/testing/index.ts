// What the tests of a game import: `tessera/testing`.

export type { CommandPayload } from '../protocol/fb/command-layout.js';
export { HeadlessClient } from './headless-client.js';
export { HeadlessWorld, type TrueEntity } from './headless-world.js';
export { type HeadlessOptions, HeadlessZone, type ZoneEvent, type ZonePlayer } from './headless-zone.js';
export type { SeenEntity } from './seen-entity.js';
