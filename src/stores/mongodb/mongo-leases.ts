// Leases in MongoDB, one document for each fencing token:
//
//  leases  {_id: '<lease>@<fence>', lease, fence, holder, beat, about}
//
// A lease is taken by inserting the document of the next token: of several servers that try, one succeeds. This needs
// no more than a unique _id, which FerretDB guarantees too; its conditional updates are not atomic. The document with
// the highest token is the lease; a holder renews it by changing its own document, which nobody else does.

import type { Collection, Db } from 'mongodb';
import { requireFence, settleClaim } from '../lease-rules.js';
import { type Fence, type HeldLease, type LeaseClaim, PersistError } from '../store-ports.js';

export const DUPLICATE_KEY = 11000;

interface LeaseDocument extends HeldLease {
  _id: string;
  lease: string;
}

type Call = <T>(what: string, action: (db: Db) => Promise<T>) => Promise<T>;

export class MongoLeases {
  readonly #call: Call;

  constructor(call: Call) {
    this.#call = call;
  }

  async claim(name: string, claim: LeaseClaim): Promise<HeldLease> {
    const found = await this.#read(name);
    const next = settleClaim(found, claim);
    if (next === undefined) return found as HeldLease;
    if (next.fence === found?.fence) await this.#renew(name, next);
    else await this.#insert(name, next);
    // A slow server may have inserted a token that others are beyond by now: the highest one counts.
    const now = (await this.#read(name)) ?? next;
    if (now.fence !== found?.fence && now.holder === claim.holder) await this.#dropOlder(name, now.fence);
    return now;
  }

  async release(name: string, holder: string): Promise<void> {
    await this.#call('release a lease', (db) =>
      leasesOf(db).updateMany({ lease: name, holder }, { $set: { holder: '' } }),
    );
  }

  async require(fence: Fence | undefined): Promise<void> {
    if (fence !== undefined) requireFence(await this.#read(fence.lease), fence);
  }

  async #read(name: string): Promise<HeldLease | undefined> {
    const [found] = await this.#call('read a lease', (db) =>
      leasesOf(db).find({ lease: name }).sort({ _id: -1 }).limit(1).toArray(),
    );
    if (found === undefined) return undefined;
    const { holder, fence, beat, about } = found;
    return { holder, fence, beat, about };
  }

  async #renew(name: string, { fence, holder, beat, about }: HeldLease): Promise<void> {
    const filter = { _id: leaseId(name, fence), holder };
    await this.#call('renew a lease', (db) => leasesOf(db).updateOne(filter, { $set: { beat, about } }));
  }

  async #insert(name: string, lease: HeldLease): Promise<void> {
    const document = { _id: leaseId(name, lease.fence), lease: name, ...lease };
    try {
      await this.#call('take a lease', (db) => leasesOf(db).insertOne(document));
    } catch (error) {
      if (!isDuplicate(error)) throw error;
    }
  }

  async #dropOlder(name: string, fence: number): Promise<void> {
    const older = { lease: name, _id: { $lt: leaseId(name, fence) } };
    await this.#call('drop old leases', (db) => leasesOf(db).deleteMany(older));
  }
}

function leasesOf(db: Db): Collection<LeaseDocument> {
  return db.collection('leases');
}

/** Padded, so that ids sort like their tokens. */
function leaseId(name: string, fence: number): string {
  return `${name}@${String(fence).padStart(10, '0')}`;
}

export function isDuplicate(error: unknown): boolean {
  return error instanceof PersistError && (error.cause as { code?: number })?.code === DUPLICATE_KEY;
}
