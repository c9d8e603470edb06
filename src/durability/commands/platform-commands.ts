// A command of the platform: one flat MessagePack map {commandId, type, ...}, decoded and checked here.

import { isIP, SocketAddress } from 'node:net';
import { GRANT_AMOUNT_MAX } from '../../game/limits.js';
import { CLIENT_ID_MAX, NAME_BYTES_MAX, NOTICE_BYTES_MAX, WIRE_NAME_BYTES_MAX } from '../../protocol/limits.js';
import { type PlainObject, parsePlain } from '../../protocol/plain/plain-codec.js';
import type { StoredBan } from './ban-book.js';
import { BAN_MINUTES_MAX, PLATFORM_COMMAND_BYTES_MAX, PLATFORM_ID_BYTES_MAX } from './limits.js';

/** `name` and `address` are empty, and `clientId` is -1, where they are not meant. */
export type PlatformAction =
  | { type: 'kick'; clientId: number; name: string; text: string }
  | { type: 'ban'; address: string; name: string; minutes: number; text: string }
  | { type: 'broadcast'; text: string }
  | { type: 'drain'; text: string }
  | { type: 'grant'; clientId: number; name: string; grant: string; amount: number }
  | { type: 'reload' };

export interface PlatformCommand {
  id: string;
  /** When it was given, by the clock of who gave it. */
  askedAtMs: number;
  action: PlatformAction;
  /** It was handed to a server before, perhaps to this one, and no answer is known: it may have been done. */
  isBegun: boolean;
}

/** `reason` is empty when it was done. */
export interface Outcome {
  reason: string;
  /** Lists that the answer's payload carries beside it. */
  lists?: Record<string, string[]>;
  /** To be kept over a restart. */
  ban?: StoredBan;
}

type Checked =
  | { ok: true; id: string; action: PlatformAction }
  /** Id and type as far as they could be read. */
  | { ok: false; id: string; type: string; reason: string };

/** Told to who gave the command. */
class Unfit extends Error {}

const CHECKS: Record<string, (map: PlainObject) => PlatformAction> = {
  kick: readKick,
  ban: readBan,
  broadcast: readBroadcast,
  drain: (map) => ({ type: 'drain', text: readText(map) }),
  grant: readGrant,
  reload: () => ({ type: 'reload' }),
};

export function decodeCommand(bytes: Uint8Array): Checked {
  if (bytes.length > PLATFORM_COMMAND_BYTES_MAX) {
    return refuse('', '', `${bytes.length} bytes are too many, ${PLATFORM_COMMAND_BYTES_MAX} can be`);
  }
  const map = parsePlain('msgpack', bytes);
  if (map === null) return refuse('', '', 'not one flat MessagePack map of texts and numbers');
  const type = typeof map.type === 'string' ? map.type.slice(0, PLATFORM_ID_BYTES_MAX) : '';
  const id = map.commandId;
  if (typeof id !== 'string' || !/^[\x21-\x7e]+$/.test(id) || id.length > PLATFORM_ID_BYTES_MAX) {
    return refuse('', type, `commandId is not 1 to ${PLATFORM_ID_BYTES_MAX} printable ASCII characters`);
  }
  if (!Object.hasOwn(CHECKS, type)) return refuse(id, type, `type is none of ${Object.keys(CHECKS).join(', ')}`);
  try {
    return { ok: true, id, action: CHECKS[type](map) };
  } catch (error) {
    if (error instanceof Unfit) return refuse(id, type, error.message);
    throw error;
  }
}

function refuse(id: string, type: string, reason: string): Checked {
  return { ok: false, id, type, reason };
}

function readKick(map: PlainObject): PlatformAction {
  const hasClient = map.clientId !== undefined;
  if (hasClient === (map.name !== undefined)) throw new Unfit('one of clientId and name is needed');
  const clientId = hasClient ? readInteger(map, 'clientId', 1, CLIENT_ID_MAX) : -1;
  return { type: 'kick', clientId, name: hasClient ? '' : readName(map), text: readText(map) };
}

function readGrant(map: PlainObject): PlatformAction {
  const hasClient = map.clientId !== undefined;
  if (hasClient === (map.name !== undefined)) throw new Unfit('one of clientId and name is needed');
  const clientId = hasClient ? readInteger(map, 'clientId', 1, CLIENT_ID_MAX) : -1;
  const { grant, amount } = map;
  if (typeof grant !== 'string' || grant === '' || Buffer.byteLength(grant) > WIRE_NAME_BYTES_MAX) {
    throw new Unfit(`grant is not 1 to ${WIRE_NAME_BYTES_MAX} bytes of text`);
  }
  if (typeof amount !== 'number' || !(Math.abs(amount) <= GRANT_AMOUNT_MAX)) {
    throw new Unfit(`amount is no number from -${GRANT_AMOUNT_MAX} to ${GRANT_AMOUNT_MAX}`);
  }
  return { type: 'grant', clientId, name: hasClient ? '' : readName(map), grant, amount };
}

function readBan(map: PlainObject): PlatformAction {
  const hasAddress = map.address !== undefined;
  if (hasAddress === (map.name !== undefined)) throw new Unfit('one of address and name is needed');
  const minutes = readInteger(map, 'minutes', 1, BAN_MINUTES_MAX);
  const address = hasAddress ? readAddress(map) : '';
  return { type: 'ban', address, name: hasAddress ? '' : readName(map), minutes, text: readText(map) };
}

function readBroadcast(map: PlainObject): PlatformAction {
  const text = readText(map);
  if (text === '') throw new Unfit('text is needed');
  return { type: 'broadcast', text };
}

function readInteger(map: PlainObject, field: string, min: number, max: number): number {
  const value = map[field];
  if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value;
  throw new Unfit(`${field} is no whole number from ${min} to ${max}`);
}

function readName({ name }: PlainObject): string {
  if (typeof name === 'string' && name !== '' && Buffer.byteLength(name) <= NAME_BYTES_MAX) return name;
  throw new Unfit(`name is not 1 to ${NAME_BYTES_MAX} bytes of text`);
}

function readText({ text = '' }: PlainObject): string {
  if (typeof text === 'string' && Buffer.byteLength(text) <= NOTICE_BYTES_MAX) return text;
  throw new Unfit(`text is not at most ${NOTICE_BYTES_MAX} bytes of text`);
}

/** In the one spelling that sockets have. */
function readAddress({ address }: PlainObject): string {
  const version = typeof address === 'string' ? isIP(address) : 0;
  if (version === 0 || (address as string).includes('%')) throw new Unfit('address is no IP address');
  return new SocketAddress({ address: address as string, family: version === 6 ? 'ipv6' : 'ipv4' }).address;
}
