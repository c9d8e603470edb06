// What a game's messages from entity to entity are to the engine, and to the author who writes them.

import type { Payload, PayloadSource } from '../payload.js';

/** `Z`: the zone as the game's systems have it. */
export interface MessageSource<Z, P extends PayloadSource> {
  payload: P;
  /**
   * Runs in the tick, before timers and systems, on the row of the entity that it was posted to. The payload's object is used again
   * for the next message.
   */
  apply(zone: Z, row: number, payload: Payload<P>): void;
  /**
   * The entity that it was posted to is gone. Runs once: on the row of the sender, in the zone that it lives in by now; on row -1 where
   * there was no sender, or it is gone too.
   */
  undelivered?(zone: Z, row: number, payload: Payload<P>): void;
}

export interface MessageDefinition<Z = never> {
  name: string;
  /** Throws where a value is missing, is none that the form allows, or is unknown. */
  write(view: DataView, offset: number, values: Readonly<Record<string, unknown>>): void;
  apply(zone: Z, row: number, view: DataView, offset: number): void;
  undelivered?(zone: Z, row: number, view: DataView, offset: number): void;
}
