// What the generator needs of every frame, read straight through the FlatBuffers vtable: a few loads, no object.
//
//   payload: | root u32 | ... | vtable: bytes u16, table bytes u16, one u16 slot per field | ... | table: i32 back to vtable |
//
// A slot of 0, or one beyond the vtable's length, says that the field is absent.

const SLOT_ACK = 6;
const SLOT_FLAGS = 12;
/** Rejects, pong, welcome and notice are neighbours, in this order. */
const SLOT_REJECTS = 14;
const SLOT_NOTICE = 20;

export interface FrameHead {
  ack: number;
  flags: number;
  /** The frame carries a reject, a pong, a welcome or a notice: rare, and worth a full decode. */
  hasRareParts: boolean;
}

function readU16(bytes: Uint8Array, at: number): number {
  return bytes[at] | (bytes[at + 1] << 8);
}

function readU32(bytes: Uint8Array, at: number): number {
  return (bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24)) >>> 0;
}

/** @hot Reads the ServerFrame in bytes[start, limit) into `head`. False: these bytes cannot be a ServerFrame. */
export function readFrameHead(bytes: Uint8Array, start: number, limit: number, head: FrameHead): boolean {
  if (limit - start < 12) return false;
  const table = start + readU32(bytes, start);
  if (table + 4 > limit) return false;
  const vtable = table - (readU32(bytes, table) | 0);
  if (vtable < start || vtable + 4 > limit) return false;
  const vtableBytes = readU16(bytes, vtable);
  if (vtable + vtableBytes > limit || table + readU16(bytes, vtable + 2) > limit) return false;
  const ackAt = vtableBytes > SLOT_ACK ? readU16(bytes, vtable + SLOT_ACK) : 0;
  const flagsAt = vtableBytes > SLOT_FLAGS ? readU16(bytes, vtable + SLOT_FLAGS) : 0;
  head.ack = ackAt === 0 ? 0 : readU32(bytes, table + ackAt);
  head.flags = flagsAt === 0 ? 0 : bytes[table + flagsAt];
  head.hasRareParts = false;
  for (let slot = SLOT_REJECTS; slot <= SLOT_NOTICE && slot < vtableBytes; slot += 2) {
    if (readU16(bytes, vtable + slot) !== 0) head.hasRareParts = true;
  }
  return true;
}
