// A game's wire for these tests: every wire type, gaps in a payload, and a command without one.

import { CommandLayouts, type DescribedCommand } from '../../src/protocol/fb/command-layout.js';
import type { GameDescription } from '../../src/protocol/game-description.js';
import { describeGame } from '../../src/protocol/game-description.js';

export const TOY_COMMANDS: readonly DescribedCommand[] = [
  {
    name: 'move',
    kind: 256,
    payload: [
      { name: 'x', type: 'i8', min: -127, max: 127 },
      { name: 'y', type: 'i8', min: -127, max: 127 },
      { name: 'reserved', type: 'u16', reserved: true },
    ],
  },
  {
    name: 'mix',
    kind: 300,
    payload: [
      { name: 'a', type: 'u8' },
      { name: 'b', type: 'i32' },
      { name: 'c', type: 'u8', max: 3 },
      { name: 'd', type: 'i16' },
      { name: 'e', type: 'f32', min: -1, max: 0.1 },
      { name: 'f', type: 'u32' },
      { name: 'g', type: 'u16' },
    ],
  },
  { name: 'cheer', kind: 301, payload: [] },
];

export const TOY_LAYOUTS = new CommandLayouts(TOY_COMMANDS);

export const TOY_GAME: GameDescription = describeGame({
  name: 'toy',
  kinds: ['player', 'stone', 'cloud'],
  fields: {
    hp: { type: 'f32', wire: { type: 'u8', scale: 0.5 } },
    secret: { type: 'f64' },
    turn: { type: 'i16', wire: { type: 'i8', scale: 2, offset: -10 } },
    score: { type: 'u32', wire: { type: 'u32' } },
    heat: { type: 'f32', wire: { type: 'f32' } },
    low: { type: 'i16', wire: { type: 'i16' } },
    wide: { type: 'u16', wire: { type: 'u16' } },
    deep: { type: 'i32', wire: { type: 'i32' } },
  },
  commands: TOY_COMMANDS,
});

export const TOY_QUANTUM = 1 / 64;
