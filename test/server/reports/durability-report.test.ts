import assert from 'node:assert/strict';
import { test } from 'node:test';
import arena from '../../../src/games/arena/game.js';
import { IoCounters } from '../../../src/memory/tables/io-counters.js';
import { COUNTERS } from '../../../src/memory/tables/zone-counters.js';
import { WorldBuffer } from '../../../src/memory/world/world-buffer.js';
import { Metrics } from '../../../src/net/http/metrics.js';
import { DurabilityReport } from '../../../src/server/reports/durability-report.js';
import type { BackendState, IoStatus, JournalState } from '../../../src/server/threads/io-status.js';
import { HeadlessWorld } from '../../../src/testing/headless-world.js';

const NOW_MS = 100000;

interface Told {
  journal: JournalState;
  hot: BackendState;
  cold: BackendState;
  isLeaseHeld: boolean;
}

function status({ journal, hot, cold, isLeaseHeld }: Told): IoStatus {
  const backend = (port: 'log' | 'hot' | 'cold', state: BackendState) => ({
    ...{ port, backend: `${port} store`, state, sinceMs: NOW_MS - 2500 },
    ...{ failures: state === 'down' ? 3 : 0, lastError: state === 'down' ? `${port} is gone` : '' },
  });
  return {
    backends: [backend('log', 'up'), backend('hot', hot), backend('cold', cold)],
    journal: { state: journal, sinceMs: NOW_MS - 1000 },
    leases: [{ store: 'cold', isHeld: isLeaseHeld, problem: isLeaseHeld ? '' : 'another server has it' }],
    hasSpool: true,
  };
}

const WELL: Told = { journal: 'written', hot: 'up', cold: 'up', isLeaseHeld: true };

function stage(): { report: DurabilityReport; io: IoCounters; world: HeadlessWorld } {
  const world = new HeadlessWorld(arena, { zoneColumns: 2, zoneRows: 1 });
  const { plan } = world;
  return { report: new DurabilityReport(plan, () => NOW_MS), io: new IoCounters(plan.io), world };
}

test('a server is not ready when neither the journal nor any store takes the world', () => {
  const { report } = stage();
  const reasons = (told: Partial<Told>): string[] => {
    report.hear(status({ ...WELL, ...told }));
    return report.unreadyReasons();
  };
  assert.deepEqual(report.unreadyReasons(), [], 'nothing is known before the I/O thread has begun');
  assert.deepEqual(reasons({}), []);
  assert.deepEqual(reasons({ hot: 'down', cold: 'down' }), [], 'the journal keeps it');
  assert.deepEqual(reasons({ journal: 'failing' }), []);
  assert.deepEqual(reasons({ journal: 'failing', hot: 'down' }), [], 'the cold store keeps it');
  assert.deepEqual(reasons({ journal: 'off', hot: 'slow', cold: 'down' }), [], 'what is slow may answer yet');
  const none = 'the world is not kept: the journal is failing, and no store takes it: hot store: hot is gone; ';
  assert.deepEqual(reasons({ journal: 'failing', hot: 'down', cold: 'down' }), [`${none}cold store: cold is gone`]);
  assert.deepEqual(reasons({ journal: 'failing', hot: 'down', isLeaseHeld: false }), [`${none}another server has it`]);
});

test('health says of each backend its state and for how long, and how old the copies of each zone are', () => {
  const { report, io, world } = stage();
  io.hotTakenMs[1] = NOW_MS - 4000;
  io.coldTakenMs[1] = NOW_MS - 61000;
  io.set('spoolEvents', 7);
  io.set('spoolBytes', 700);
  io.set('spoolSinceMs', NOW_MS - 3000);
  io.set('journalWrittenMs', NOW_MS - 50);
  io.set('eventsAppended', 11);
  io.addLoss('spool_full', 5);
  const { plan } = world;
  new WorldBuffer(plan.worlds[0], plan.layout).counters[COUNTERS.indexOf('eventsDropped')] = 2;
  report.hear(status({ ...WELL, hot: 'down' }));
  const health = report.health();
  assert.deepEqual(health.backends[1], {
    ...{ port: 'hot', backend: 'hot store', state: 'down', seconds: 2.5 },
    ...{ failures: 3, lastError: 'hot is gone' },
  });
  assert.deepEqual(health.journal, { state: 'written', seconds: 1, ageSeconds: 0.05 });
  assert.deepEqual(health.spool, { isOpen: true, events: 7, bytes: 700, ageSeconds: 3 });
  assert.deepEqual(health.snapshots, [
    { zone: 0, hotAgeSeconds: undefined, coldAgeSeconds: undefined },
    { zone: 1, hotAgeSeconds: 4, coldAgeSeconds: 61 },
  ]);
  assert.equal(health.events.appended, 11);
  assert.deepEqual([health.events.lost.spool_full, health.events.lost.ring_full, health.events.lost.stop], [5, 2, 0]);
});

test('the metrics page has states as ones and zeros, and no age of what was never taken', async () => {
  const { report, io } = stage();
  const [before, metrics] = [new Metrics(), new Metrics()]; // a page is served from memory for a while
  report.register(before, ['moved', 'died']);
  assert.doesNotMatch(await before.text(), /^tessera_backend_state\{/m);
  report.register(metrics, ['moved', 'died']);
  io.hotTakenMs[1] = NOW_MS - 4000;
  io.eventTypes[1] = 9;
  io.eventTypesDropped[1] = 4;
  io.addLoss('refused', 4);
  io.set('journalWrittenMs', NOW_MS - 50);
  report.hear(status({ ...WELL, cold: 'slow', isLeaseHeld: false }));
  const text = await metrics.text();
  for (const line of [
    'tessera_backend_state{port="cold",backend="cold store",state="slow"} 1',
    'tessera_backend_state{port="cold",backend="cold store",state="up"} 0',
    'tessera_backend_state{port="log",backend="log store",state="up"} 1',
    'tessera_backend_state_seconds{port="cold",backend="cold store"} 2.5',
    'tessera_backend_failures_total{port="hot",backend="hot store"} 0',
    'tessera_lease_held{store="cold"} 0',
    'tessera_journal_state{state="written"} 1',
    'tessera_journal_state{state="failing"} 0',
    'tessera_snapshot_age_seconds{store="hot",zone="1"} 4',
    'tessera_journal_age_seconds 0.05',
    'tessera_spool_age_seconds 0',
    'tessera_events_total{type="died"} 9',
    'tessera_events_lost_total{type="died"} 4',
    'tessera_events_lost_by_reason_total{reason="refused"} 4',
    'tessera_io_spool_bytes 0',
    'tessera_io_events_appended_total 0',
  ])
    assert.ok(text.includes(`${line}\n`), line);
  assert.doesNotMatch(text, /tessera_snapshot_age_seconds\{store="hot",zone="0"/);
  assert.doesNotMatch(text, /tessera_io_(spool_since|journal_written)/);
  report.hear(status({ ...WELL, journal: 'off' }));
  const after = new Metrics();
  report.register(after, ['moved', 'died']);
  assert.ok((await after.text()).includes('tessera_journal_age_seconds 0\n'), 'without a journal there is no age');
});
