// The arena with a tap: it states as many events per tick as it was told to, about one entity after the other.

import type { CommandDefinition, GameDefinition, Zone } from '../../../src/game/definition.js';
import arena from '../../../src/games/arena/game.js';

export const RATE_COMMAND = 'Rate';
export const NOTED = 'noted';
/** 3 ticks of it fill an event ring. */
const PER_TICK_MAX = 5000;
const GLOBAL_PER_TICK = 60;
const GLOBAL_NEXT_ROW = 61;
const GLOBAL_COUNT = 62;
const game = arena as unknown as GameDefinition;
const NOTED_TYPE = game.events.length;

const RATE: CommandDefinition = {
  name: RATE_COMMAND,
  kind: 400,
  payload: [{ name: 'perTick', type: 'u16', min: 0, max: PER_TICK_MAX }],
  apply(zone, _row, view, offset) {
    zone.globals[GLOBAL_PER_TICK] = view.getUint16(offset, true);
    return 0;
  },
};

function note(zone: Zone): void {
  const { globals, alive, rowLimit } = zone;
  let row = globals[GLOBAL_NEXT_ROW];
  let count = globals[GLOBAL_COUNT];
  for (let left = globals[GLOBAL_PER_TICK]; left > 0; left--) {
    do row = row + 1 < rowLimit ? row + 1 : 0;
    while (alive[row] === 0);
    count = (count + 1) | 0;
    zone.emit(NOTED_TYPE, row, row, count, 0);
  }
  globals[GLOBAL_NEXT_ROW] = row;
  globals[GLOBAL_COUNT] = count;
}

export default {
  ...game,
  name: 'event-bench',
  commands: [...game.commands, RATE],
  events: [...game.events, NOTED],
  eventForms: { ...game.eventForms, [NOTED]: { topic: 'combat', a: 'count' } },
  systems: [...game.systems, { name: 'note', run: note }],
} satisfies GameDefinition;
