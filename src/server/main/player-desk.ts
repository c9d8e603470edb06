// Main's side of what is stored of players: tells the I/O thread who plays, and asks it for those who come back. A new
// I/O thread is told of everyone again, and of who left for good before it was there: what is stored of them goes.

import type { Log } from '../../base/log.js';
import { PLAYER_KEYS_GONE_MAX } from '../../durability/snapshots/limits.js';
import type { PlayerSession } from '../../durability/snapshots/player-snapshot.js';
import type { StoredPlayer } from '../../net/gateway/world-port.js';
import type { FromIoThread, ToIoThread } from '../threads/thread-messages.js';

/** A player who waits to be let in waits no longer for the store. */
const FIND_MS_MAX = 500;

export class PlayerDesk {
  private readonly sessions = new Map<number, PlayerSession>();
  private readonly waiting = new Map<number, (answer: FromIoThread & { kind: 'player' }) => void>();
  private post: ((message: ToIoThread) => void) | undefined;
  private readonly leftUnheard: PlayerSession[] = [];
  private lastRequest = 0;

  constructor(
    private readonly log: Log,
    private readonly waitMs = FIND_MS_MAX,
  ) {}

  /** There is another I/O thread. */
  attach(post: (message: ToIoThread) => void): void {
    this.post = post;
    for (const session of this.leftUnheard.splice(0)) {
      const { client, generation } = session;
      post({ kind: 'session', session });
      post({ kind: 'sessionOver', client, generation, isForGood: true });
    }
    for (const session of this.sessions.values()) post({ kind: 'session', session });
  }

  /** It has ended, and the next one is not there yet. */
  detach(): void {
    this.post = undefined;
  }

  joined(session: PlayerSession): void {
    this.sessions.set(session.client, session);
    this.post?.({ kind: 'session', session });
  }

  left(client: number, generation: number, isForGood: boolean): void {
    const session = this.sessions.get(client);
    if (session?.generation !== generation) return;
    this.sessions.delete(client);
    if (this.post !== undefined) this.post({ kind: 'sessionOver', client, generation, isForGood });
    else if (isForGood && this.leftUnheard.length < PLAYER_KEYS_GONE_MAX) this.leftUnheard.push(session);
  }

  /** Undefined where nothing is stored, or nobody can tell in time; it never rejects. */
  find(playerId: string): Promise<StoredPlayer | undefined> {
    const request = ++this.lastRequest;
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.waiting.delete(request);
        this.log.warn({ playerId }, `a player joins anew: the store did not answer within ${this.waitMs} ms`);
        resolve(undefined);
      }, this.waitMs);
      this.waiting.set(request, ({ player, problem }) => {
        clearTimeout(timer);
        if (problem !== '') this.log.warn({ playerId }, `a player joins anew: what is stored of it: ${problem}`);
        resolve(player);
      });
      this.post?.({ kind: 'findPlayer', request, playerId });
    });
  }

  answer(answer: FromIoThread & { kind: 'player' }): void {
    const resolve = this.waiting.get(answer.request);
    this.waiting.delete(answer.request);
    resolve?.(answer);
  }
}
