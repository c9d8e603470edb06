// The database of the event spool in memory: rows outlive the simulated process, a write is all or nothing, except that
// the beginning of one may stay when its thread ends in the middle of it, as LMDB's does.

import type { SpoolStore, SpoolTable } from '../../../src/durability/events/event-spool.js';
import { PersistError } from '../../../src/stores/store-ports.js';
import type { Chance } from '../chance.js';
import type { Faults } from '../faults.js';
import type { Owner, Schedule } from '../schedule.js';
import { damage } from '../weather.js';

const WRITE_MS = [0.2, 5] as const;
const SLOW_MS = [20, 800] as const;

export class SpoolDisk {
  /** By key in hexadecimal digits. */
  readonly rows = new Map<string, Uint8Array>();
}

type Change = { key: string; value: Uint8Array | undefined };

export class MemorySpoolStore implements SpoolStore {
  private changes: Change[] | undefined;

  constructor(
    private readonly disk: SpoolDisk,
    private readonly schedule: Schedule,
    private readonly owner: Owner,
    private readonly faults: Faults,
    private readonly chance: Chance,
  ) {}

  table(): SpoolTable {
    const { disk, faults, chance } = this;
    return {
      get: (key) => {
        const value = disk.rows.get(toHex(key));
        if (value === undefined) return undefined;
        if (faults.happens('spool-damaged')) disk.rows.set(toHex(key), damage(value, chance));
        return disk.rows.get(toHex(key));
      },
      put: (key, value) => this.changes?.push({ key: toHex(key), value: Uint8Array.from(value) }),
      remove: (key) => this.changes?.push({ key: toHex(key), value: undefined }),
      keys: () =>
        [...disk.rows.keys()]
          .sort()
          .map((key) => Buffer.from(key, 'hex'))
          .values(),
    };
  }

  async write<T>(action: () => T): Promise<T> {
    const { schedule, owner, faults, chance } = this;
    const changes: Change[] = [];
    this.changes = changes;
    const result = action();
    this.changes = undefined;
    const range = faults.happens('spool-slow') ? SLOW_MS : WRITE_MS;
    const ms = chance.between(range[0], range[1]);
    // Whatever becomes of the thread, the database's own thread goes on with a part of it.
    schedule.after(ms / 2, schedule.world, () => {
      if (!owner.isAlive) this.apply(changes.slice(0, chance.below(changes.length + 1)));
    });
    await schedule.wait(ms, owner);
    if (faults.happens('spool-full')) throw new PersistError('full', 'the spool has no room');
    this.apply(changes);
    return result;
  }

  async close(): Promise<void> {}

  private apply(changes: readonly Change[]): void {
    for (const { key, value } of changes) {
      if (value === undefined) this.disk.rows.delete(key);
      else this.disk.rows.set(key, value);
    }
  }
}

function toHex(key: Uint8Array): string {
  return Buffer.from(key).toString('hex');
}
