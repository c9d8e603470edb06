// What a game says of messages to a zone: posts to entities, and to the shared record.

import type { PostValues } from '../../game/definition.js';
import { sharedColumn } from '../../game/shared/shared-source.js';
import { ZoneShared } from './zone-shared.js';

/** What the zone asks of its posts; engine/posts/ has them. */
export interface PostDesk {
  post(target: number, message: string, values: PostValues, from: number): boolean;
  take(source: number, record: Int32Array, at: number): void;
  takeAnswers(source: number, record: Int32Array, at: number): void;
  takeMoved(key: number, zone: number, tick: number): void;
  departing(key: number, target: number): void;
  arrived(key: number): void;
  freed(localId: number): void;
  shownFrom(row: number, zone: number): void;
}

export class ZoneMail extends ZoneShared {
  /** Undefined: the game has no messages. */
  posts: PostDesk | undefined;

  post(to: number, message: string, values: PostValues, from = -1): boolean {
    if (this.posts === undefined) throw new Error("zone.post is there in a game with 'messages'");
    return this.posts.post(to, message, values, from);
  }

  postShared(message: string, values: PostValues): boolean {
    if (this.sharedRow < 0) throw new Error("zone.postShared is there in a game with 'shared'");
    return this.post(this.sharedKey, sharedColumn(message), values);
  }
}
