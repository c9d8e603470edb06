// What a client sends. Every message begins with the same 8 bytes; what follows is fixed in size for every kind but Join,
// which carries a FlatBuffers table of its own.
//
//   0        2           4         8
//   | kind   | reserved  | seq     | Join: JoinRequest buffer   Ping: client_time u32   game: payload   else: nothing |
//   | u16    | u16 = 0   | u32     |

import { Builder, ByteBuffer, Encoding } from 'flatbuffers';
import { ClientKind } from '../../../schemas/generated/tessera/wire/client-kind.js';
import { JoinRequest } from '../../../schemas/generated/tessera/wire/join-request.js';
import { Place } from '../../../schemas/generated/tessera/wire/place.js';
import { RejectCode } from '../../game/reject-codes.js';
import {
  CLIENT_HEADER_BYTES,
  CLIENT_MESSAGE_BYTES_MAX,
  GAME_KIND_MIN,
  NAME_BYTES_MAX,
  TOKEN_BYTES_MAX,
} from '../limits.js';
import { type CommandLayouts, checkCommand } from './command-layout.js';
import { inline, type TableShape, verifyTable } from './table-verifier.js';

export { ClientKind };

export const PING_BYTES = CLIENT_HEADER_BYTES + 4;

/** Bounds only; readJoin checks how long the strings may be, and answers OutOfRange. */
const JOIN_SHAPE: TableShape = [
  { form: 'string', bytesMax: CLIENT_MESSAGE_BYTES_MAX },
  { form: 'string', bytesMax: CLIENT_MESSAGE_BYTES_MAX },
  inline(1),
  inline(8, 4), // watch_place
  inline(4), // watch_player
];

/** What a spectator looks at: a place, or a player by the id of its entity. */
export type Watch = { x: number; y: number } | { player: number };

export interface JoinFields {
  name: string;
  /** Empty: a guest. */
  token: string;
  /** 0 leaves the choice to the server. */
  updateHz: number;
  /** To be a spectator. Absent: to play. */
  watch?: Watch;
}

/** @hot Only after checkClientMessage has accepted the message. */
export function kindOf(view: DataView, offset: number): number {
  return view.getUint16(offset, true);
}

/** @hot Only after checkClientMessage has accepted the message, or for a reject if there are 8 bytes to read. */
export function seqOf(view: DataView, offset: number): number {
  return view.getUint32(offset + 4, true);
}

/** @hot Of a Ping that checkClientMessage has accepted. */
export function clientTimeOf(view: DataView, offset: number): number {
  return view.getUint32(offset + CLIENT_HEADER_BYTES, true);
}

/**
 * @hot Once per message received. Checks size, header, kind and body of the `bytes` bytes at `offset`. What it accepts is
 * safe to read. The session checks whether `seq` is above the last one, readJoin the texts of a Join.
 */
export function checkClientMessage(layouts: CommandLayouts, view: DataView, offset: number, bytes: number): RejectCode {
  if (bytes > CLIENT_MESSAGE_BYTES_MAX) return RejectCode.TooLarge;
  if (bytes < CLIENT_HEADER_BYTES || view.getUint16(offset + 2, true) !== 0) return RejectCode.Malformed;
  const kind = kindOf(view, offset);
  if (kind >= GAME_KIND_MIN) {
    const layout = layouts.find(kind);
    return layout === null ? RejectCode.UnknownKind : checkCommand(layout, view, offset, bytes);
  }
  switch (kind) {
    case ClientKind.Join:
      return checkJoin(view, offset, bytes);
    case ClientKind.Ping:
      return bytes === PING_BYTES ? RejectCode.None : RejectCode.Malformed;
    case ClientKind.Resync:
    case ClientKind.Leave:
      return bytes === CLIENT_HEADER_BYTES ? RejectCode.None : RejectCode.Malformed;
    default:
      return RejectCode.UnknownKind;
  }
}

function checkJoin(view: DataView, offset: number, bytes: number): RejectCode {
  const start = offset + CLIENT_HEADER_BYTES;
  return verifyTable(JOIN_SHAPE, view, start, offset + bytes) ? RejectCode.None : RejectCode.Malformed;
}

/**
 * The fields of a Join that checkClientMessage has accepted, or null (to be answered as OutOfRange) when a text is too
 * long or not UTF-8, the name has control characters, or what is to be watched is no place, or two things.
 */
export function readJoin(view: DataView, offset: number, bytes: number): JoinFields | null {
  const start = view.byteOffset + offset + CLIENT_HEADER_BYTES;
  const body = new Uint8Array(view.buffer, start, bytes - CLIENT_HEADER_BYTES);
  const request = JoinRequest.getRootAsJoinRequest(new ByteBuffer(body));
  const name = decodeText(request.name(Encoding.UTF8_BYTES), NAME_BYTES_MAX);
  const token = decodeText(request.token(Encoding.UTF8_BYTES), TOKEN_BYTES_MAX);
  const watch = readWatch(request);
  if (name === null || token === null || hasControlCharacter(name) || watch === null) return null;
  return { name, token, updateHz: request.updateHz(), ...(watch !== undefined && { watch }) };
}

/** Undefined: to play. */
function readWatch(request: JoinRequest): Watch | undefined | null {
  const place = request.watchPlace();
  const player = request.watchPlayer();
  if (place === null) return player === null ? undefined : { player };
  const [x, y] = [place.x(), place.y()];
  return player === null && Number.isFinite(x) && Number.isFinite(y) ? { x, y } : null;
}

function decodeText(bytes: string | Uint8Array | null, bytesMax: number): string | null {
  if (bytes === null) return '';
  if (typeof bytes === 'string' || bytes.length > bytesMax) return null;
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    // The only way it tells of malformed UTF-8.
    return null;
  }
}

function hasControlCharacter(text: string): boolean {
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code < 0x20 || (code >= 0x7f && code < 0xa0)) return true;
  }
  return false;
}

/** @hot Writes the 8 bytes that begin every message. */
export function writeHeader(view: DataView, offset: number, kind: number, seq: number): void {
  view.setUint16(offset, kind, true);
  view.setUint16(offset + 2, 0, true);
  view.setUint32(offset + 4, seq, true);
}

/** @hot Writes PING_BYTES bytes. */
export function writePing(view: DataView, offset: number, seq: number, clientTime: number): void {
  writeHeader(view, offset, ClientKind.Ping, seq);
  view.setUint32(offset + CLIENT_HEADER_BYTES, clientTime, true);
}

export function encodeJoin(join: JoinFields, seq = 0): Uint8Array {
  const builder = new Builder(256);
  const name = builder.createString(join.name);
  const token = join.token === '' ? 0 : builder.createString(join.token);
  JoinRequest.startJoinRequest(builder);
  JoinRequest.addName(builder, name);
  if (token !== 0) JoinRequest.addToken(builder, token);
  JoinRequest.addUpdateHz(builder, join.updateHz);
  const { watch } = join;
  if (watch !== undefined && 'player' in watch) JoinRequest.addWatchPlayer(builder, watch.player);
  // A struct lies inside its table, so it is made between the table's other fields.
  else if (watch !== undefined) JoinRequest.addWatchPlace(builder, Place.createPlace(builder, watch.x, watch.y));
  builder.finish(JoinRequest.endJoinRequest(builder));
  const body = builder.asUint8Array();
  const bytes = new Uint8Array(CLIENT_HEADER_BYTES + body.length);
  writeHeader(new DataView(bytes.buffer), 0, ClientKind.Join, seq);
  bytes.set(body, CLIENT_HEADER_BYTES);
  return bytes;
}

export function encodePing(seq: number, clientTime: number): Uint8Array {
  const bytes = new Uint8Array(PING_BYTES);
  writePing(new DataView(bytes.buffer), 0, seq, clientTime);
  return bytes;
}

export function encodeResync(seq: number): Uint8Array {
  return encodeBare(ClientKind.Resync, seq);
}

export function encodeLeave(seq: number): Uint8Array {
  return encodeBare(ClientKind.Leave, seq);
}

function encodeBare(kind: ClientKind, seq: number): Uint8Array {
  const bytes = new Uint8Array(CLIENT_HEADER_BYTES);
  writeHeader(new DataView(bytes.buffer), 0, kind, seq);
  return bytes;
}
