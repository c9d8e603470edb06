// The arena: players walk and shoot, NPCs wander, pillars stand in the way.

import { defineGame } from '../../game/define-game.js';
import { followIntents, moveBodies } from './bodies.js';
import { MOVE, SHOOT } from './commands.js';
import { EVENT_FORMS, EVENTS, FIELDS, KINDS } from './fields.js';
import { HP } from './grants.js';
import { tellMoves } from './moves.js';
import { wander } from './npc.js';
import { applyEvent } from './past.js';
import { refreshPillars } from './pillars.js';
import { flyProjectiles } from './projectiles.js';
import { populate, populateCell, respawnDead, spawnPlayer } from './spawn.js';

export default defineGame({
  name: 'arena',
  version: 1,
  kinds: KINDS,
  // Also while no client has it.
  persistentKinds: ['player'],
  fields: FIELDS,
  commands: { Move: MOVE, Shoot: SHOOT },
  grants: [HP],
  events: EVENTS,
  eventForms: EVENT_FORMS,
  systems: [
    { name: 'intents', run: followIntents },
    { name: 'wander', run: wander },
    { name: 'movement', run: moveBodies },
    { name: 'projectiles', run: flyProjectiles },
    { name: 'respawn', run: respawnDead },
    { name: 'moves', run: tellMoves },
  ],
  applyEvent,
  spawnPlayer,
  populate,
  restingKinds: ['npc', 'pillar'],
  populateCell,
  cellChanged: refreshPillars,
});
