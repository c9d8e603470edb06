// The spatial index of a replay. It is built only when a tick asks it something, since most ticks of most zones do not. It
// holds the positions at the end of the tick before, as the index of a tick thread does.

import { SCALAR_MIRROR_LIMIT } from '../../memory/world/world-layout.js';
import type { EngineZone, SpatialIndex } from '../zone/zone.js';
import type { Quadtree } from './quadtree.js';

export class LazyIndex implements SpatialIndex {
  private alive = new Uint8Array(0);
  private positionX = new Float32Array(0);
  private positionY = new Float32Array(0);
  private rowLimit = 0;
  private mirrorFirst = 0;
  private mirrorLimit = 0;
  private isBuilt = true;
  private tree: Quadtree | undefined;

  over(tree: Quadtree): this {
    this.tree = tree;
    return this;
  }

  /** At the end of a tick. */
  note(zone: EngineZone): void {
    if (this.alive.length === 0) {
      this.alive = new Uint8Array(zone.rowCapacity);
      this.positionX = new Float32Array(zone.rowCapacity);
      this.positionY = new Float32Array(zone.rowCapacity);
    }
    this.rowLimit = zone.rowLimit;
    this.mirrorFirst = zone.firstMirror;
    this.mirrorLimit = zone.scalars[SCALAR_MIRROR_LIMIT];
    this.copy(zone, 0, this.rowLimit);
    this.copy(zone, this.mirrorFirst, this.mirrorLimit);
    this.isBuilt = false;
  }

  queryCircle(x: number, y: number, radius: number, out: Int32Array): number {
    return this.built()?.queryCircle(x, y, radius, out) ?? 0;
  }

  queryBox(minX: number, minY: number, maxX: number, maxY: number, out: Int32Array): number {
    return this.built()?.queryBox(minX, minY, maxX, maxY, out) ?? 0;
  }

  private built(): Quadtree | undefined {
    if (this.tree !== undefined && !this.isBuilt) this.build(this.tree);
    return this.tree;
  }

  private copy(zone: EngineZone, start: number, limit: number): void {
    this.alive.set(zone.alive.subarray(start, limit), start);
    this.positionX.set(zone.positionX.subarray(start, limit), start);
    this.positionY.set(zone.positionY.subarray(start, limit), start);
  }

  private build(tree: Quadtree): void {
    const { alive, positionX, positionY, rowLimit, mirrorFirst, mirrorLimit } = this;
    tree.begin();
    tree.add(alive, positionX, positionY, 0, rowLimit);
    tree.add(alive, positionX, positionY, mirrorFirst, mirrorLimit);
    tree.finish();
    this.isBuilt = true;
  }
}
