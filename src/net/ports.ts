// The seam between sockets and the world. The router (runtime/) implements WorldPort over the rings and drives a
// ClientSink; the gateway (net/) implements ClientSink over sockets. `client` is a small index; `epoch` tells one
// holder of an index from the next, so that a late frame never reaches a stranger.

export interface WorldPort {
  /** False: no zone can take a client now. The answer comes as ClientSink.joined or ClientSink.refused. */
  join(client: number, epoch: number, updateHz: number): boolean;
  leave(client: number, epoch: number): void;
  /** The next frame of this client tells everything in view. */
  resync(client: number, epoch: number): boolean;
  /** Publishes a checked game command; payload is bytes[start, limit). False: the ring is full. */
  command(
    client: number,
    epoch: number,
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
  joined(client: number, epoch: number, entityId: number): void;
  refused(client: number, epoch: number, code: number): void;
  rejected(client: number, epoch: number, seq: number, kind: number, code: number): void;
  /** One finished ServerFrame at bytes[start, limit), in shared memory: copy it before returning. */
  frame(client: number, epoch: number, bytes: Uint8Array, start: number, limit: number): void;
  /** The world can no longer serve this client. */
  dropped(client: number, epoch: number, code: number, text: string): void;
}
