// Leases in the embedded database: one row for each, never removed, so that fencing tokens go on growing.

import { requireFence, settleClaim } from '../lease-rules.js';
import type { Fence, HeldLease, LeaseClaim } from '../store-ports.js';
import type { EmbeddedStore, Table } from './embedded-store.js';

export class EmbeddedLeases {
  readonly #rows: Table;

  constructor(store: EmbeddedStore) {
    this.#rows = store.table('leases');
  }

  /** Inside of a write. */
  claim(name: string, claim: LeaseClaim): HeldLease {
    const found = this.#read(name);
    const next = settleClaim(found, claim);
    if (next !== undefined) this.#put(name, next);
    return next ?? (found as HeldLease);
  }

  /** Inside of a write. */
  release(name: string, holder: string): void {
    const found = this.#read(name);
    if (found?.holder === holder) this.#put(name, { ...found, holder: '' });
  }

  /** Inside of the write that carries the fence. */
  require(fence: Fence | undefined): void {
    if (fence !== undefined) requireFence(this.#read(fence.lease), fence);
  }

  #read(name: string): HeldLease | undefined {
    const row = this.#rows.get(Buffer.from(name));
    return row && (JSON.parse(Buffer.from(row).toString()) as HeldLease);
  }

  #put(name: string, lease: HeldLease): void {
    this.#rows.put(Buffer.from(name), Buffer.from(JSON.stringify(lease)));
  }
}
