import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CommandLedger } from '../../../src/durability/commands/command-ledger.js';
import { PLATFORM_ANSWERS_KEPT_MS } from '../../../src/durability/commands/limits.js';
import { openEmbeddedColdStore } from '../../../src/stores/embedded/embedded-cold-store.js';
import { openMongoColdStore } from '../../../src/stores/mongodb/mongo-cold-store.js';
import type { ColdStore } from '../../../src/stores/store-ports.js';
import { openFolder, until } from '../../folder.js';
import { requireOrSkip } from '../../require.js';
import { findService, skipReason } from '../../services/running.js';

async function checkLedger(open: () => ColdStore): Promise<void> {
  const first = open();
  const ledger = new CommandLedger(first, assert.fail);
  const id = `ledger-${process.pid}-${Date.now()}`;
  assert.deepEqual(await ledger.find(id), { state: 'unknown' });
  assert.ok(await ledger.begin(id));
  assert.deepEqual(await ledger.find(id), { state: 'begun' });
  await ledger.answer(id, { reason: 'the player is dead' });
  await first.close();
  const second = open();
  const later = new CommandLedger(second, assert.fail);
  assert.deepEqual(await later.find(id), { state: 'answered', outcome: { reason: 'the player is dead' } });
  await later.sweep(Date.now());
  assert.equal((await later.find(id)).state, 'answered');
  await second.putRows('platform-commands', [{ key: `${id}-damaged`, value: Uint8Array.of(0xc1) }]);
  assert.deepEqual(await later.find(`${id}-damaged`), { state: 'begun' }, 'what cannot be read may have been done');
  assert.ok((await later.sweep(Date.now() + PLATFORM_ANSWERS_KEPT_MS + 1000)) >= 2);
  assert.deepEqual(await later.find(id), { state: 'unknown' });
  await second.close();
}

test('an answer is known to the next process, until it is too old to come again', async (t) => {
  const folder = openFolder(t);
  await checkLedger(() => openEmbeddedColdStore({ folder }));
});

test('the same in MongoDB', async (t) => {
  const url = findService('mongodb');
  if (!requireOrSkip(t, url !== undefined, skipReason('mongodb'))) return;
  const own = new URL(url as string);
  own.pathname = `/ledger${process.pid}`;
  await checkLedger(() => openMongoColdStore({ url: own.href }));
});

test('old answers are forgotten day by day, also where the store was away at the start', async (t) => {
  const store = openEmbeddedColdStore({ folder: openFolder(t) });
  t.after(() => store.close());
  let isAway = true;
  let looks = 0;
  const scanRows: ColdStore['scanRows'] = (...args) => {
    looks++;
    return isAway ? Promise.reject(new Error('the store is away')) : store.scanRows(...args);
  };
  const { getRows, putRows, deleteRows } = store;
  const ledger = new CommandLedger(
    { scanRows, getRows: getRows.bind(store), putRows: putRows.bind(store), deleteRows: deleteRows.bind(store) },
    assert.fail,
  );
  let nowMs = Date.now();
  await ledger.answer('first', { reason: '' });
  ledger.sweepDaily(() => nowMs, 20, 5);
  await until('it is tried again', () => looks > 2);
  isAway = false;
  assert.equal((await ledger.find('first')).state, 'answered');
  nowMs += PLATFORM_ANSWERS_KEPT_MS + 1000;
  await until('the first is forgotten', async () => (await ledger.find('first')).state === 'unknown');
  await ledger.answer('second', { reason: '' });
  nowMs += PLATFORM_ANSWERS_KEPT_MS;
  await until('so is the second', async () => (await ledger.find('second')).state === 'unknown');
  ledger.sweepDaily = () => {}; // the last one
});

test('a store that hangs is away after its deadline, and is told of once', async () => {
  const lines: string[] = [];
  const never = () => new Promise<never>(() => {});
  const store = { getRows: never, putRows: never, deleteRows: never, scanRows: never };
  const ledger = new CommandLedger(store, (line) => lines.push(line), 20);
  assert.deepEqual(await ledger.find('a'), { state: 'away' });
  assert.equal(await ledger.begin('a'), false);
  assert.equal(lines.length, 1);
});
