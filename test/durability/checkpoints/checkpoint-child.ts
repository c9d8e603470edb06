// The process that is killed: all rows change in every round, and a round is printed when its checkpoint is written.
// Usage: node checkpoint-child.js FOLDER LIFE

import { writeSync } from 'node:fs';
import { openEmbeddedColdStore } from '../../../src/stores/embedded/embedded-cold-store.js';
import { Stage } from './checkpoint-stage.js';

const ENTITIES = 2500;
const [folder, life] = process.argv.slice(2);
const stage = new Stage();
for (let n = 0; n < ENTITIES; n++) stage.place(n & 1, n >> 1, 0, n, 1);
const checkpointer = stage.checkpointer(openEmbeddedColdStore({ folder }));
for (let round = Number(life) * 1_000_000; ; round++) {
  for (let n = 0; n < ENTITIES; n++)
    stage.set(n & 1, n >> 1, { gold: round, luck: round * 2, positionX: round & 1023 });
  stage.commit();
  checkpointer.take();
  await checkpointer.settled();
  writeSync(1, `${round}\n`);
}
