// Settings of session resume: how long an entity waits for its lost client, and what signs the client's token.

import { SECRET_LENGTH_MIN } from './limits.js';
import type { SettingDefinition, Settings } from './setting-types.js';

const SECRET_PATTERN = new RegExp(`^$|^[\\x20-\\x7e]{${SECRET_LENGTH_MIN},}$`);

export const RESUME_SETTINGS: { readonly [K in 'resumeMs' | 'resumeSecret']: SettingDefinition<Settings[K]> } = {
  resumeMs: {
    group: 'Timeouts',
    placeholder: 'MS',
    help: 'The entity of a disconnected client is kept this long, also across a restart of the server; 0: not at all.',
    value: 30000,
    form: 'integer',
    min: 0,
    max: 600000,
  },
  resumeSecret: {
    group: 'What lasts',
    placeholder: 'TEXT',
    help: "Signs resume tokens; servers that share it accept each other's. Empty: a secret of its own, in the data folder.",
    value: '',
    form: 'text',
    pattern: SECRET_PATTERN,
    allowed: `${SECRET_LENGTH_MIN} or more printable characters, or nothing`,
    isSecret: true,
  },
};
