// Settings of spectators: clients without an entity.

import { SPECTATOR_DELAY_MS_MAX, SPECTATORS_MAX } from '../net/limits.js';
import type { SettingDefinition, Settings } from './setting-types.js';

export const SPECTATOR_SETTINGS: {
  readonly [K in 'spectators' | 'spectatorDelayMs']: SettingDefinition<Settings[K]>;
} = {
  spectators: {
    group: 'Clients',
    placeholder: 'N',
    help: 'Spectators at a time, of --clients-max; they watch a place or a player and have no entity. 0: none.',
    value: 0,
    form: 'integer',
    min: 0,
    max: SPECTATORS_MAX,
  },
  spectatorDelayMs: {
    group: 'Clients',
    placeholder: 'MS',
    help: 'What spectators are shown is this old.',
    value: 0,
    form: 'integer',
    min: 0,
    max: SPECTATOR_DELAY_MS_MAX,
  },
};
