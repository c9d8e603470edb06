// What players with inventories cost a world of pillars, in memory and in tick time. Each scene is a process of its own; they run
// in turns, so that what else the machine does hits all of them.

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { BenchModule, BenchOptions, BenchRow } from '../bench.js';
import type { SceneAnswer } from './inventory-scene.js';

const SCENE = fileURLToPath(new URL('./inventory-scene.js', import.meta.url));
const PILLARS = 100_000;
const PLAYERS = 2000;
const ROUNDS = 10;
const TICKS = 60;
const ANSWER_MS_MAX = 60_000;

interface Scene {
  name: string;
  players: number;
  /** flat: pillars have the fields of players too. */
  form: 'components' | 'flat';
}

const SCENES: readonly Scene[] = [
  { name: 'pillars alone', players: 0, form: 'components' },
  { name: 'with players of 64 slots', players: 1, form: 'components' },
  { name: 'the same, every kind has every field', players: 1, form: 'flat' },
];

export const bench: BenchModule = {
  name: 'inventories',
  summary: 'one zone of 100,000 pillars, alone and with 2,000 players of 64 slots: ticks and memory',
  async run({ small, seed }: BenchOptions): Promise<BenchRow[]> {
    const scale = small ? 100 : 1;
    const children: ChildProcess[] = [];
    try {
      for (const { players, form } of SCENES) {
        const counts = [PILLARS / scale, (players * PLAYERS) / scale].map(String);
        children.push(fork(SCENE, [...counts, form, String(seed)]));
      }
      return await measure(children, small);
    } finally {
      for (const child of children) child.kill();
    }
  },
};

async function measure(children: readonly ChildProcess[], small: boolean): Promise<BenchRow[]> {
  const times: number[][] = children.map(() => []);
  const last: SceneAnswer[] = [];
  for (let round = 0; round <= (small ? 1 : ROUNDS); round++) {
    for (const [index, child] of children.entries()) {
      last[index] = await ask(child, small ? 4 : TICKS);
      if (round > 0) times[index].push(...last[index].tickMs); // the first round warms up
    }
  }
  return SCENES.map(({ name }, index) => {
    const sorted = Float64Array.from(times[index]).sort();
    const mean = sorted.reduce((sum, ms) => sum + ms, 0) / sorted.length;
    const [p50, p99] = [0.5, 0.99].map((part) => sorted[Math.floor(part * (sorted.length - 1))]);
    return {
      name,
      perSecond: 1000 / mean,
      meanUs: mean * 1000,
      p99Us: p99 * 1000,
      samples: sorted.length,
      checksum: last[index].checksum,
      note: `p50 ${p50.toFixed(2)} ms, RSS ${last[index].rssMiB.toFixed(1)} MiB`,
    };
  });
}

async function ask(child: ChildProcess, ticks: number): Promise<SceneAnswer> {
  child.send(ticks);
  const [answer] = await once(child, 'message', { signal: AbortSignal.timeout(ANSWER_MS_MAX) });
  return answer as SceneAnswer;
}
