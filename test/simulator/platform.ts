// The platform: gives commands by topic, now and then the same one twice or one that is malformed, and looks for the
// answers.

import { Packr, unpack } from 'msgpackr';
import type { Outcome, PlatformCommand } from '../../src/durability/commands/platform-commands.js';
import { PLATFORM_TOPIC } from '../../src/durability/commands/platform-desk.js';
import type { Net } from '../../src/net/net.js';
import type { PlatformActions } from '../../src/server/main/platform-actions.js';
import type { Chance } from './chance.js';
import { require } from './checks/violation.js';
import type { Faults } from './faults.js';
import type { Schedule } from './schedule.js';
import type { Backends } from './stores/backends.js';
import type { VirtualProcess } from './virtual/virtual-process.js';

const GIVE_MS = [50, 900] as const;
const packr = new Packr({ useRecords: false });

export class Platform {
  isDone = false;
  private readonly given: string[] = [];
  private malformed = 0;
  private current = '';

  constructor(
    private readonly schedule: Schedule,
    private readonly faults: Faults,
    private readonly chance: Chance,
  ) {}

  begin(backends: Backends): void {
    const { schedule, chance } = this;
    schedule.after(chance.between(...GIVE_MS), schedule.world, () => {
      if (this.isDone) return;
      this.give(backends);
      this.begin(backends);
    });
  }

  private give({ log }: Backends): void {
    const { schedule, chance } = this;
    if (!log.topics.has(PLATFORM_TOPIC.name)) return; // the server has made no topics yet
    let value: Uint8Array;
    if (this.faults.happens('platform-malformed')) {
      value = chance.happens(0.5)
        ? Uint8Array.from({ length: 9 }, () => chance.below(256))
        : packr.pack({ type: 'kick' });
      this.malformed++;
    } else {
      const isAgain = this.given.length > 0 && this.faults.happens('platform-twice');
      const commandId = isAgain ? chance.pick(this.given) : `c${this.given.length}`;
      const action = chance.pick([
        { type: 'kick', clientId: 1 + chance.below(16) },
        { type: 'broadcast', text: 'hello' },
        { type: 'reload' },
      ]);
      value = packr.pack({ commandId, ...action });
      if (!isAgain) this.given.push(commandId);
    }
    const record = { topic: PLATFORM_TOPIC.name, key: 'platform', value, timestampMs: schedule.nowMs };
    log.append([[record]]);
  }

  /** The process at the server's end of it. */
  obey(command: PlatformCommand, actions: PlatformActions): Promise<Outcome> {
    this.current = command.id;
    return actions.run(command);
  }

  netOf(process: VirtualProcess): Pick<Net, 'broadcast' | 'kick' | 'bans'> {
    // Of this process: what comes again is known by what the process remembers.
    const acts = new Set<string>();
    const act = (): void => {
      const isFirst = !acts.has(this.current);
      acts.add(this.current);
      require(isFirst, 'a command of the platform is done once', () => `${this.current} is done again`);
    };
    return {
      broadcast: act,
      kick: ({ clientId }: { clientId?: number }) => {
        const isThere = process.kick((clientId ?? 0) - 1);
        if (isThere) act();
        return isThere ? 1 : 0;
      },
      bans: undefined as never,
    } as unknown as Pick<Net, 'broadcast' | 'kick' | 'bans'>;
  }

  /** At rest: all that was given has an answer. */
  check(backends: Backends): void {
    const answered = new Set<string>();
    let malformed = 0;
    for (const entries of backends.log.topics.get('game.events.player') ?? []) {
      for (const { value } of entries) {
        const { eventId } = unpack(value) as { eventId: string };
        if (eventId.startsWith('platform-at-') && !answered.has(eventId)) malformed++;
        answered.add(eventId);
      }
    }
    const waiting = this.given.filter((id) => !answered.has(`platform-${id}`));
    require(waiting.length === 0, 'commands of the platform are answered', () =>
      `${waiting.join()} of ${this.given.length}; ${[...answered].filter((id) => id.startsWith('platform'))}`);
    require(malformed === this.malformed, 'malformed commands are answered', () => `${malformed} of ${this.malformed}`);
    this.faults.note('(platform commands answered)', this.given.length);
  }
}
