// What one client sees, decoded in full: every record of every frame, as a real client would.

import type { EntityState } from '../../../src/protocol/fb/entity-decoder.js';
import { EntityDecoder } from '../../../src/protocol/fb/entity-decoder.js';
import { FrameFlag, openFrame, type WelcomeInfo } from '../../../src/protocol/fb/server-frame.js';

export class View {
  /** Why the view can no longer be trusted, or ''. */
  error = '';
  private readonly decoder: EntityDecoder;
  private waitsForFull: boolean;

  /** A view that begins in the middle of a connection knows nothing until a Full frame comes. */
  constructor(welcome: WelcomeInfo, waitsForFull: boolean) {
    this.decoder = new EntityDecoder(welcome.fields, welcome.quantum, welcome.kinds, welcome.kindFields);
    this.waitsForFull = waitsForFull;
  }

  get entities(): ReadonlyMap<number, EntityState> {
    return this.decoder.entities;
  }

  get isComplete(): boolean {
    return !this.waitsForFull && this.error === '';
  }

  /** From now on only a Full frame completes this view; until then it is kept up as before. */
  expectFull(): void {
    this.waitsForFull = true;
  }

  /** Applies a frame; returns how many entity records it carried. */
  apply(bytes: Uint8Array): number {
    const frame = openFrame(bytes);
    if (frame === null) {
      this.error = 'bytes that are no frame';
      return 0;
    }
    const isFull = (frame.flags() & FrameFlag.Full) !== 0;
    if (this.waitsForFull && !isFull && this.entities.size === 0) return 0;
    if (isFull) this.waitsForFull = false;
    const delta = this.decoder.apply(frame);
    if (delta.error !== null) this.error = delta.error;
    return delta.entered.length + delta.updated.length;
  }
}
