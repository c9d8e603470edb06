// Limits of the lease on a store and of the lock on a data folder.

import { assert } from '../../base/assert.js';

/** A lock file without a name in it is taken for one that is being written for this long. */
export const LOCK_SETTLE_MS = 2000;
/** A server shows those of other containers and hosts this often that it lives. */
export const LOCK_RENEW_MS = 500;
/** Without a sign of life for this long, it does not. */
export const LOCK_STALE_MS = 5000;
/** A server that has not renewed its lease for this long counts as gone: the next one waits so long after a kill. */
export const LEASE_TTL_MS = 8000;
/** Four renewals in a lease's time: a store may be away for 6 s before a running server loses its lease. */
export const LEASE_RENEW_MS = 2000;

assert(LOCK_STALE_MS >= 8 * LOCK_RENEW_MS, 'a server that is slow for a moment keeps its data folder');
assert(3 * LEASE_RENEW_MS < LEASE_TTL_MS, 'a lease outlasts two renewals that fail');
