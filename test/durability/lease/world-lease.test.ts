import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type LeaseHolder,
  type LeasePlace,
  StoreTaken,
  WorldLease,
} from '../../../src/durability/lease/world-lease.js';
import { requireFence, settleClaim } from '../../../src/stores/lease-rules.js';
import { type HeldLease, PersistError } from '../../../src/stores/store-ports.js';
import { until } from '../../folder.js';

const TIMES = { ttlMs: 600, renewMs: 60 };

/** Where one lease lies, which several servers reach. */
class Place {
  lease: HeldLease | undefined;
  isAway = false;

  port(): LeasePlace {
    const call = async <T>(act: () => T): Promise<T> => {
      await sleep(1);
      if (this.isAway) throw new PersistError('unavailable', 'the store is away');
      return act();
    };
    return {
      setting: 'redis',
      url: 'redis://here:1',
      example: 'redis://host:port/1',
      store: {
        claimLease: (name, claim) =>
          call(() => {
            assert.equal(name, 'zones');
            this.lease = settleClaim(this.lease, claim) ?? (this.lease as HeldLease);
            return this.lease;
          }),
        releaseLease: (_, holder) =>
          call(() => {
            if (this.lease?.holder === holder) this.lease = { ...this.lease, holder: '' };
          }),
      },
    };
  }
}

interface Server {
  lease: WorldLease;
  said: string[];
}

function serve(t: TestContext, place: Place, server: string, folder: string = randomUUID()): Server {
  const holder: LeaseHolder = { folder, token: randomUUID(), worldId: randomUUID(), server };
  const said: string[] = [];
  const lease = new WorldLease(place.port(), holder, (line) => said.push(line), TIMES);
  t.after(() => lease.pause());
  return { lease, said };
}

test('the first server has the lease at once and keeps it; a second one is refused in a line that says who lives there', async (t) => {
  const place = new Place();
  const first = serve(t, place, 'first');
  await first.lease.acquire();
  assert.ok(first.lease.isHeld);
  const second = serve(t, place, 'second');
  await assert.rejects(second.lease.acquire(), (error: Error) => {
    assert.ok(error instanceof StoreTaken);
    assert.match(error.message, /^redis is redis:\/\/here:1, but another server keeps its world there: first, world /);
    assert.match(error.message, /a database of its own, such as redis:\/\/host:port\/1, or stop the other one$/);
    return true;
  });
  assert.throws(() => second.lease.require(), /redis:\/\/here:1 has the world of another server, first/);
  await sleep(TIMES.ttlMs);
  first.lease.require();
  assert.deepEqual(first.said, []);
});

test('a server that was killed is waited for, with a line; one that ended in order is not', async (t) => {
  const place = new Place();
  const killed = serve(t, place, 'killed');
  await killed.lease.acquire();
  killed.lease.pause();
  const next = serve(t, place, 'next');
  const start = performance.now();
  await next.lease.acquire();
  assert.ok(performance.now() - start >= TIMES.ttlMs);
  assert.deepEqual(next.said, [
    'redis is redis://here:1, where another server kept its world: killed; this one begins when that has been silent for 0.6 s',
  ]);
  assert.throws(
    () => serve(t, place, 'nobody').lease.require(),
    /has not confirmed for 600 ms that this server holds its lease/,
  );
  await next.lease.release();
  assert.equal(place.lease?.holder, '');
  assert.equal(next.lease.isHeld, false);
  const last = serve(t, place, 'last');
  await last.lease.acquire();
  assert.deepEqual(last.said, []);
});

test('the next process of the same data folder has it at once', async (t) => {
  const place = new Place();
  const folder = randomUUID();
  const killed = serve(t, place, 'killed', folder);
  await killed.lease.acquire();
  killed.lease.pause();
  const next = serve(t, place, 'next', folder);
  await next.lease.acquire();
  assert.deepEqual(next.said, []);
});

test('of two who find it free at once one has it', async (t) => {
  for (let round = 0; round < 10; round++) {
    const place = new Place();
    const both = [serve(t, place, 'a'), serve(t, place, 'b')];
    const outcomes = await Promise.allSettled(both.map(({ lease }) => lease.acquire()));
    const reasons = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []));
    assert.equal(reasons.length, 1);
    assert.ok(reasons[0] instanceof StoreTaken);
    assert.equal(both.filter(({ lease }) => lease.isHeld).length, 1);
    for (const { lease } of both) lease.pause();
  }
});

test('without an answer of the store a lease ends; who comes back to another one holds back, and says when it is over', async (t) => {
  const place = new Place();
  const first = serve(t, place, 'first');
  await first.lease.acquire();
  place.isAway = true;
  await until('it ends', () => !first.lease.isHeld);
  assert.throws(() => first.lease.require(), /has not confirmed for 600 ms that this server holds its lease/);
  first.lease.pause();
  place.isAway = false;
  const second = serve(t, place, 'second');
  await second.lease.acquire();
  first.lease.keep();
  await until('it is said', () => first.said.length === 1);
  assert.match(
    first.said[0],
    /another server keeps its world there: second; zone snapshots of this one are held back; /,
  );
  assert.ok(second.lease.isHeld && !first.lease.isHeld);
  await second.lease.release();
  await until('it is over', () => first.lease.isHeld && first.said.length === 2);
  assert.equal(first.said[1], 'redis://here:1 is free: zone snapshots go there again');
});

test('a store that does not answer at a start is an error of the store, and may be asked again', async (t) => {
  const place = new Place();
  place.isAway = true;
  const { lease } = serve(t, place, 'first');
  await assert.rejects(lease.acquire(), PersistError);
  place.isAway = false;
  await lease.acquire();
  assert.ok(lease.isHeld);
});

test('each holder has a higher fencing token, with which writes of the one before are refused', async (t) => {
  const place = new Place();
  const folder = randomUUID();
  const first = serve(t, place, 'first', folder);
  await first.lease.acquire();
  const old = first.lease.require();
  await sleep(3 * TIMES.renewMs);
  assert.deepEqual(first.lease.require(), old, 'a renewal keeps it');
  requireFence(place.lease, old);
  const second = serve(t, place, 'second', folder);
  await second.lease.acquire();
  const now = second.lease.require();
  assert.equal(now.number, old.number + 1);
  requireFence(place.lease, now);
  assert.throws(() => requireFence(place.lease, old), /its fencing token is 2, this write carries 1$/);
  await until('the first one knows', () => !first.lease.isHeld);
  assert.throws(() => first.lease.require(), /has the world of another server, second$/);
});

test('a server that is taken over does not take its lease back as a predecessor of itself', async (t) => {
  const place = new Place();
  const folder = randomUUID();
  const first = serve(t, place, 'first', folder);
  await first.lease.acquire();
  const second = serve(t, place, 'second', folder);
  await second.lease.acquire();
  await sleep(4 * TIMES.renewMs);
  assert.ok(second.lease.isHeld && !first.lease.isHeld);
});

test('a lease of which nothing can be read is a stranger, and is waited for', async (t) => {
  const place = new Place();
  place.lease = { holder: 'somebody', fence: 3, beat: 1, about: '{' };
  const { lease, said } = serve(t, place, 'next');
  await lease.acquire();
  assert.equal(lease.require().number, 4);
  assert.match(said.join(), /another server kept its world: one that says nothing of itself \(somebody\);/);
});

test('one renewal that a killed server had on its way does not make it alive', async (t) => {
  const place = new Place();
  const killed = serve(t, place, 'killed');
  await killed.lease.acquire();
  await killed.lease.pause();
  const next = serve(t, place, 'next');
  const acquired = next.lease.acquire();
  await until('it is watched', () => next.said.length > 0);
  const { lease } = place;
  if (lease !== undefined) place.lease = { ...lease, beat: lease.beat + 1 };
  await acquired;
  assert.ok(next.lease.isHeld);
});
