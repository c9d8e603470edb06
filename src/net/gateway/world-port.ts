// The seam between sockets and the world. The router (server/main) implements WorldPort over the rings and drives a
// ClientSink; the gateway (net/) implements ClientSink over sockets. `client` is a small index; `generation` tells one
// holder of an index from the next, so that a late frame never reaches a stranger.

import type { Identity, LeaveReason } from '../../game/life.js';
import type { RejectCode } from '../../game/reject-codes.js';
import type { Watch } from '../../protocol/fb/client-message.js';

/** What is stored of a player: its fields by name. */
export interface StoredPlayer {
  kind: string;
  x: number;
  y: number;
  fields: Readonly<Record<string, number | string | readonly number[]>>;
}

export interface WorldPort {
  /** False: no zone can take a client now. The answer comes as ClientSink.joined or ClientSink.refused. */
  join(client: number, generation: number, updateHz: number, identity: Identity): boolean;
  /** As join, with an entity that is as it was stored. */
  restore(client: number, generation: number, updateHz: number, player: StoredPlayer, identity: Identity): boolean;
  /**
   * A client without an entity. None: it is answered as a join is, and is the world's until it leaves; else why not.
   * OutOfRange: no place of this world. NotAlive: no player has this entity, or a spectator may not see it.
   */
  watch(client: number, generation: number, updateHz: number, watch: Watch): RejectCode;
  leave(client: number, generation: number, reason: LeaveReason): void;
  /** Nobody is there: the client's entity lives on, and no frames are made for it. */
  setAbsent(client: number): void;
  /**
   * An absent client, or one that has another connection, is back: its next frame tells everything in view, and its
   * sequence numbers begin anew. Answered as a join is; the key tells whether the entity is the one it had.
   */
  resume(client: number, generation: number, updateHz: number, identity: Identity): boolean;
  /** The next frame of this client tells everything in view. */
  resync(client: number, generation: number): boolean;
  /** Publishes a checked game command; payload is bytes[start, limit). False: the ring is full. */
  command(
    client: number,
    generation: number,
    seq: number,
    kind: number,
    bytes: Uint8Array,
    start: number,
    limit: number,
  ): boolean;
  /** While set, the zone makes no frames for this client; when cleared, the next one carries the newest state. */
  setCongested(client: number, congested: boolean): void;
}

export interface ClientSink {
  /** The key names the entity for as long as the world lasts: ids are handed out again. */
  joined(client: number, generation: number, entityId: number, key: number): void;
  refused(client: number, generation: number, code: number): void;
  rejected(client: number, generation: number, seq: number, kind: number, code: number): void;
  /** One finished ServerFrame at bytes[start, limit), in shared memory: copy it before returning. */
  frame(client: number, generation: number, bytes: Uint8Array, start: number, limit: number): void;
  /** The world can no longer serve this client. */
  dropped(client: number, generation: number, code: number, text: string): void;
}
