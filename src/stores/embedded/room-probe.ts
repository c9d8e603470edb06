// Whether the disk of the embedded database takes writes. LMDB survives a write that fails, but not hundreds of them: some
// later one spoils memory or never returns (measured: 8 of 20 processes within half a second of a full disk). So after
// a write has failed for the system's sake LMDB is left alone until a file of our own can be written beside its own.

import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { nowMs } from '../../base/clock.js';
import { DISK_FREE_BYTES_MIN, DISK_PROBE_MS } from '../limits.js';

const PROBE_FILE = 'room.probe';

export class RoomProbe {
  /** The last failure; undefined: writes go to LMDB. */
  #failure: Error | undefined;
  #probedAtMs = 0;
  #probing: Promise<void> | undefined;

  constructor(readonly folder: string) {}

  get isShut(): boolean {
    return this.#failure !== undefined;
  }

  /** A write has failed. */
  shut(cause: Error): void {
    this.#failure = cause;
    this.#probedAtMs = nowMs();
  }

  /** Why the disk takes no writes, as far as is known; it is looked at again every DISK_PROBE_MS at most. */
  async failure(): Promise<Error | undefined> {
    if (this.#failure === undefined) return undefined;
    if (this.#probing === undefined && nowMs() - this.#probedAtMs < DISK_PROBE_MS) return this.#failure;
    this.#probing ??= this.#probe().finally(() => {
      this.#probing = undefined;
    });
    await this.#probing;
    return this.#failure;
  }

  async #probe(): Promise<void> {
    const path = join(this.folder, PROBE_FILE);
    try {
      const file = await open(path, 'w');
      try {
        // All of it is given to the disk: where blocks are assigned late, only that says whether there is room.
        await file.writeFile(Buffer.alloc(DISK_FREE_BYTES_MIN, 1));
        await file.sync();
      } finally {
        await file.close();
      }
      this.#failure = undefined;
    } catch (error) {
      this.#failure = error as Error;
    } finally {
      this.#probedAtMs = nowMs();
      await rm(path, { force: true });
    }
  }
}
