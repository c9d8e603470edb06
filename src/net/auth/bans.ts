// Who is kept out, by address or by name, until when. What keeps them over a restart is not known here.

import { wallMs } from '../../base/clock.js';
import { BANS_MAX } from '../../durability/commands/limits.js';

const MAPPED_PREFIX = '::ffff:';

/** Who is meant; each that is given must fit. */
export interface Selection {
  /** As the client's Welcome named it: a session's, and never another's. */
  clientId?: number;
  name?: string;
  address?: string;
  isBanned?: true;
}

/** An IPv4 address that comes through an IPv6 socket is the same address. */
export function plainAddress(address: string): string {
  const isMapped = address.startsWith(MAPPED_PREFIX) && address.includes('.');
  return isMapped ? address.slice(MAPPED_PREFIX.length) : address;
}

/** Times are of the wall clock, in ms. */
export class BanList {
  private readonly addresses = new Map<string, number>();
  private readonly names = new Map<string, number>();

  constructor(private readonly now: () => number = wallMs) {}

  get size(): number {
    return this.addresses.size + this.names.size;
  }

  hasAddress(address: string): boolean {
    return this.has(this.addresses, address);
  }

  hasName(name: string): boolean {
    return this.has(this.names, name);
  }

  /** The later end counts, and is what this gives; undefined: the list is full. */
  addAddress(address: string, untilMs: number): number | undefined {
    return this.add(this.addresses, address, untilMs);
  }

  addName(name: string, untilMs: number): number | undefined {
    return this.add(this.names, name, untilMs);
  }

  private has(list: Map<string, number>, key: string): boolean {
    const untilMs = list.get(key);
    if (untilMs === undefined) return false;
    if (untilMs > this.now()) return true;
    list.delete(key);
    return false;
  }

  private add(list: Map<string, number>, key: string, untilMs: number): number | undefined {
    const known = list.get(key);
    if (known === undefined && this.size >= BANS_MAX) this.forgetExpired();
    if (known === undefined && this.size >= BANS_MAX) return undefined;
    const laterMs = Math.max(untilMs, known ?? 0);
    list.set(key, laterMs);
    return laterMs;
  }

  private forgetExpired(): void {
    const now = this.now();
    for (const list of [this.addresses, this.names]) {
      for (const [key, untilMs] of list) {
        if (untilMs <= now) list.delete(key);
      }
    }
  }
}
