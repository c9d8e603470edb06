import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HUB_CLIENTS, planScene, sideForVisible } from '../../../bench/load/scene.js';
import { createRandom } from '../../../src/base/chance.js';
import { DEFAULTS, loadSettings } from '../../../src/config/settings.js';

function visibleMean(clients: number, side: number, radius: number, seed: number): number {
  const random = createRandom(seed);
  const places = Array.from({ length: clients }, () => ({ x: random() * side, y: random() * side }));
  let pairs = 0;
  for (const a of places) {
    for (const b of places) if (Math.hypot(a.x - b.x, a.y - b.y) < radius) pairs += 1;
  }
  return pairs / clients;
}

test('in a spread world as many are in view as was asked for, edges included', () => {
  const seed = 11;
  for (const [clients, visible] of [
    [250, 32],
    [1000, 32],
    [2000, 8],
    [2000, 100],
  ]) {
    const side = sideForVisible(clients, visible, 24);
    const mean = visibleMean(clients, side, 24, seed);
    assert.ok(Math.abs(mean / visible - 1) < 0.05, `${clients} clients: ${mean} of ${visible} in view, seed ${seed}`);
  }
});

test('a few clients get the smallest world, however many are wanted in view', () => {
  assert.equal(sideForVisible(10, 32, 24), 48);
  assert.equal(sideForVisible(1, 2, 24), 48);
});

test('every plan is one that the server accepts', () => {
  for (const scene of ['spread', 'crowd', 'hubs'] as const) {
    for (const clients of [1, 20, 250, 1000, 2000, 25000]) {
      const { worldSide, zonesPerSide, spawn } = planScene(scene, clients, 32);
      const argv = [
        '--world',
        `${worldSide}x${worldSide}`,
        '--zones',
        `${zonesPerSide}x${zonesPerSide}`,
        '--spawn',
        spawn,
      ];
      const loaded = loadSettings({ argv, env: {}, readFile: () => '{}' });
      assert.ok(loaded.ok, `${scene}, ${clients} clients: ${JSON.stringify(loaded)}`);
    }
  }
});

test('hubs have room of their own', () => {
  const { worldSide } = planScene('hubs', 5 * HUB_CLIENTS, 32);
  assert.ok((worldSide / DEFAULTS.viewRadius / 4) ** 2 >= 5, String(worldSide));
});
