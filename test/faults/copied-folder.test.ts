// A copy of a data folder beside its original, on one Redis or MongoDB: it is refused, and cannot replace the original's journal.

import assert from 'node:assert/strict';
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { folder, STORES, stage } from './shared-store-stage.js';

for (const { name, counter, open } of STORES) {
  test(`${name}: a copy of a data folder is refused beside the original, and cannot replace its journal later`, {
    timeout: 120000,
  }, async (t) => {
    const url = await open(t, 12);
    if (url === undefined) return;
    const { start, end } = stage(t, name, url);
    const path = (data: string): string => join(folder, name, data);
    const first = await start('original');
    await first.untilCounter(counter, 1);
    const { worldId } = (await first.health()).recovery;
    await end(first);
    cpSync(path('original'), path('copy'), { recursive: true });
    const second = await start('original');
    await second.untilCounter(counter, 1);
    await assert.rejects(start('copy'), new RegExp(`another server keeps its world there: process ${second.pid} on `));
    await end(second);

    const copy = await start('copy');
    await copy.untilCounter(counter, 2);
    assert.equal((await copy.health()).recovery.worldId, worldId);
    await end(copy);

    const again = await start('original', '--start', 'resume');
    const found = (await again.health()).recovery;
    assert.equal(found.worldId, worldId);
    assert.ok(found.journalTick !== null, again.log());
    const own = /store has a snapshot of tick \d+ that a server on a copy of \S+ wrote .*: it is passed over/;
    assert.match(found.skipped.join('\n'), own, again.log());
  });
}
