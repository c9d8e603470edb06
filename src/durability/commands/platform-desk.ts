// Takes the platform's commands from the log to main, and main's answers back to the log as events. Delivery is at least
// once: the offset of a command is committed when the log has its answer, so a crash brings the command again. Main
// and the ledger know the ids of what was done, and the answer to the same command has the same event id.

import { wallMs } from '../../base/clock.js';
import type { IoCounters } from '../../memory/tables/io-counters.js';
import { formatPlain } from '../../protocol/plain/plain-codec.js';
import type { EventLog, LogBatch, LogEntry, LogRecord, Subscription, TopicSpec } from '../../stores/store-ports.js';
import type { BanBook } from './ban-book.js';
import type { CommandLedger } from './command-ledger.js';
import { PLATFORM_BATCH_RECORDS_MAX } from './limits.js';
import { decodeCommand, type Outcome, type PlatformCommand } from './platform-commands.js';

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
    private readonly now: () => number = wallMs,
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
