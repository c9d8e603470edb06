// When a zone's timers and schedules run: once per tick, before the systems. What is due stands in columns (timer-columns.ts)
// and in one scalar, so a successor, a restart and a replay find it there.
//
// Private to the thread is only where to look: for each 64 rows a tick before which none of their timers fires, and the least
// of those. A tick in which nothing is due compares one number. One in which something is reads a number for each 64 rows, and
// the timers of those 64 in which something may be due. Such a bound may be too early, which costs a look and fires nothing,
// and never too late. Timers fire in the order of rows, those of a row in the order of the game: that depends on columns alone.

import { assert } from '../../base/assert.js';
import type { GameDefinition, ScheduleDefinition, TimerDefinition } from '../../game/definition.js';
import { TIMER_SECONDS_MAX } from '../../game/limits.js';
import type { Block } from '../../memory/world/world-buffer.js';
import { SCALAR_ROW_LIMIT, SCALAR_SCHEDULED, SCALAR_TICK } from '../../memory/world/world-layout.js';
import { freezeTimers, thawTimers, timerColumnsOf } from '../entities/timer-columns.js';
import { type FaultyZone, throwFault } from './game-fault.js';

const ROWS_PER_GROUP = 64;
const NEVER = 0x7fffffff;

type Timed = Pick<GameDefinition, 'timers' | 'schedules'>;

export class ZoneTimers {
  private readonly columns: readonly Int32Array[];
  private readonly names: readonly string[];
  private readonly timers: readonly TimerDefinition[];
  private readonly schedules: readonly (ScheduleDefinition & { name: string; everyTicks: number })[];
  private readonly alive: Uint8Array;
  private readonly scalars: Int32Array;
  /** By group of rows: none of its timers fires before this tick. */
  private readonly groupDue: Int32Array;
  private earliest = NEVER;
  /** The last tick in which timers have fired: a row that is put down goes on after it. */
  private firedTick: number;

  constructor(
    block: Block,
    game: Timed,
    private readonly rowCapacity: number,
    private readonly tickHz: number,
  ) {
    this.columns = timerColumnsOf(block);
    this.names = Object.keys(game.timers ?? {});
    this.timers = Object.values(game.timers ?? {});
    this.schedules = Object.entries(game.schedules ?? {}).map(([name, schedule]) => ({
      name,
      every: schedule.every,
      run: (zone) => schedule.run(zone),
      everyTicks: Math.max(1, Math.round(schedule.every * tickHz)),
    }));
    this.alive = block.columns.alive as Uint8Array;
    this.scalars = block.scalars;
    this.firedTick = this.scalars[SCALAR_TICK];
    this.groupDue = new Int32Array(Math.ceil(rowCapacity / ROWS_PER_GROUP)).fill(NEVER);
    const groupCount = Math.ceil(this.scalars[SCALAR_ROW_LIMIT] / ROWS_PER_GROUP);
    for (let group = 0; group < groupCount; group++) this.groupDue[group] = this.findDue(group);
    this.earliest = this.findEarliest();
  }

  /**
   * Before the zone is at this tick. What was set before a zone's first one, as it was populated, counts from there: the first
   * one of a zone that begins anew in an old world is a late one.
   */
  beginTick(tick: number): void {
    if (this.scalars[SCALAR_TICK] !== 0 || tick <= 1) return;
    this.firedTick = tick - 1;
    for (let row = 0; row < this.scalars[SCALAR_ROW_LIMIT]; row++) {
      if (this.alive[row] !== 0) thawTimers(this.columns, row, tick - 1);
    }
  }

  /** All that is due in this tick. */
  run(zone: FaultyZone): void {
    const { tick } = zone;
    this.firedTick = tick;
    if (tick >= this.earliest) this.fireDue(zone, tick);
    if (this.schedules.length > 0) this.runSchedules(zone, tick);
  }

  set(row: number, name: string, seconds: number): void {
    const timer = this.indexOf(name);
    this.assertRow(row);
    const isSound = seconds >= 0 && seconds <= TIMER_SECONDS_MAX;
    assert(isSound, `the timer '${name}' is set to between 0 and ${TIMER_SECONDS_MAX} seconds`, seconds);
    const due = this.scalars[SCALAR_TICK] + Math.max(1, Math.round(seconds * this.tickHz));
    this.columns[timer][row] = due;
    this.expect(row, due);
  }

  cancel(row: number, name: string): boolean {
    const column = this.columns[this.indexOf(name)];
    this.assertRow(row);
    const wasSet = column[row] !== 0;
    column[row] = 0;
    return wasSet;
  }

  timeLeft(row: number, name: string): number {
    const due = this.columns[this.indexOf(name)][row];
    const isSet = row < this.rowCapacity && this.alive[row] > 0 && due !== 0;
    return isSet ? Math.max(0, due - this.scalars[SCALAR_TICK]) / this.tickHz : -1;
  }

  /** Before the row is packed, or stands still. */
  freeze(row: number): void {
    freezeTimers(this.columns, row, this.firedTick);
  }

  /** After the row was unpacked, or goes on. */
  thaw(row: number): void {
    thawTimers(this.columns, row, this.firedTick);
    for (let i = 0; i < this.columns.length; i++) {
      if (this.columns[i][row] !== 0) this.expect(row, this.columns[i][row]);
    }
  }

  private fireDue(zone: FaultyZone, tick: number): void {
    const { groupDue } = this;
    for (let group = 0; group < groupDue.length; group++) {
      if (groupDue[group] > tick) continue;
      groupDue[group] = NEVER; // what is set from here on lowers it again
      this.fireGroup(zone, group, tick);
      groupDue[group] = this.findDue(group);
    }
    this.earliest = this.findEarliest();
  }

  private fireGroup(zone: FaultyZone, group: number, tick: number): void {
    const { columns, alive } = this;
    const limit = Math.min((group + 1) * ROWS_PER_GROUP, this.rowCapacity);
    for (let row = group * ROWS_PER_GROUP; row < limit; row++) {
      for (let timer = 0; timer < columns.length; timer++) {
        const due = columns[timer][row];
        if (due === 0 || due > tick || alive[row] === 0) continue; // it may have died by the timer before
        columns[timer][row] = 0;
        this.fire(zone, timer, row);
      }
    }
  }

  private fire(zone: FaultyZone, timer: number, row: number): void {
    try {
      this.timers[timer].fire(zone, row);
    } catch (error) {
      throwFault(zone, `timer '${this.names[timer]}'`, error);
    }
  }

  /** Of ticks that were skipped, as when a world goes on, one run makes up for all. */
  private runSchedules(zone: FaultyZone, tick: number): void {
    const seen = this.scalars[SCALAR_SCHEDULED];
    const last = seen === 0 ? tick - 1 : seen; // 0: a new zone, or one whose game had no schedules before
    this.scalars[SCALAR_SCHEDULED] = tick;
    for (let i = 0; i < this.schedules.length; i++) {
      const { name, everyTicks, run } = this.schedules[i];
      if (Math.floor(tick / everyTicks) === Math.floor(last / everyTicks)) continue;
      try {
        run(zone);
      } catch (error) {
        throwFault(zone, `schedule '${name}'`, error);
      }
    }
  }

  private expect(row: number, due: number): void {
    const group = Math.floor(row / ROWS_PER_GROUP);
    if (due < this.groupDue[group]) this.groupDue[group] = due;
    if (due < this.earliest) this.earliest = due;
  }

  private findDue(group: number): number {
    const limit = Math.min((group + 1) * ROWS_PER_GROUP, this.rowCapacity);
    let earliest = NEVER;
    for (let i = 0; i < this.columns.length; i++) {
      const column = this.columns[i];
      for (let row = group * ROWS_PER_GROUP; row < limit; row++) {
        if (column[row] !== 0 && this.alive[row] !== 0 && column[row] < earliest) earliest = column[row];
      }
    }
    return earliest;
  }

  private findEarliest(): number {
    let earliest = NEVER;
    for (let group = 0; group < this.groupDue.length; group++) {
      if (this.groupDue[group] < earliest) earliest = this.groupDue[group];
    }
    return earliest;
  }

  private indexOf(name: string): number {
    const index = this.names.indexOf(name);
    assert(index >= 0, `the game has timers ${this.names.join(', ') || '(none)'}, and not`, name);
    return index;
  }

  private assertRow(row: number): void {
    assert(row >= 0 && row < this.rowCapacity && this.alive[row] !== 0, 'a timer is of a living row of this zone', row);
  }
}
