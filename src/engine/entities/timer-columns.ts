// The columns of a game's timers: one for each name, so that a timer is in snapshots, journals, cells and the state hash as a
// field is, and is found again by name when the game has changed.
//
// What a cell holds:   0: not set.   alive row: the tick of its zone in which it fires.   any other: the ticks that are left
//
// The second form is for a row that is on its way, to another zone or into a cell: zones are at different ticks, and time does
// not pass for what is nowhere. Who takes a row off (freezeTimers) and who puts it down (thawTimers) changes the form.

import type { TimerDefinition } from '../../game/definition.js';
import type { Block } from '../../memory/world/world-buffer.js';
import type { ColumnSpec } from '../../memory/world/world-layout.js';

/** With a dot, which the name of a field cannot have. */
const PREFIX = 'timer.';

export function timerColumns(timers: Readonly<Record<string, TimerDefinition>> = {}): ColumnSpec[] {
  return Object.keys(timers).map((name) => ({ name: `${PREFIX}${name}`, type: 'i32' }));
}

export function isTimerColumn(name: string): boolean {
  return name.startsWith(PREFIX);
}

/** In the order of the game. */
export function timerColumnsOf({ columns }: Block): Int32Array[] {
  return Object.keys(columns)
    .filter(isTimerColumn)
    .map((name) => columns[name] as Int32Array);
}

/** The row is taken off at this tick, in which its timers have fired. */
export function freezeTimers(columns: readonly Int32Array[], row: number, tick: number): void {
  for (let i = 0; i < columns.length; i++) {
    if (columns[i][row] !== 0) columns[i][row] -= tick;
  }
}

/** The row goes on after this tick. */
export function thawTimers(columns: readonly Int32Array[], row: number, tick: number): void {
  for (let i = 0; i < columns.length; i++) {
    if (columns[i][row] !== 0) columns[i][row] += tick;
  }
}
