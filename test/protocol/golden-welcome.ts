// The Welcome that the golden conversations begin with, each of its game.

import { buildFrame, PROTOCOL_VERSION, type WelcomeInfo } from '../../src/protocol/fb/server-frame.js';
import type { GameDescription } from '../../src/protocol/game-description.js';

export const GOLDEN_QUANTUM = 1 / 32;

type Mine = Pick<WelcomeInfo, 'clientId' | 'entityId'> &
  Partial<Pick<WelcomeInfo, 'token' | 'resumed' | 'notes' | 'spectator'>>;

export function goldenWelcome({ game, kinds, fields, commands }: GameDescription, mine: Mine): Uint8Array {
  return buildFrame({
    tick: 0,
    ack: 0,
    welcome: {
      protocol: PROTOCOL_VERSION,
      tickHz: 60,
      updateHz: 20,
      worldWidth: 512,
      worldHeight: 512,
      quantum: GOLDEN_QUANTUM,
      viewRadius: 24,
      leaveRadius: 27,
      token: '',
      resumed: false,
      ...{ game, kinds, fields, commands },
      ...mine,
    },
  });
}
