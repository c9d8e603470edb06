// Who a client is: the one place where a player's id, its name and what is claimed of it come from. It is asked after the client
// was admitted and before it has an entity; what it says goes to the game's onJoin and into the journal.

import { randomUUID } from 'node:crypto';
import type { Identity } from '../../game/life.js';
import type { JoinFields } from '../../protocol/fb/client-message.js';
import type { ResumeClaims } from './resume-token.js';

/** `claims` are of a resume token of ours that the client has shown; the player it names is the one that has come. */
export type Identify = (join: JoinFields, claims: ResumeClaims | undefined) => Identity;

/** A player is whoever has its token; without one, somebody new. Nobody vouches for anything else. */
export function identifyByToken(join: JoinFields, claims: ResumeClaims | undefined): Identity {
  return { playerId: claims?.playerId ?? randomUUID(), name: join.name, claims: {} };
}
