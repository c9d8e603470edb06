// Mistakes in a game's timers and schedules.

import { SCHEDULE_SECONDS_MIN, SCHEDULES_MAX, TIMER_SECONDS_MAX, TIMERS_MAX } from '../limits.js';

type Say = (part: string, what: string, allowed: string) => void;
type Loose = Readonly<Record<string, unknown>>;

export function checkTimers({ timers, schedules }: Loose, isName: (name: string) => boolean, say: Say): void {
  checkParts('timers', timers, TIMERS_MAX, isName, 'fire', say);
  checkParts('schedules', schedules, SCHEDULES_MAX, isName, 'run', say, (part, { every }) => {
    if (typeof every === 'number' && every >= SCHEDULE_SECONDS_MIN && every <= TIMER_SECONDS_MAX) return;
    const allowed = `seconds, from ${SCHEDULE_SECONDS_MIN} to ${TIMER_SECONDS_MAX}`;
    say(`${part}.every`, every === undefined ? 'is missing' : `is ${String(every)}`, allowed);
  });
}

function checkParts(
  name: string,
  parts: unknown,
  most: number,
  isName: (name: string) => boolean,
  handler: 'fire' | 'run',
  say: Say,
  checkMore: (part: string, definition: Loose) => void = () => {},
): void {
  if (parts === undefined) return;
  const shape = handler === 'fire' ? '{ fire(zone, row) {} }' : '{ every: 10, run(zone) {} }';
  if (!isObject(parts)) {
    say(name, `is ${String(parts)}`, `an object of at most ${most} by name, each ${shape}`);
    return;
  }
  const keys = handler === 'fire' ? ['fire'] : ['every', 'run'];
  const entries = Object.entries(parts);
  if (entries.length > most) say(name, `are ${entries.length}`, `at most ${most}`);
  for (const [key, definition] of entries) {
    const part = `${name}.${key}`;
    if (!isName(key)) say(part, 'has a name that cannot be used', 'letters, digits and _, not beginning with a digit');
    if (!isObject(definition)) {
      say(part, `is ${typeof definition === 'function' ? 'a function' : String(definition)}`, shape);
      continue;
    }
    for (const stranger of Object.keys(definition)) {
      if (!keys.includes(stranger)) say(part, `has '${stranger}', which means nothing`, keys.join(', '));
    }
    if (typeof definition[handler] !== 'function') {
      const is = definition[handler] === undefined ? 'is missing' : `is ${String(definition[handler])}`;
      say(`${part}.${handler}`, is, `a function of ${handler === 'fire' ? 'zone and row' : 'zone'}`);
    }
    checkMore(part, definition);
  }
}

function isObject(value: unknown): value is Loose {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
