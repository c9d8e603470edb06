// Frames of a game that has more than plain fields (rich-change-ticks.ts). A record has the same parts; its mask may be
// longer than 32 bits and is put together byte by byte. The record for the owner of an entity has more fields than the
// one for all others.

import type { ChangeTicks } from './change-ticks.js';
import type { FieldPart } from './field-parts.js';
import { FORM_ENTER, FORM_SHORT, FrameBuilder, MASK_FIELD_SHIFT } from './frame-builder.js';
import { SHORT_AGE_TICKS_MAX } from './limits.js';
import { type KindParts, RichChangeTicks } from './rich-change-ticks.js';

const BITS_PER_BYTE = 7;
/** Has everything as raw zeros: so is an entity that enters. */
const SINCE_ENTER = -1;

// Who a record is for: each gets what those before it get, and more.
const ALL = 0;
const MATE = 1;
const OWNER = 2;

export class RichFrameBuilder extends FrameBuilder {
  /** The mask of one record, 7 bits per byte. */
  private readonly mask: Uint8Array;
  private maskBytes = 0;

  constructor(
    private readonly rich: RichChangeTicks,
    kind: Uint8Array,
  ) {
    const mostOf = (count: (parts: KindParts) => number): number => Math.max(0, ...rich.kinds.map(count));
    const bits = mostOf(({ plain, view, team, owner }) => plain.length + view.length + team.length + owner.length);
    const maskBytesMax = Math.ceil((MASK_FIELD_SHIFT + bits) / BITS_PER_BYTE);
    // Every plain field has four bytes at most.
    const sharedBytes = mostOf(({ plain, view, team }) => plain.length * 4 + sumBytes(view) + sumBytes(team));
    super(
      rich,
      kind,
      maskBytesMax + sharedBytes,
      mostOf(({ owner }) => sumBytes(owner)),
    );
    this.mask = new Uint8Array(maskBytesMax);
  }

  /** @hot As writeEntity, for the client that the entity belongs to. */
  writeOwn(row: number, wireId: number, sent: number, tick: number): void {
    this.writeMore(row, wireId, sent, tick, this.rich.isOwnDue(row, sent), OWNER);
  }

  /** @hot As writeEntity, for a client that is of the entity's team. */
  writeMate(row: number, wireId: number, sent: number, tick: number): void {
    this.writeMore(row, wireId, sent, tick, this.rich.teamTick[row] > sent, MATE);
  }

  /** @hot */
  private writeMore(row: number, wireId: number, sent: number, tick: number, isDue: boolean, audience: number): void {
    const { rich, bytes } = this;
    const at = this.putId(wireId);
    const age = tick - sent;
    const isWalk = !isDue && rich.fieldsTick[row] <= sent && rich.midTick[row] <= sent;
    if (isWalk && age <= SHORT_AGE_TICKS_MAX) {
      bytes[at] = FORM_SHORT;
      bytes[at + 1] = rich.quantumX[row];
      bytes[at + 2] = rich.quantumY[row];
      this.at = at + 3;
      return;
    }
    this.at = at;
    this.writeParts(row, sent, age, audience);
  }

  /** @hot */
  protected override writeRest(row: number, sent: number, age: number): void {
    this.writeParts(row, sent, age, ALL);
  }

  /** @hot */
  private writeParts(row: number, sent: number, age: number, audience: number): void {
    const { rich, view } = this;
    const { rowCapacity, raw, fieldTick } = rich;
    const { plain, view: viewParts, team: teamParts, owner: ownerParts } = rich.partsOf(row);
    const form = this.chooseForm(row, sent, age);
    const since = form === FORM_ENTER ? SINCE_ENTER : sent;
    this.beginMask(form);
    let bit = MASK_FIELD_SHIFT;
    for (let i = 0; i < plain.length; i++, bit++) {
      const cell = plain[i] * rowCapacity + row;
      if (since < 0 ? raw[cell] !== 0 : fieldTick[cell] > since) this.setBit(bit);
    }
    this.markDue(viewParts, row, since, bit);
    bit += viewParts.length;
    if (audience !== ALL) this.markDue(teamParts, row, since, bit);
    if (audience === OWNER) this.markDue(ownerParts, row, since, bit + teamParts.length);
    let at = this.putPosition(row, form, this.putMask());
    bit = MASK_FIELD_SHIFT;
    for (let i = 0; i < plain.length; i++, bit++) {
      if (this.hasBit(bit)) at = this.putField(row, plain[i], at);
    }
    for (let i = 0; i < viewParts.length; i++, bit++) {
      if (this.hasBit(bit)) at = viewParts[i].write(row, since, view, at);
    }
    for (let i = 0; i < teamParts.length; i++, bit++) {
      if (this.hasBit(bit)) at = teamParts[i].write(row, since, view, at);
    }
    for (let i = 0; i < ownerParts.length; i++, bit++) {
      if (this.hasBit(bit)) at = ownerParts[i].write(row, since, view, at);
    }
    this.at = at;
  }

  /** @hot */
  private markDue(parts: readonly FieldPart[], row: number, since: number, firstBit: number): void {
    for (let i = 0; i < parts.length; i++) {
      if (parts[i].isDue(row, since)) this.setBit(firstBit + i);
    }
  }

  /** @hot */
  private beginMask(form: number): void {
    this.mask.fill(0);
    this.mask[0] = form;
    this.maskBytes = 1;
  }

  /** @hot Bits are set in rising order. */
  private setBit(bit: number): void {
    const at = Math.floor(bit / BITS_PER_BYTE);
    this.mask[at] |= 1 << (bit - at * BITS_PER_BYTE);
    this.maskBytes = at + 1;
  }

  /** @hot */
  private hasBit(bit: number): boolean {
    const at = Math.floor(bit / BITS_PER_BYTE);
    return (this.mask[at] & (1 << (bit - at * BITS_PER_BYTE))) !== 0;
  }

  /** @hot */
  private putMask(): number {
    const { mask, maskBytes, bytes } = this;
    let at = this.at;
    for (let i = 0; i < maskBytes; i++) {
      bytes[at++] = i < maskBytes - 1 ? mask[i] | 128 : mask[i];
    }
    return at;
  }
}

function sumBytes(parts: readonly FieldPart[]): number {
  return parts.reduce((sum, { bytesMax }) => sum + bytesMax, 0);
}

export function createFrameBuilder(changes: ChangeTicks, kind: Uint8Array): FrameBuilder {
  return changes instanceof RichChangeTicks ? new RichFrameBuilder(changes, kind) : new FrameBuilder(changes, kind);
}
