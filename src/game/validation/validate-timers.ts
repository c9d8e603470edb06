// Mistakes in a game's timers and schedules.

import { SCHEDULE_SECONDS_MIN, SCHEDULES_MAX, TIMER_SECONDS_MAX, TIMERS_MAX } from '../limits.js';
import { checkKeys, isName, isObject, type Loose, NAME_RULE, type Say, show } from './checks.js';

export function checkTimers({ timers, schedules }: Loose, say: Say): void {
  checkParts('timers', timers, TIMERS_MAX, 'fire', say);
  checkParts('schedules', schedules, SCHEDULES_MAX, 'run', say, (part, { every }) => {
    if (typeof every === 'number' && every >= SCHEDULE_SECONDS_MIN && every <= TIMER_SECONDS_MAX) return;
    const allowed = `seconds, from ${SCHEDULE_SECONDS_MIN} to ${TIMER_SECONDS_MAX}`;
    say(`${part}.every`, `is ${show(every)}`, allowed);
  });
}

function checkParts(
  name: string,
  parts: unknown,
  most: number,
  handler: 'fire' | 'run',
  say: Say,
  checkMore: (part: string, definition: Loose) => void = () => {},
): void {
  if (parts === undefined) return;
  const shape = handler === 'fire' ? '{ fire(zone, row) {} }' : '{ every: 10, run(zone) {} }';
  if (!isObject(parts)) {
    say(name, `is ${show(parts)}`, `an object of at most ${most} by name, each ${shape}`);
    return;
  }
  const keys = handler === 'fire' ? ['fire'] : ['every', 'run'];
  const entries = Object.entries(parts);
  if (entries.length > most) say(name, `are ${entries.length}`, `at most ${most}`);
  for (const [key, definition] of entries) {
    const part = `${name}.${key}`;
    if (!isName(key)) say(part, 'has a name that cannot be used', NAME_RULE);
    if (!isObject(definition)) {
      say(part, `is ${show(definition)}`, shape);
      continue;
    }
    checkKeys(part, definition, keys, say);
    if (typeof definition[handler] !== 'function') {
      say(
        `${part}.${handler}`,
        `is ${show(definition[handler])}`,
        `a function of ${handler === 'fire' ? 'zone and row' : 'zone'}`,
      );
    }
    checkMore(part, definition);
  }
}
