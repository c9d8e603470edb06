// The numbers of the arena. Lengths are world units, speeds units per second, durations seconds.

export const PLAYER_SPEED = 6;
export const NPC_SPEED = 3;
export const PROJECTILE_SPEED = 24;

/** Intents are bytes: this is full speed along one axis. */
export const INTENT_MAX = 127;

export const BODY_RADIUS = 0.5;
export const PROJECTILE_RADIUS = 0.15;
export const PILLAR_RADIUS = 1.5;

export const HP_MAX = 100;
export const PROJECTILE_DAMAGE = 20;

/** A projectile flies 24 units in its life: as far as a player sees by default. */
export const PROJECTILE_LIFE_SECONDS = 1;
export const SHOOT_COOLDOWN_SECONDS = 0.2;
export const RESPAWN_SECONDS = 3;

/** Where a player is, is stated this often at most, and to this part of a unit. */
export const MOVE_TOLD_SECONDS = 1;
export const MOVE_STEPS_PER_UNIT = 32;

/** One pillar stands in every square of this side ... */
export const PILLAR_SPACING = 32;
/** ... at most this far from its middle along each axis. */
export const PILLAR_JITTER = 8;
/** Part of a zone's entities that may be pillars: there must be room for those who play. */
export const PILLAR_SHARE_MAX = 1 / 8;

/** Bodies near a step of a projectile that are looked at. In a denser crowd one of the others may be hit later. */
export const CANDIDATES_MAX = 256;
