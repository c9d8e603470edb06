// From a game as its author has written it to what the engine runs, with every mistake found on the way.

import { compileGame } from './compile-game.js';
import type { FieldDefinitions, GameDefinition } from './definition.js';
import type { AllFields, ComponentSources } from './fields/components.js';
import type { CommandPayloads, GameSource } from './game-source.js';
import { findMistakes, GameMistakes } from './validation/validate-game.js';

/**
 * What a module of a game exports by default. Throws GameMistakes, which lists every mistake in the game, before anything
 * is started.
 */
export function defineGame<
  const F extends FieldDefinitions = Record<never, never>,
  const C extends CommandPayloads = CommandPayloads,
  const S extends FieldDefinitions = FieldDefinitions,
  const M extends CommandPayloads = CommandPayloads,
  const N extends CommandPayloads = CommandPayloads,
  const K extends ComponentSources = Record<never, never>,
>(source: GameSource<F, C, S, M, N, K>): GameDefinition<AllFields<F, K>> {
  const mistakes = findMistakes(source);
  if (mistakes.length > 0) throw new GameMistakes(mistakes);
  return compileGame(source as unknown as GameSource) as unknown as GameDefinition<AllFields<F, K>>;
}
