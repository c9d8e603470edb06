// A match: a lobby, a fight, a result, and again. It stands in the shared record, which all zones read.

import { rise } from './combat.js';
import type { Game } from './fields.js';
import { KIND, PHASE, PHASE_SECONDS } from './rules.js';

/** The round that a zone has begun. */
const GLOBAL_ROUND = 0;

export function beginMatch({ shared }: Game): void {
  shared.secondsLeft = PHASE_SECONDS[PHASE.lobby];
}

/** Once per tick, for the whole world. */
export function keepTime(zone: Game): void {
  const { shared, tick, tickHz } = zone;
  if (tick % tickHz !== 0) return;
  if (shared.secondsLeft > 1) {
    shared.secondsLeft--;
    return;
  }
  shared.phase = (shared.phase + 1) % PHASE_SECONDS.length;
  shared.secondsLeft = PHASE_SECONDS[shared.phase];
  if (shared.phase === PHASE.play) {
    shared.round++;
    shared.scores[0] = 0;
    shared.scores[1] = 0;
  } else if (shared.phase === PHASE.result) {
    const [first, second] = [shared.scores[0], shared.scores[1]];
    zone.tellAll('result', { winner: first === second ? 0 : first > second ? 1 : 2, first, second });
  }
}

/** The smaller team gets who comes. */
export function enlist(zone: Game, who: number): void {
  const { sizes } = zone.shared;
  const team = sizes[0] <= sizes[1] ? 1 : 2;
  if (zone.post(who, 'enlist', { team })) sizes[team - 1]++;
}

/** Each zone sees for itself that a round has begun: whoever is in it stands up at its side. */
export function beginRound(zone: Game): void {
  if (zone.globals[GLOBAL_ROUND] === zone.shared.round) return;
  zone.globals[GLOBAL_ROUND] = zone.shared.round;
  for (let row = 0; row < zone.rowLimit; row++) {
    if (zone.alive[row] !== 0 && zone.kind[row] === KIND.player && zone.team[row] > 0) rise(zone, row);
  }
}
