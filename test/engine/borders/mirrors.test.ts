// What a zone sees of its neighbours, whenever it reads them.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MIRROR_GRACE_TICKS, MIRROR_READS_MAX } from '../../../src/engine/borders/limits.js';
import { neighboursOf } from '../../../src/engine/borders/mirrors.js';
import type { GameDefinition, Zone } from '../../../src/game/definition.js';
import arena from '../../../src/games/arena/game.js';
import { COUNTER } from '../../../src/memory/tables/zone-counters.js';
import type { Block, WorldBuffer } from '../../../src/memory/world/world-buffer.js';
import { HeadlessWorld } from '../../../src/testing/headless-world.js';
import { letIdsRest } from '../entities/rest.js';

const COUNT = 5;
const NPC = 1;
/** In each tick all go down by one. */
const fall = (zone: Zone): void => {
  for (let row = 0; row < zone.rowLimit; row++) zone.positionY[row]++;
};
const game = {
  ...(arena as unknown as GameDefinition),
  systems: [{ name: 'fall', run: fall }],
  populate: () => {},
} as GameDefinition;

interface MirrorParts {
  mirrors: { refresh(): void; sources: { buffer: WorldBuffer }[] };
}

class Stage {
  readonly world = new HeadlessWorld(game, {
    ...{ zoneColumns: 2, zoneRows: 1, worldWidth: 200, worldHeight: 200, bots: 0, entitiesPerZone: 4096 },
  });
  readonly zone = this.world.hosts[0].zone;
  readonly other = this.world.hosts[1].zone;
  readonly mirrors = (this.world.hosts[0] as unknown as MirrorParts).mirrors;

  constructor(count = COUNT) {
    for (let n = 0; n < count; n++) this.other.spawn(NPC, 104, 10);
    this.world.run(2);
  }

  /** Of the mirrors. */
  get ys(): number[] {
    const { alive, positionY, ownCapacity, rowCapacity } = this.zone;
    const rows = Array.from({ length: rowCapacity - ownCapacity }, (_, place) => ownCapacity + place);
    return rows.filter((row) => alive[row] !== 0).map((row) => positionY[row]);
  }

  get torn(): number {
    return this.zone.counters[COUNTER.mirrorsTorn];
  }

  /** The neighbour's thread runs so many ticks while the third of its rows is read, as often as that. */
  interruptReads(ticks: number, times: number): void {
    const [{ buffer }] = this.mirrors.sources;
    let left = times;
    for (const block of buffer.blocks) {
      const columns = block.columns as Record<string, object>;
      columns.alive = new Proxy((block as Block).columns.alive, {
        get: (column, name) => {
          if (name === '2' && left > 0) {
            left--;
            for (let n = 0; n < ticks; n++) this.world.hosts[1].runTick(++this.world.tick);
          }
          return Reflect.get(column, name, column);
        },
      });
    }
  }
}

function all(y: number): number[] {
  return new Array(COUNT).fill(y);
}

test('what is read of a neighbour that commits twice meanwhile is read again, and is of one tick', () => {
  const stage = new Stage();
  assert.deepEqual(stage.ys, all(11));
  stage.interruptReads(2, 1);
  stage.mirrors.refresh();
  assert.deepEqual(stage.ys, all(14));
  assert.equal(stage.torn, 0);
});

test('a commit beside the reading does not disturb it: the other block is written', () => {
  const stage = new Stage();
  stage.interruptReads(1, 1);
  stage.mirrors.refresh();
  assert.deepEqual(stage.ys, all(12), 'the tick that it began with');
  stage.mirrors.refresh();
  assert.deepEqual(stage.ys, all(13));
});

test('mirrors stand still for a tick, counted, where a neighbour cannot be read in peace', () => {
  const stage = new Stage();
  stage.interruptReads(2, MIRROR_READS_MAX);
  stage.mirrors.refresh();
  assert.equal(stage.torn, 1);
  assert.deepEqual(stage.ys, all(11), 'as they were');
  stage.mirrors.refresh();
  assert.equal(stage.torn, 1);
  assert.deepEqual(stage.ys, all(12 + 2 * MIRROR_READS_MAX));
});

test('one read less than too many is enough', () => {
  const stage = new Stage();
  stage.interruptReads(2, MIRROR_READS_MAX - 1);
  stage.mirrors.refresh();
  assert.equal(stage.torn, 0);
  assert.deepEqual(stage.ys, all(12 + 2 * (MIRROR_READS_MAX - 1)));
});

test('those for whom there is no row are counted, each in each tick', () => {
  const most = 1024;
  const stage = new Stage(most + 3);
  assert.equal(stage.zone.rowCapacity - stage.zone.ownCapacity, most);
  assert.equal(stage.ys.length, most);
  const before = stage.zone.counters[COUNTER.mirrorsRefused];
  stage.world.run(1);
  assert.equal(stage.zone.counters[COUNTER.mirrorsRefused] - before, 3);
  assert.equal(stage.zone.counters[COUNTER.mirrors], most);
});

test('who goes away from the border is kept for some ticks, and then forgotten', () => {
  const stage = new Stage();
  stage.other.positionX.fill(190, 0, COUNT);
  stage.world.run(MIRROR_GRACE_TICKS + 1); // the first of them still showed it
  assert.equal(stage.ys.length, COUNT);
  stage.world.run(1);
  assert.equal(stage.ys.length, 0);
});

test('a successor has the mirrors of its forerunner, each in its row and found by its id, and frees those that go', () => {
  const stage = new Stage();
  const rowsOfIds = ({ zone }: Stage['world']['hosts'][number]): [id: number, row: number][] =>
    [...zone.rowOfId.entries()].filter(([, row]) => row > zone.ownCapacity).map(([id, row]) => [id, row - 1]);
  const before = rowsOfIds(stage.world.hosts[0]);
  assert.equal(before.length, COUNT);
  stage.world.renewThread(0);
  const [host] = stage.world.hosts;
  assert.deepEqual(rowsOfIds(host), before);
  stage.world.run(2);
  assert.deepEqual(rowsOfIds(stage.world.hosts[0]), before, 'none was made anew');
  for (const [id, row] of before) {
    const { zone } = stage.world.hosts[0];
    assert.equal(zone.wireIdOf(row), id);
    assert.equal(zone.alive[row], 1);
  }
  const other = stage.world.hosts[1].zone;
  for (let row = 0; row < other.rowLimit; row++) other.positionX[row] = 199;
  stage.world.run(MIRROR_GRACE_TICKS + 3);
  assert.deepEqual(rowsOfIds(stage.world.hosts[0]), []);
  assert.equal(stage.world.hosts[0].zone.alive.subarray(stage.zone.ownCapacity).includes(1), false);
});

test('a mirror that is seen again keeps its row and what was noted of its changes', () => {
  const stage = new Stage();
  const { zone } = stage;
  const row = zone.alive.indexOf(1, zone.ownCapacity);
  const key = zone.engine.key[row];
  let resets = 0;
  zone.onRowReset = () => resets++;
  stage.world.run(10);
  assert.equal(zone.engine.key[row], key);
  assert.equal(zone.alive[row], 1);
  assert.equal(resets, 0);
});

test('the neighbours of a zone are those at its sides and corners, inside of the world', () => {
  assert.deepEqual(neighboursOf(5, 4, 3), [0, 1, 2, 4, 6, 8, 9, 10]);
  assert.deepEqual(neighboursOf(0, 4, 3), [1, 4, 5]);
  assert.deepEqual(neighboursOf(11, 4, 3), [6, 7, 10]);
  assert.deepEqual(neighboursOf(0, 1, 1), []);
});

test('an own entity that departs and finds no row for its mirror is counted', () => {
  const stage = new Stage(1024);
  stage.zone.spawn(NPC, 101, 10);
  const before = stage.zone.counters[COUNTER.mirrorsRefused];
  stage.world.run(1);
  assert.equal(stage.zone.counters[COUNTER.entitiesDeparted], 1);
  assert.equal(stage.zone.counters[COUNTER.mirrorsRefused] - before, 1);
});

test('a successor takes up the mirrors of a zone that has as many as it can, and no more', () => {
  const stage = new Stage(1024);
  stage.world.renewThread(0);
  const { zone } = stage.world.hosts[0];
  assert.equal(zone.rowOfId.filter((row) => row !== 0).length, 1024);
  assert.equal(zone.rowOfId[0], 0, 'nobody has this id');
});

test('who is here in the first row already is not mirrored, whatever its former zone shows', () => {
  const stage = new Stage(1);
  const key = stage.other.engine.key[0];
  assert.equal(stage.zone.adopt(key, 0), 0);
  stage.mirrors.refresh();
  assert.deepEqual(stage.ys, []);
  assert.equal(stage.zone.rowOfRef(key), 0);
});

test('of two who had one id one after the other only the later one is mirrored, and its neighbours stay', () => {
  const stage = new Stage();
  const { other, zone } = stage;
  const id = other.wireIdOf(0);
  other.despawn(0);
  letIdsRest(other);
  assert.equal(other.wireIdOf(other.spawn(NPC, 103, 50)), id);
  stage.world.run(2);
  assert.equal(stage.ys.length, COUNT);
  assert.equal(zone.rowOfId.filter((row) => row !== 0).length, COUNT);
});

/** A world in which nothing moves unless told so: what a zone shows of its neighbour, tick by tick. */
class StillStage {
  readonly world = new HeadlessWorld({ ...game, systems: [] } as GameDefinition, {
    ...{ zoneColumns: 2, zoneRows: 1, worldWidth: 200, worldHeight: 200, bots: 0, entitiesPerZone: 4096 },
  });
  readonly zone = this.world.hosts[0].zone;
  readonly other = this.world.hosts[1].zone;
  readonly row = this.other.spawn(NPC, 104, 10);
  reads = 0;

  constructor() {
    const mirrors = (this.world.hosts[0] as unknown as { mirrors: { read(...of: unknown[]): number } }).mirrors;
    const read = mirrors.read.bind(mirrors);
    mirrors.read = (...of) => {
      this.reads++;
      return read(...of);
    };
    this.world.run(10);
  }

  get shown(): number[] {
    const { alive, positionY, ownCapacity, rowCapacity } = this.zone;
    const rows = Array.from({ length: rowCapacity - ownCapacity }, (_, place) => ownCapacity + place);
    return rows.filter((row) => alive[row] !== 0).map((row) => positionY[row]);
  }
}

test('a neighbour in which nothing moves is not read again, and each move of it is shown', () => {
  const stage = new StillStage();
  const { reads } = stage;
  assert.ok(reads >= 1);
  stage.world.run(100);
  assert.equal(stage.reads, reads);
  assert.deepEqual(stage.shown, [10]);
  for (let y = 11; y < 14; y++) {
    stage.other.positionY[stage.row] = y;
    stage.world.run(2);
    assert.deepEqual(stage.shown, [y]);
  }
  assert.ok(stage.reads > reads);
});

test('a mirror that was shown while nothing moved has all of its grace', () => {
  const stage = new StillStage();
  stage.world.run(50);
  stage.other.despawn(stage.row);
  stage.world.run(1 + MIRROR_GRACE_TICKS);
  assert.deepEqual(stage.shown, [10]);
  stage.world.run(1);
  assert.deepEqual(stage.shown, []);
});

test('a system that writes a mirror is corrected by the next tick but one, also where nothing moves', () => {
  const stage = new StillStage();
  stage.world.run(50);
  stage.zone.positionY[stage.zone.ownCapacity] = 99;
  stage.world.run(2);
  assert.deepEqual(stage.shown, [10]);
});
