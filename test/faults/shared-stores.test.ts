// Servers that share a Redis or a MongoDB by mistake: none takes, or destroys, the world of one that lives.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { STORES, stage } from './shared-store-stage.js';

for (const { name, counter, open } of STORES) {
  test(`${name}: a second server is refused while one lives there, and each folder goes on with its own world`, {
    timeout: 120000,
  }, async (t) => {
    const url = await open(t, 11);
    if (url === undefined) return;
    const { start, end } = stage(t, name, url);
    const first = await start('a');
    await first.untilCounter(counter, 1);
    const { worldId } = (await first.health()).recovery;
    const refused = new RegExp(`${name} is \\S+, but another server keeps its world there: process ${first.pid} on `);
    for (const how of ['auto', 'fresh']) {
      await assert.rejects(start('b', '--start', how), refused, how);
    }
    await end(first);

    // Nothing lives there, and a new world was asked for: it is written over what the first one has stored.
    const second = await start('b', '--start', 'fresh');
    assert.match(second.log(), /where another server kept its world: process \d+ on .*silent for 8 s/);
    const other = (await second.health()).recovery.worldId;
    assert.notEqual(other, worldId);
    await second.untilCounter(counter, 1);
    await assert.rejects(start('a'), /another server keeps its world there/);
    await end(second);

    const again = await start('a', '--start', 'resume');
    const found = (await again.health()).recovery;
    assert.equal(found.worldId, worldId, again.log());
    assert.ok(found.journalTick !== null, 'its journal is its own, however new the other one is');
    assert.match(found.skipped.join('\n'), new RegExp(`store keeps world ${other}, but .* is world ${worldId}`));
    // The same folder's next process waits for nobody.
    await end(again);
    const startMs = performance.now();
    const last = await start('a');
    assert.ok(performance.now() - startMs < 7000 || !/silent for/.test(last.log()), last.log());
    assert.doesNotMatch(last.log(), /another server/);
    assert.equal(await last.stop(), 0);
  });
}
