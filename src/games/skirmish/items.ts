// What lies about, what is carried, and what it is good for.

import type { Game } from './fields.js';
import { HP_MAX, ITEMS, KIND, POTION, POTION_HP, SLOTS, TAKE_REACH } from './rules.js';

const near = new Int32Array(16);

/** Asks for the nearest loot, which may lie beyond a border: it answers with what it is. */
export function reachOut(zone: Game, row: number): boolean {
  const [x, y] = [zone.positionX[row], zone.positionY[row]];
  const count = zone.nearest(x, y, TAKE_REACH, 1 << KIND.loot, near);
  return count > 0 && zone.post(zone.refOf(near[0]), 'claim', { by: zone.refOf(row) });
}

/** Of several who reach for it the first one gets it: then it is gone. */
export function yieldLoot(zone: Game, row: number, by: number): void {
  const { item, gold } = zone.columns;
  if (zone.post(by, 'give', { item: item[row], gold: gold[row] })) zone.despawn(row);
}

/** Whoever has no room gets the gold, and the rest lies down again. */
export function receive(zone: Game, row: number, item: number, gold: number): void {
  zone.columns.gold[row] += gold;
  if (item === 0) return;
  const slot = zone.columns.bag.subarray(row * SLOTS, (row + 1) * SLOTS).indexOf(0);
  if (slot >= 0) zone.columns.bag[row * SLOTS + slot] = item;
  else lay(zone, zone.positionX[row], zone.positionY[row], item, 0);
}

export function lay(zone: Game, x: number, y: number, item: number, gold: number): void {
  const loot = zone.spawn(KIND.loot, x, y);
  if (loot < 0) return;
  zone.columns.item[loot] = item;
  zone.columns.gold[loot] = gold;
}

/** A weapon changes places with the one in the hand; a potion is drunk. */
export function use(zone: Game, row: number, slot: number): boolean {
  const { bag, item, hp } = zone.columns;
  const at = row * SLOTS + slot;
  const used = bag[at];
  if (used === 0 || used >= ITEMS.length) return false;
  if (used === POTION) {
    bag[at] = 0;
    hp[row] = Math.min(HP_MAX, hp[row] + POTION_HP);
  } else {
    bag[at] = item[row];
    item[row] = used;
  }
  return true;
}

/** Who falls leaves its gold and what it held. */
export function dropAll(zone: Game, row: number): void {
  const { item, gold } = zone.columns;
  if (item[row] !== 0 || gold[row] > 0) lay(zone, zone.positionX[row], zone.positionY[row], item[row], gold[row]);
  item[row] = 0;
  gold[row] = 0;
}
