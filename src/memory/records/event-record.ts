// One event in the event ring; thread-records.ts draws it.

import * as R from './thread-records.js';

/** @hot */
export function putEvent(
  view: DataView,
  offset: number,
  type: number,
  zone: number,
  tick: number,
  key: number,
  otherKey: number,
  valueA: number,
  valueB: number,
  position: number,
): void {
  view.setUint16(offset + R.EVENT_TYPE, type, true);
  view.setUint16(offset + R.EVENT_ZONE, zone, true);
  view.setInt32(offset + R.EVENT_TICK, tick, true);
  view.setUint32(offset + R.EVENT_ENTITY, key, true);
  view.setUint32(offset + R.EVENT_OTHER, otherKey, true);
  view.setFloat64(offset + R.EVENT_A, valueA, true);
  view.setFloat64(offset + R.EVENT_B, valueB, true);
  view.setUint32(offset + R.EVENT_POSITION, position, true);
}
