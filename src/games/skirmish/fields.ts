// What an entity is made of.

import type { Zone } from '../../game/definition.js';
import { PHASES, SLOTS, TEAMS } from './rules.js';

const CASTING = ['nothing', 'strike', 'bolt', 'blast', 'mend'] as const;

export const FIELDS = {
  name: { type: 'text', bytes: 24, wire: {} },
  /** Its team, for clients: zone.team is the engine's. */
  side: { type: 'u8', wire: {} },
  hp: { type: 'u16', wire: {} },
  mp: { type: 'f32', wire: { type: 'u8', audience: 'owner' } },
  casting: { type: 'u8', oneOf: CASTING, wire: {} },
  castAngle: { type: 'u16', persistent: false },
  stunned: { type: 'bool', wire: {} },
  slowed: { type: 'bool', wire: {} },
  burning: { type: 'bool', wire: {} },
  burnedBy: { type: 'ref' },
  intentX: { type: 'i8', persistent: false },
  intentY: { type: 'i8', persistent: false },
  speedX: { type: 'f32', persistent: false },
  speedY: { type: 'f32', persistent: false },
  /** Of a bolt: who shot it, what it does, how far it goes yet. */
  shooter: { type: 'ref' },
  power: { type: 'u16' },
  reach: { type: 'f32' },
  bag: { type: 'u8', length: SLOTS, wire: { audience: 'owner' } },
  gold: { type: 'u32', wire: { audience: 'owner' } },
  /** In the hand, or of loot, what it is. */
  item: { type: 'u8', wire: {} },
  kills: { type: 'u16', wire: {} },
  deaths: { type: 'u16', wire: {} },
} as const;

export const SHARED_FIELDS = {
  phase: { type: 'u8', oneOf: PHASES, wire: {} },
  secondsLeft: { type: 'u16', wire: {} },
  scores: { type: 'u16', length: TEAMS, wire: {} },
  sizes: { type: 'u16', length: TEAMS, wire: {} },
  round: { type: 'u32', wire: {} },
} as const;

export type Game = Zone<typeof FIELDS, typeof SHARED_FIELDS>;
