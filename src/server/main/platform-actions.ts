// Main's end of the platform's commands: does what they ask, once each. A command that comes again gets the answer that
// it got, because the first answer may have been lost on its way.

import { wallMs } from '../../base/clock.js';
import type { Log } from '../../base/log.js';
import type { Reloaded } from '../../config/live-reload.js';
import type { StoredBan } from '../../durability/commands/ban-book.js';
import { PLATFORM_IDS_KEPT } from '../../durability/commands/limits.js';
import type { Outcome, PlatformAction, PlatformCommand } from '../../durability/commands/platform-commands.js';
import { plainAddress } from '../../net/auth/bans.js';
import type { Net } from '../../net/net.js';
import type { Grants } from './grants.js';

const MINUTE_MS = 60000;
const KICK_TEXT = 'You were removed from the game.';
const BAN_TEXT = 'You are banned from the game.';
const TOO_OLD = 'given before this server was started';
const MAYBE_DONE = 'the server ended while it was being given: applied or not, nobody knows';

export interface PlatformActionsOptions {
  net: Pick<Net, 'broadcast' | 'kick' | 'bans'>;
  grants: Pick<Grants, 'give'>;
  reload(): Reloaded;
  log: Log;
  /** Of the wall clock, like the times of commands. */
  startedMs: number;
  /** Must return before anything ends, so that the answer gets away. */
  drain(text: string): void;
  now?: () => number;
}

export class PlatformActions {
  /** What was answered, by command id, oldest first. */
  private readonly outcomes = new Map<string, Promise<Outcome>>();

  constructor(private readonly options: PlatformActionsOptions) {}

  run(command: PlatformCommand): Promise<Outcome> {
    const known = this.outcomes.get(command.id);
    if (known !== undefined) return known;
    const outcome = this.obey(command);
    this.remember(command.id, outcome);
    return outcome;
  }

  private async obey({ id, askedAtMs, action, isBegun }: PlatformCommand): Promise<Outcome> {
    // An earlier process had it, and this one did not see the end.
    const outcome = isBegun && action.type === 'grant' ? { reason: MAYBE_DONE } : await this.act(action, askedAtMs);
    this.options.log.info({ commandId: id, command: action.type, ...outcome }, 'a command of the platform');
    return outcome;
  }

  private async act(action: PlatformAction, askedAtMs: number): Promise<Outcome> {
    if (action.type === 'ban') return this.ban(action, askedAtMs);
    if (action.type !== 'reload') return { reason: await this.tryAction(action, askedAtMs) };
    const { errors, applied, restart } = this.options.reload();
    return errors.length > 0 ? { reason: errors.join('\n') } : { reason: '', lists: { applied, restart } };
  }

  /** Why not, or empty. */
  private async tryAction(
    action: Exclude<PlatformAction, { type: 'reload' | 'ban' }>,
    askedAtMs: number,
  ): Promise<string> {
    const { net, drain } = this.options;
    // The others are about who plays at the time. One that has waited in the log for a server, or comes again after its
    // crash, would hit strangers; a drain would end server after server.
    if (askedAtMs < this.options.startedMs) return TOO_OLD;
    switch (action.type) {
      case 'kick':
        return this.kick(action);
      case 'grant':
        return this.options.grants.give(action);
      case 'broadcast':
        net.broadcast(action.text);
        return '';
      case 'drain':
        drain(action.text);
        return '';
    }
  }

  private kick({ clientId, name, text }: PlatformAction & { type: 'kick' }): string {
    const who = clientId >= 0 ? { clientId } : { name };
    const kicked = this.options.net.kick(who, text === '' ? KICK_TEXT : text);
    return kicked > 0 ? '' : 'no such client is connected';
  }

  private ban({ address, name, minutes, text }: PlatformAction & { type: 'ban' }, askedAtMs: number): Outcome {
    const { net, now = wallMs } = this.options;
    // A clock that is ahead of this one must not make a ban longer.
    const untilMs = Math.min(askedAtMs, now()) + minutes * MINUTE_MS;
    if (untilMs <= now()) return { reason: 'it would be over already' };
    const ban: StoredBan =
      address === '' ? { kind: 'name', who: name, untilMs } : { kind: 'address', who: plainAddress(address), untilMs };
    const inForceUntilMs = this.addBan(ban);
    if (inForceUntilMs === undefined) return { reason: 'the list of bans is full' };
    net.kick({ [ban.kind]: ban.who }, text === '' ? BAN_TEXT : text);
    return { reason: '', ban: { ...ban, untilMs: inForceUntilMs } };
  }

  /** Those that earlier servers kept. Who came in before they were known goes. */
  restoreBans(bans: readonly StoredBan[]): void {
    const { net, log } = this.options;
    const restored = bans.filter((ban) => this.addBan(ban) !== undefined).length;
    const kicked = net.kick({ isBanned: true }, BAN_TEXT);
    if (bans.length > 0)
      log.info({ restored, full: bans.length - restored, kicked }, 'bans of earlier servers are in force');
  }

  /** The end in force, which is an earlier ban's where that is longer; undefined: there is no room. */
  private addBan({ kind, who, untilMs }: StoredBan): number | undefined {
    const { bans } = this.options.net;
    return kind === 'name' ? bans.addName(who, untilMs) : bans.addAddress(who, untilMs);
  }

  private remember(id: string, outcome: Promise<Outcome>): void {
    this.outcomes.set(id, outcome);
    if (this.outcomes.size <= PLATFORM_IDS_KEPT) return;
    const [oldest] = this.outcomes.keys();
    this.outcomes.delete(oldest);
  }
}
