// The payloads of the commands, which the page shares.

import { SKILLS, SLOTS } from './rules.js';

export const COMMANDS = {
  Move: { x: { type: 'i8' }, y: { type: 'i8' } },
  /** Of the angle 65,536 are a full turn, clockwise from east. */
  Cast: { skill: { type: 'u8', max: SKILLS.length - 1 }, angle: { type: 'u16' } },
  Take: {},
  Use: { slot: { type: 'u8', max: SLOTS - 1 } },
  Say: { text: { type: 'text', bytes: 120 }, team: { type: 'bool' } },
} as const;
