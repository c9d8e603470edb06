// What of a game has checkpoints, as plain data for the I/O thread.

import type { Settings } from '../../config/settings.js';
import type { GameDefinition } from '../../game/definition.js';
import { listStoredForms } from '../../game/fields/stored-value.js';
import type { CheckpointPlan } from './checkpointer.js';

/** Throws with one clear line when the game names a kind that it does not have. */
export function planCheckpoints(
  game: GameDefinition,
  settings: Settings,
  world: { worldId: string; startedAtMs: number },
): CheckpointPlan {
  const { name, version, kinds, persistentKinds = [] } = game;
  const stranger = persistentKinds.find((kind) => !kinds.includes(kind));
  if (stranger !== undefined) {
    throw new Error(
      `--game '${settings.game}': persistentKinds names '${stranger}'; allowed: its kinds, ${kinds.join(', ')}`,
    );
  }
  return {
    game: name,
    gameVersion: version,
    seed: settings.seed,
    worldId: world.worldId,
    kinds,
    isLasting: kinds.map((kind) => persistentKinds.includes(kind)),
    fields: Object.keys(game.fields).filter((field) => game.fields[field].persistent !== false),
    forms: listStoredForms(game.fields),
    startedAtMs: Math.floor(world.startedAtMs),
    ...(game.components && { components: game.components }),
  };
}
