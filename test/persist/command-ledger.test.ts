import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PLATFORM_ANSWERS_KEPT_MS } from '../../src/constants.js';
import { CommandLedger } from '../../src/persist/command-ledger.js';
import { openEmbeddedColdStore } from '../../src/persist/embedded-cold-store.js';
import { openMongoColdStore } from '../../src/persist/mongo-cold-store.js';
import type { ColdStore } from '../../src/persist/ports.js';
import { requireOrSkip } from '../require.js';
import { findService, skipReason } from '../services/running.js';
import { openFolder } from './folder.js';

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

test('a store that hangs is away after its deadline, and is told of once', async () => {
  const lines: string[] = [];
  const never = () => new Promise<never>(() => {});
  const store = { getRows: never, putRows: never, deleteRows: never, scanRows: never };
  const ledger = new CommandLedger(store, (line) => lines.push(line), 20);
  assert.deepEqual(await ledger.find('a'), { state: 'away' });
  assert.equal(await ledger.begin('a'), false);
  assert.equal(lines.length, 1);
});
