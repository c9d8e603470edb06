// The rules of a lease, the same in every store: who gets it, and which writes the fencing token lets through.

import { type Fence, type HeldLease, type LeaseClaim, PersistError } from './store-ports.js';

/** What the store has to write for this claim; undefined: the lease is somebody else's and stays as it is. */
export function settleClaim(found: HeldLease | undefined, claim: LeaseClaim): HeldLease | undefined {
  const { holder, about, over } = claim;
  if (found?.holder === holder) return { ...found, about, beat: found.beat + 1 };
  const isFree = found === undefined || found.holder === '';
  if (isFree || isSameLease(found, over)) return { holder, about, fence: (found?.fence ?? 0) + 1, beat: 1 };
  return undefined;
}

function isSameLease(found: HeldLease, other: HeldLease | undefined): boolean {
  return other !== undefined && found.holder === other.holder && found.beat === other.beat;
}

/** Throws when another holder has taken the lease since the fence was given. A store that lost its leases refuses nobody. */
export function requireFence(found: Pick<HeldLease, 'holder' | 'fence'> | undefined, fence: Fence | undefined): void {
  if (fence === undefined || found === undefined) return;
  if (found.holder === fence.holder && found.fence === fence.number) return;
  const { lease, number } = fence;
  throw new PersistError(
    'fenced',
    `another server holds the lease '${lease}': its fencing token is ${found.fence}, this write carries ${number}`,
  );
}
