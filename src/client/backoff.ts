// How long to wait before another attempt to connect.

import { randomFraction } from '../base/chance.js';
import { RECONNECT_ATTEMPTS_MAX, RECONNECT_DELAY_MS_MAX, RECONNECT_DELAY_MS_MIN } from './limits.js';

export interface ReconnectOptions {
  /** Attempts in a row without a Welcome before giving up. */
  attemptsMax: number;
  delayMsMin: number;
  delayMsMax: number;
  /** In [0, 1). */
  random: () => number;
}

export const RECONNECT_DEFAULTS: ReconnectOptions = {
  attemptsMax: RECONNECT_ATTEMPTS_MAX,
  delayMsMin: RECONNECT_DELAY_MS_MIN,
  delayMsMax: RECONNECT_DELAY_MS_MAX,
  random: randomFraction,
};

/**
 * Twice as long each time up to a bound, and half of it left to chance: clients that lost their server in the same moment
 * must not come back in the same moment.
 */
export function backoffMs(attempt: number, { delayMsMin, delayMsMax, random }: ReconnectOptions): number {
  const delayMs = Math.min(delayMsMax, delayMsMin * 2 ** attempt);
  return delayMs * (0.5 + random() / 2);
}
