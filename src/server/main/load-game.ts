// Loads the game that --game names, and finds what is wrong with it before anything starts: first what its definition
// shows, then what a first tick with a first player shows.

import { isAbsolute, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { isCompiled } from '../../game/compile-game.js';
import { defineGame } from '../../game/define-game.js';
import type { GameDefinition } from '../../game/definition.js';
import type { GameSource } from '../../game/game-source.js';
import { type GameCode, hashCode } from './code-hash.js';
import { tryGame } from './try-game.js';

const BUILT_IN_GAMES: Record<string, URL> = {
  arena: new URL('../../games/arena/game.js', import.meta.url),
};

/** What is wrong with the game, a line each. */
export class BadGame extends Error {
  constructor(readonly lines: readonly string[]) {
    super(lines.join('\n'));
    this.name = 'BadGame';
  }
}

export interface LoadedGame {
  game: GameDefinition;
  url: string;
  code: GameCode;
  /** As the files are now: a thread that begins later runs those. */
  hashAgain(): string;
}

/** Throws BadGame. */
export async function loadGame(name: string): Promise<LoadedGame> {
  const url = BUILT_IN_GAMES[name]?.href ?? pathToFileURL(isAbsolute(name) ? name : resolve(name)).href;
  const game = await importGame(name, url);
  const only = url === BUILT_IN_GAMES[name]?.href ? fileURLToPath(new URL('.', url)) : undefined;
  const code = hashCode(url, only);
  const fault = tryGame(game);
  if (fault !== undefined) throw new BadGame([`--game '${name}': ${fault}`]);
  return { game, url, code, hashAgain: () => hashCode(url, only).hash };
}

/** For threads that are started after loadGame has found the game sound. */
export async function importGame(name: string, url: string): Promise<GameDefinition> {
  let exported: unknown;
  try {
    exported = ((await import(url)) as { default?: unknown }).default;
    if (exported === undefined)
      throw new BadGame([`--game '${name}' has no default export; allowed: a game, see defineGame`]);
    return isCompiled(exported) ? exported : (defineGame(exported as GameSource) as GameDefinition);
  } catch (error) {
    if (error instanceof BadGame) throw error;
    const mistakes = (error as { mistakes?: readonly string[] }).mistakes;
    if (mistakes !== undefined) throw new BadGame(mistakes.map((line) => `--game '${name}': ${line}`));
    throw new BadGame([
      `--game '${name}' cannot be loaded: ${whereOf(error)}; allowed: ${Object.keys(BUILT_IN_GAMES).join(', ')}, or the path of a module`,
    ]);
  }
}

/** The message, and the first line of the stack that is the author's own. */
function whereOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const own = error.stack
    ?.split('\n')
    .find((line) => line.includes('file://') && !line.includes('/server/main/load-game'));
  return own === undefined ? error.message : `${error.message} (${own.trim()})`;
}
