// Main's end of what the platform gives to players: finds the player, sends the word to its zone, and waits for what the
// tick made of it.

import { GRANT_ANSWER_MS_MAX } from '../../durability/commands/limits.js';
import type { PlatformAction } from '../../durability/commands/platform-commands.js';
import type { GameDefinition } from '../../game/definition.js';
import { RejectCode, rejectName, rejectReason } from '../../game/reject-codes.js';
import type { Net } from '../../net/net.js';
import type { Router } from './router.js';

const GONE = 'no such client is connected';

const REASONS: Partial<Record<number, string>> = {
  [RejectCode.None]: '',
  [RejectCode.NotJoined]: GONE,
  [RejectCode.NotAlive]: 'the player is dead',
  [RejectCode.GameRule]: 'a rule of the game forbids it now',
};

export interface GrantsOptions {
  game: Pick<GameDefinition, 'grants'>;
  net: Pick<Net, 'playersOf'>;
  router: Pick<Router, 'grant' | 'hearGrants'>;
  answerMsMax?: number;
}

export class Grants {
  private readonly asked = new Map<number, (reason: string) => void>();
  private lastRequest = 0;

  constructor(private readonly options: GrantsOptions) {
    options.router.hearGrants((request, code) =>
      this.settle(request, REASONS[code] ?? `the game refused it: ${rejectName(code)}, ${rejectReason(code)}`),
    );
  }

  /** Why not, or empty when it was applied in a tick. */
  async give({ clientId, name, grant, amount }: PlatformAction & { type: 'grant' }): Promise<string> {
    const { game, net, router, answerMsMax = GRANT_ANSWER_MS_MAX } = this.options;
    const { grants = [] } = game;
    const index = grants.findIndex((definition) => definition.name === grant);
    if (index < 0) {
      const names = grants.map((definition) => definition.name).join(', ');
      return names === '' ? 'this game grants nothing' : `grant is none of ${names}`;
    }
    const { min, max } = grants[index];
    if (amount < min || amount > max) return `amount is ${amount}; the grant ${grant} takes ${min} to ${max}`;
    const players = net.playersOf(clientId >= 0 ? { clientId } : { name });
    if (players.length === 0) return GONE;
    if (players.length > 1) return `${players.length} clients have this name: clientId says which`;
    const request = this.nextRequest();
    const [player] = players;
    if (!router.grant(player.client, player.generation, index, amount, request))
      return 'its zone takes no more words now';
    return new Promise((resolve) => {
      const timer = setTimeout(
        () => this.settle(request, `its zone has not answered in ${answerMsMax} ms: applied or not, nobody knows`),
        answerMsMax,
      );
      this.asked.set(request, (reason) => {
        clearTimeout(timer);
        resolve(reason);
      });
    });
  }

  private nextRequest(): number {
    this.lastRequest = (this.lastRequest + 1) >>> 0;
    return this.lastRequest;
  }

  private settle(request: number, reason: string): void {
    this.asked.get(request)?.(reason);
    this.asked.delete(request);
  }
}
