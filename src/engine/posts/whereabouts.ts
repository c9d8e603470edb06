// Where entities are, as far as a zone knows: its own rows, the zones that its mirrors were read from, and of those that were
// born here the zone that they have come to. All of it is in the block, and a replay knows the same.

import { makeKey, wireIdOfKey } from '../entities/entity-key.js';
import type { EngineZone } from '../zone/zone.js';
import { SHARED_KEEPER } from '../zone/zone-shared.js';

// What resolve() says beside the number of a zone.
export const HERE = -1;
export const NOWHERE = -2;
export const UNKNOWN = -3;

export class Whereabouts {
  /** By row: of a mirror, the zone that it was read from + 1. */
  private readonly zoneOfMirror: Uint8Array;
  /** By local id: the zone that has it + 1, 0 for this one; and the tick of which that is known. */
  private readonly idZone: Uint8Array;
  private readonly idMoved: Int32Array;

  constructor(private readonly zone: EngineZone) {
    const { columns } = zone.buffer.blocks[0];
    this.zoneOfMirror = columns.mirrorZone as Uint8Array;
    this.idZone = columns.idZone as Uint8Array;
    this.idMoved = columns.idMoved as Int32Array;
  }

  departing(key: number, target: number): void {
    const localId = this.localIdOf(key);
    if (localId < 0) return;
    this.idZone[localId] = target + 1;
    this.idMoved[localId] = this.zone.tick;
  }

  /** An entity has arrived. Whether it was born here; if not, the zone of its birth is to be told. */
  isBack(key: number): boolean {
    const localId = this.localIdOf(key);
    if (localId < 0) return false;
    this.idZone[localId] = 0;
    this.idMoved[localId] = this.zone.tick;
    return true;
  }

  /** An entity that was born here has come to another zone, in this tick of that one. What is known of a later tick stands. */
  moved(key: number, zone: number, tick: number): void {
    const localId = this.localIdOf(key);
    if (localId < 0 || ((tick - this.idMoved[localId]) | 0) <= 0) return;
    this.idZone[localId] = zone + 1;
    this.idMoved[localId] = tick;
  }

  freed(localId: number): void {
    this.idZone[localId] = 0;
  }

  shownFrom(row: number, zone: number): void {
    this.zoneOfMirror[row] = zone + 1;
  }

  /** Where a target is to be looked for. `hint`: the zone + 1 that the last answer named. `hops`: how often it was not there. */
  resolve(target: number, hint: number, hops: number): number {
    const { zone } = this;
    if (zone.sharedRow >= 0 && target === zone.sharedKey) return zone.keepsShared ? HERE : SHARED_KEEPER;
    const wireId = wireIdOfKey(target);
    const home = this.homeOf(target);
    if (target === 0 || home >= zone.zoneCount) return NOWHERE;
    const row = zone.rowOfRef(target);
    if (row >= 0 && row < zone.ownCapacity) return HERE;
    if (hint > 0 && hint - 1 !== zone.id) return hint - 1;
    const shown = row < 0 ? -1 : this.zoneOfMirror[row] - 1;
    if (shown >= 0 && shown !== zone.id && (hops === 0 || home === zone.id)) return shown;
    if (home !== zone.id) return home;
    const localId = wireId - home * zone.rowCapacity;
    const { idTaken, idGeneration } = zone.engine;
    if (idTaken[localId] === 0 || makeKey(wireId, idGeneration[localId]) !== target) return NOWHERE;
    const at = this.idZone[localId] - 1;
    return at >= 0 && at !== zone.id ? at : UNKNOWN;
  }

  ownRowOf(target: number): number {
    const { zone } = this;
    if (zone.keepsShared && target === zone.sharedKey) return zone.sharedRow;
    const row = zone.rowOfRef(target);
    return row < zone.ownCapacity ? row : -1;
  }

  homeOf(key: number): number {
    return Math.floor(wireIdOfKey(key) / this.zone.rowCapacity);
  }

  /** Of an entity that was born here; -1: it was born elsewhere, or its id is another entity's. */
  private localIdOf(key: number): number {
    const { zone } = this;
    const wireId = wireIdOfKey(key);
    const localId = wireId - zone.id * zone.rowCapacity;
    if (localId < 0 || localId >= zone.rowCapacity) return -1;
    return makeKey(wireId, zone.engine.idGeneration[localId]) === key ? localId : -1;
  }
}
