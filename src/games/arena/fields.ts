// Fields, kinds and events. Only hp is replicated: an entity that walks straight on changes nothing but its position on
// the wire. Only hp and the position are in checkpoints: the rest is of the moment.

import type { EventForm, FieldDefinitions, Zone } from '../../game/definition.js';
import { MOVE_STEPS_PER_UNIT } from './rules.js';

export const KINDS = ['player', 'npc', 'projectile', 'pillar'] as const;
export const KIND_PLAYER = 0;
export const KIND_NPC = 1;
export const KIND_PROJECTILE = 2;
export const KIND_PILLAR = 3;

export const EVENTS = ['spawned', 'died', 'shot', 'hit', 'respawned', 'moved'] as const;
export const EVENT_SPAWNED = 0;
/** A: wire id of who fired. */
export const EVENT_DIED = 1;
/** Other row: the projectile. */
export const EVENT_SHOT = 2;
/** Other row: the projectile. A: damage. B: wire id of who fired. */
export const EVENT_HIT = 3;
export const EVENT_RESPAWNED = 4;
/** A, B: where a player stands, in steps. */
export const EVENT_MOVED = 5;

export const EVENT_FORMS = {
  spawned: { topic: 'player' },
  died: { topic: 'combat', a: 'shooter' },
  shot: { topic: 'combat', other: 'projectile', value: 'low' },
  hit: { topic: 'combat', other: 'projectile', a: 'damage', b: 'shooter' },
  respawned: { topic: 'player' },
  moved: { topic: 'player', a: 'x', b: 'y', scale: 1 / MOVE_STEPS_PER_UNIT, value: 'low' },
} as const satisfies Record<(typeof EVENTS)[number], EventForm>;

export const FIELDS = {
  /** 0 is dead. Pillars and projectiles have none. */
  hp: { type: 'u8', wire: { type: 'u8' } },
  velocityX: { type: 'f32', persistent: false },
  velocityY: { type: 'f32', persistent: false },
  /** A player's wish to walk, as sent. */
  intentX: { type: 'i8', persistent: false },
  intentY: { type: 'i8', persistent: false },
  /** Ticks until a player may shoot again. */
  cooldownTicks: { type: 'u8', persistent: false },
  /** Until a dead body respawns or a projectile ends. A countdown, because ticks of different zones need not agree. */
  ticksLeft: { type: 'u16', persistent: false },
  /** Ticks until a player's place may be told again, and whether it has changed since it was told last. */
  tellTicks: { type: 'u8', persistent: false },
  hasMoved: { type: 'u8', persistent: false },
  /** Wire id of who fired a projectile: it outlives a change of zone, a row does not. */
  shooterId: { type: 'u32', persistent: false },
} as const satisfies FieldDefinitions;

export type ArenaFields = typeof FIELDS;
export type ArenaZone = Zone<ArenaFields>;

/** Of a zone's globals: changes whenever a pillar is placed. */
export const GLOBAL_PILLAR_STAMP = 0;
