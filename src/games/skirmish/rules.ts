// The numbers of the game.

export const TEAMS = 2;
export const SPEED = 6;
export const NPC_SPEED = 3;
export const HP_MAX = 100;
export const MP_MAX = 100;
export const MP_PER_SECOND = 8;
/** How far a team sees from each of its members. */
export const SIGHT = 14;
export const BODY = 0.5;
export const TAKE_REACH = 2;
export const SLOTS = 20;
export const RESPAWN_SECONDS = 4;
export const NPCS_PER_ZONE = 4;
export const NPC_GOLD = 5;

export const KIND = { player: 0, npc: 1, bolt: 2, loot: 3 } as const;
export const KINDS = ['player', 'npc', 'bolt', 'loot'] as const;
/** Bits for queries: what can be hurt. */
export const BODIES = (1 << KIND.player) | (1 << KIND.npc);

export const EFFECTS = ['none', 'stun', 'slow', 'burn'] as const;
export type Effect = (typeof EFFECTS)[number];

export interface Skill {
  name: 'strike' | 'bolt' | 'blast' | 'mend';
  cast: number;
  cooldown: number;
  cost: number;
  range: number;
  power: number;
  effect: Effect;
}

/** By number, as clients name them. */
export const SKILLS: readonly Skill[] = [
  { name: 'strike', cast: 0, cooldown: 0.6, cost: 0, range: 2, power: 14, effect: 'slow' },
  { name: 'bolt', cast: 0.2, cooldown: 1, cost: 15, range: 24, power: 18, effect: 'burn' },
  { name: 'blast', cast: 0.5, cooldown: 4, cost: 35, range: 5, power: 12, effect: 'stun' },
  { name: 'mend', cast: 0.4, cooldown: 5, cost: 30, range: 8, power: 30, effect: 'none' },
];

export const BOLT_SPEED = 24;
export const STUN_SECONDS = 1;
export const SLOW_SECONDS = 2;
export const BURN_SECONDS = 3;
export const BURN_DAMAGE = 3;

/** By number; 0 is none. A weapon adds to what its holder does. */
export const ITEMS = ['', 'dagger', 'sword', 'axe', 'potion'] as const;
export const WEAPON_POWER = [0, 4, 8, 12, 0];
export const POTION = 4;
export const POTION_HP = 40;

export const PHASES = ['lobby', 'play', 'result'] as const;
export const PHASE = { lobby: 0, play: 1, result: 2 } as const;
export const PHASE_SECONDS = [10, 120, 8];
