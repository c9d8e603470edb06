// What the platform asks of the game by topic: a command is one flat MessagePack map {commandId, type, ...}. It is
// checked here, done by main, and answered by an event. Its offset is committed when the log has the answer, so a crash
// brings it again: main knows the ids of what it has done, and the answer to the same command has the same event id.

import { isIP, SocketAddress } from 'node:net';
import { GRANT_AMOUNT_MAX } from '../../game/limits.js';
import type { IoCounters } from '../../memory/tables/io-counters.js';
import { CLIENT_ID_MAX, NAME_BYTES_MAX, NOTICE_BYTES_MAX, WIRE_NAME_BYTES_MAX } from '../../protocol/limits.js';
import { formatPlain, type PlainObject, parsePlain } from '../../protocol/plain/plain-codec.js';
import type { EventLog, LogBatch, LogEntry, LogRecord, Subscription, TopicSpec } from '../../stores/store-ports.js';
import type { BanBook, StoredBan } from './ban-book.js';
import type { CommandLedger } from './command-ledger.js';
import {
  BAN_MINUTES_MAX,
  PLATFORM_BATCH_RECORDS_MAX,
  PLATFORM_COMMAND_BYTES_MAX,
  PLATFORM_ID_BYTES_MAX,
} from './limits.js';

/** One partition: commands are few, and are done in the order in which they were given. */
export const PLATFORM_TOPIC: TopicSpec = { name: 'platform.commands', partitions: 1, isForAll: true };
const GROUP = 'game';
const ANSWER_TOPIC = 'game.events.player';
const ANSWER_VERSION = 1;
/** In the answer's fields of the world: the platform is in no zone and has no tick. */
const NOWHERE = -1;
const BAN_NOT_STORED =
  'in force on this server, which goes on trying to store it; until then its end ends the ban: the store does not answer';
/** Key and aggregate of answers to what has no id. */
const NO_ID_KEY = 'platform';

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

interface Answer {
  /** The same whenever the same command is answered again. */
  eventId: string;
  commandId: string;
  command: string;
  reason: string;
  lists?: Record<string, string[]>;
}

function formAnswer({ eventId, commandId, command, reason, lists }: Answer, nowMs: number): LogRecord {
  const key = commandId === '' ? NO_ID_KEY : commandId;
  const isDone = reason === '';
  const value = formatPlain('msgpack', {
    eventId,
    type: isDone ? 'platform.command.done' : 'platform.command.failed',
    aggregateId: key,
    zoneId: NOWHERE,
    tick: NOWHERE,
    occurredAt: nowMs,
    version: ANSWER_VERSION,
    payload: { commandId, command, ...(isDone ? lists : { reason }) },
  }) as Uint8Array;
  return { topic: ANSWER_TOPIC, key, value, timestampMs: nowMs };
}

/** The I/O thread's end: from the log to main, and from main's outcome to the log. */
export class PlatformDesk {
  private readonly asked = new Map<number, (outcome: Outcome) => void>();
  private lastRequest = 0;

  constructor(
    private readonly ask: (request: number, command: PlatformCommand) => void,
    private readonly publish: (record: LogRecord) => Promise<void>,
    private readonly counters: IoCounters,
    private readonly ledger: CommandLedger,
    private readonly bans: Pick<BanBook, 'keep'>,
    private readonly now: () => number = Date.now,
  ) {}

  subscribe(log: EventLog): Promise<Subscription> {
    const options = { group: GROUP, topics: [PLATFORM_TOPIC.name], batchRecordsMax: PLATFORM_BATCH_RECORDS_MAX };
    return log.subscribe(options, (batch, signal) => this.handle(batch, signal));
  }

  /** Main has answered. */
  settle(request: number, outcome: Outcome): void {
    this.asked.get(request)?.(outcome);
    this.asked.delete(request);
  }

  /** One after the other. Rejects when not all answers are in the log: then the batch comes again. */
  private async handle(batch: LogBatch, signal: AbortSignal): Promise<void> {
    for (const entry of batch.entries) {
      if (signal.aborted) throw new Error('the subscription stops');
      const answer = await this.obey(entry, `${batch.partition}-${entry.offset}`, signal);
      await this.publish(formAnswer(answer, this.now()));
      this.counters.add(answer.reason === '' ? 'platformDone' : 'platformFailed', 1);
    }
  }

  private async obey({ value, timestampMs }: LogEntry, place: string, signal: AbortSignal): Promise<Answer> {
    const checked = decodeCommand(value);
    if (!checked.ok) {
      this.counters.add('platformMalformed', 1);
      const { id, type, reason } = checked;
      return { eventId: `platform-at-${place}`, commandId: id, command: type, reason };
    }
    const { id, action } = checked;
    const outcome = await this.obeyOnce({ id, askedAtMs: timestampMs, action, isBegun: false }, signal);
    return { eventId: `platform-${id}`, commandId: id, command: action.type, ...outcome };
  }

  /** What was answered before is not done again. A grant that could be given twice by that is not given at all. */
  private async obeyOnce(command: PlatformCommand, signal: AbortSignal): Promise<Outcome> {
    const { id, action } = command;
    const known = await this.ledger.find(id);
    if (known.state === 'answered') return known.outcome;
    if (action.type === 'grant') {
      const isKept = known.state !== 'away' && (known.state === 'begun' || (await this.ledger.begin(id)));
      if (!isKept) return { reason: 'not given: the store that keeps the ids of commands does not answer' };
    }
    const outcome = await this.request({ ...command, isBegun: known.state === 'begun' }, signal);
    // Not remembered as answered: given once more, it is kept once more.
    if (outcome.ban !== undefined && !(await this.bans.keep(outcome.ban))) return { reason: BAN_NOT_STORED };
    if (known.state !== 'away') await this.ledger.answer(id, outcome);
    return outcome;
  }

  private request(command: PlatformCommand, signal: AbortSignal): Promise<Outcome> {
    const request = ++this.lastRequest;
    return new Promise((resolve, reject) => {
      const giveUp = (): void => {
        this.asked.delete(request);
        reject(new Error('the subscription stops'));
      };
      signal.addEventListener('abort', giveUp, { once: true });
      this.asked.set(request, (outcome) => {
        signal.removeEventListener('abort', giveUp);
        resolve(outcome);
      });
      this.ask(request, command);
    });
  }
}
