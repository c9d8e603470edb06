// What a game says of its timers to a zone. A game without timers and schedules has none of their parts.

import type { GameDefinition } from '../../game/definition.js';
import type { Block } from '../../memory/world/world-buffer.js';
import type { ColumnChoice } from '../entities/columns.js';
import { ZoneSight } from './zone-sight.js';
import { ZoneTimers } from './zone-timers.js';

export class ZoneDeadlines extends ZoneSight {
  /** Undefined: the game has neither timers nor schedules. */
  readonly timers: ZoneTimers | undefined;

  constructor(
    block: Block,
    game: ColumnChoice & Pick<GameDefinition, 'schedules'>,
    ownCapacity: number,
    tickHz: number,
  ) {
    super(block, game);
    const isTimed = Object.keys({ ...game.timers, ...game.schedules }).length > 0;
    this.timers = isTimed ? new ZoneTimers(block, game, ownCapacity, tickHz) : undefined;
  }

  after(row: number, timer: string, seconds: number): void {
    this.known.set(row, timer, seconds);
  }

  cancel(row: number, timer: string): boolean {
    return this.known.cancel(row, timer);
  }

  timeLeft(row: number, timer: string): number {
    return this.known.timeLeft(row, timer);
  }

  private get known(): ZoneTimers {
    if (this.timers === undefined) throw new Error("zone.after, cancel and timeLeft are there in a game with 'timers'");
    return this.timers;
  }
}
