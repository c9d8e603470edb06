// Plain objects of clients, turned into the bytes that a FlatBuffers client would have sent, so that one set of checks
// holds for every encoding. This file checks what those bytes can no longer show: names, missing and unknown keys, types.

import { RejectCode } from '../../game/reject-codes.js';
import { ClientKind, encodeJoin, PING_BYTES, type Watch, writeHeader, writePing } from '../fb/client-message.js';
import { type CommandLayouts, writeCommand } from '../fb/command-layout.js';
import { CLIENT_HEADER_BYTES, CLIENT_MESSAGE_BYTES_MAX } from '../limits.js';
import { type PlainEncoding, type PlainObject, parsePlain } from './plain-codec.js';

const U32_MAX = 0xffffffff;
const U8_MAX = 0xff;

/**
 * Writes the binary form of a plain message at `offset`, where there must be room for CLIENT_MESSAGE_BYTES_MAX. Returns
 * its bytes, which are still to go through checkClientMessage; or a RejectCode, negated, and then the 8 bytes of the
 * header say what could be understood of kind and seq (0: nothing).
 */
export function transcodePlain(
  layouts: CommandLayouts,
  encoding: PlainEncoding,
  message: Uint8Array,
  view: DataView,
  offset: number,
): number {
  writeHeader(view, offset, ClientKind.None, 0);
  if (message.length > CLIENT_MESSAGE_BYTES_MAX) return -RejectCode.TooLarge;
  const object = parsePlain(encoding, message);
  return object === null ? -RejectCode.Malformed : transcodeObject(layouts, object, view, offset);
}

function transcodeObject(layouts: CommandLayouts, object: PlainObject, view: DataView, offset: number): number {
  const { type, seq = 0, ...payload } = object;
  if (typeof type !== 'string' || !isUint(seq, U32_MAX)) return -RejectCode.Malformed;
  switch (type) {
    case 'join':
      writeHeader(view, offset, ClientKind.Join, seq);
      return transcodeJoin(payload, seq, view, offset);
    case 'ping':
      writeHeader(view, offset, ClientKind.Ping, seq);
      if (!hasKeys(payload, 1) || typeof payload.clientTime !== 'number') return -RejectCode.Malformed;
      if (!isUint(payload.clientTime, U32_MAX)) return -RejectCode.OutOfRange;
      writePing(view, offset, seq, payload.clientTime);
      return PING_BYTES;
    case 'resync':
      writeHeader(view, offset, ClientKind.Resync, seq);
      return hasKeys(payload, 0) ? CLIENT_HEADER_BYTES : -RejectCode.Malformed;
    case 'leave':
      writeHeader(view, offset, ClientKind.Leave, seq);
      return hasKeys(payload, 0) ? CLIENT_HEADER_BYTES : -RejectCode.Malformed;
  }
  const layout = layouts.findByName(type);
  if (layout === null) {
    writeHeader(view, offset, ClientKind.None, seq);
    return -RejectCode.UnknownKind;
  }
  const code = writeCommand(layout, payload, seq, view, offset);
  return code === RejectCode.None ? layout.bytes : -code;
}

/** Every field of a Join may be left out, as in its table. */
function transcodeJoin(payload: PlainObject, seq: number, view: DataView, offset: number): number {
  const { name = '', token = '', updateHz = 0, watchX, watchY, watchPlayer, ...unknown } = payload;
  if (!hasKeys(unknown, 0) || typeof name !== 'string' || typeof token !== 'string' || typeof updateHz !== 'number') {
    return -RejectCode.Malformed;
  }
  const watch = toWatch(watchX, watchY, watchPlayer);
  if (watch === null) return -RejectCode.Malformed;
  if (!isUint(updateHz, U8_MAX)) return -RejectCode.OutOfRange;
  if (watch !== undefined && 'player' in watch && !isUint(watch.player, U32_MAX)) return -RejectCode.OutOfRange;
  const bytes = encodeJoin({ name, token, updateHz, ...(watch !== undefined && { watch }) }, seq);
  if (bytes.length > CLIENT_MESSAGE_BYTES_MAX) return -RejectCode.TooLarge;
  for (let index = 0; index < bytes.length; index++) view.setUint8(offset + index, bytes[index]);
  return bytes.length;
}

/** A place or a player, and not both. Undefined: to play; null: neither of the three. */
function toWatch(x: unknown, y: unknown, player: unknown): Watch | undefined | null {
  if (x === undefined && y === undefined && player === undefined) return undefined;
  if (typeof player === 'number' && x === undefined && y === undefined) return { player };
  return typeof x === 'number' && typeof y === 'number' && player === undefined ? { x, y } : null;
}

function isUint(value: unknown, max: number): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= max;
}

function hasKeys(payload: PlainObject, count: number): boolean {
  return Object.keys(payload).length === count;
}
