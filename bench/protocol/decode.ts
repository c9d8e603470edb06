// What a client does with a frame.

import { POSITION_QUANTUM } from '../../src/engine/plan/world-plan.js';
import { EntityDecoder } from '../../src/protocol/fb/entity-decoder.js';
import { openFrame } from '../../src/protocol/fb/server-frame.js';
import { type BenchModule, foldChecksum, measureCases } from '../bench.js';
import { HeadlessWorld, worldSide } from '../engine/headless-world.js';

const VIEW_RADIUS = 24;
const ENTITIES = 1000;
const FRAMES = 64;

export const bench: BenchModule = {
  name: 'decode',
  summary: 'one client opens frames and follows the entities in them',
  run(options) {
    return measureCases(
      [32, 120].map((seen) => {
        const { frames, world } = recordFrames(seen, options.seed);
        const { fields, kinds } = world.description;
        return {
          name: `decode a frame with ${seen} in view`,
          unitsPerCall: frames.length,
          call: () => {
            const decoder = new EntityDecoder(fields, POSITION_QUANTUM, kinds);
            for (const frame of frames) {
              const opened = openFrame(frame);
              if (opened === null || decoder.apply(opened).error !== null) throw new Error('a recorded frame decodes');
            }
            let sum = 0;
            for (const { id, rawX, rawY } of decoder.entities.values()) sum = foldChecksum(sum, id + rawX + rawY);
            return sum;
          },
        };
      }),
      options,
    );
  },
};

/** The first frames of one client, from its full one on. */
function recordFrames(seen: number, seed: number): { frames: Uint8Array[]; world: HeadlessWorld } {
  const side = worldSide(ENTITIES, seen, VIEW_RADIUS);
  const world = new HeadlessWorld({ worldWidth: side, worldHeight: side, bots: ENTITIES, clientsMax: 1, seed });
  const frames: Uint8Array[] = [];
  world.onFrame = (_client, bytes, start, limit) => frames.push(bytes.slice(start, limit));
  world.joinAll(1);
  while (frames.length < FRAMES) {
    world.runTick();
    world.deliver();
  }
  return { frames, world };
}
