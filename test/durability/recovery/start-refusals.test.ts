// A world that exists is never given up unless it is asked for.

import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { JOURNAL_FOLDER } from '../../../src/base/data-folder.js';
import { DEFAULTS, type Settings } from '../../../src/config/settings.js';
import { SEGMENT_SUFFIX } from '../../../src/durability/journal/journal-file.js';
import { hotKey } from '../../../src/durability/snapshots/snapshotter.js';
import { openFolder } from '../../folder.js';
import {
  damageHot,
  GAME,
  gameWith,
  open,
  openSilent,
  recover,
  settingsOf,
  stage,
  storeWorld,
  WORLD_ID,
} from './world-stage.js';

const WAYS_ON =
  /mend that, .*npm run worlds.*--start cold:TICK.*or use --start fresh to begin a new world in its place$/;

test('a world begins by itself only where there is none at all', async (t) => {
  const settings = stage(t);
  const { report } = await recover(settings, GAME);
  assert.deepEqual([report.source, report.skipped], ['initial', []]);
  await assert.rejects(recover({ ...settings, start: 'cold:9' }, GAME), /at or before that tick: there are none; /);
  for (const start of ['resume', 'salvage'] as const) {
    await assert.rejects(recover({ ...settings, start }, GAME), ({ message }: Error) => {
      assert.ok(
        message.startsWith(`start is ${start}, but nothing is stored of a world in ${settings.data}; `),
        message,
      );
      return true;
    });
  }
});

test('a world whose snapshots are all damaged is refused, and begins anew only where that was asked for', async (t) => {
  const settings = stage(t);
  await storeWorld(settings, 'hot', 7, 1000);
  for (const zone of [0, 1]) await damageHot(settings, zone);
  for (const start of ['auto', 'resume', 'salvage'] as const) {
    await assert.rejects(recover({ ...settings, start }, GAME), ({ message }: Error) => {
      assert.match(
        message,
        /nothing that is left of it can be used: the hot snapshot of zone 0: its checksum does not match; /,
      );
      assert.match(message, WAYS_ON);
      assert.ok(!message.includes('\n'));
      return true;
    });
  }
  assert.equal((await recover({ ...settings, start: 'fresh' }, GAME)).report.source, 'initial');
});

test('a damaged journal alone is a world as well', async (t) => {
  const settings = stage(t);
  const folder = join(settings.data, JOURNAL_FOLDER, '5');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `1${SEGMENT_SUFFIX}`), '');
  await assert.rejects(
    recover(settings, GAME),
    /can be used: the journal of session 5: its session.json cannot be read; .*--start fresh/,
  );
});

test('a world that does not fit the game is refused, not given up', async (t) => {
  const settings = stage(t);
  await storeWorld(settings, 'hot', 300, 1000);
  const narrow = gameWith({ score: { type: 'u8' } });
  for (const start of ['auto', 'resume'] as const) {
    await assert.rejects(
      recover({ ...settings, start }, narrow),
      /can be used: the hot snapshot of zone \d: column score was u16 and is u8 now/,
    );
  }
});

test('a zone of which nothing can be had is refused with the reason, and begins empty only with salvage', async (t) => {
  const settings = stage(t);
  await storeWorld(settings, 'hot', 7, 1000);
  await damageHot(settings, 1);
  for (const start of ['auto', 'resume'] as const) {
    await assert.rejects(recover({ ...settings, start }, GAME), ({ message }: Error) => {
      assert.match(
        message,
        /: of zone 1 there is nothing to begin from: the hot snapshot of zone 1: its checksum does not match; /,
      );
      assert.match(message, /use --start salvage to let that zone begin empty/);
      return true;
    });
  }
  const stores = open(settings);
  await stores.hot.delete([hotKey(1)]);
  await stores.close();
  await assert.rejects(recover(settings, GAME), /of zone 1 there is nothing to begin from: nothing is stored of it; /);
  const { report, cells } = await recover({ ...settings, start: 'salvage' }, GAME);
  assert.equal(report.source, 'hot');
  assert.deepEqual(cells('score'), [7, 0]);

  await storeWorld(settings, 'cold', 5, 500);
  assert.deepEqual((await recover(settings, GAME)).cells('score'), [7, 5]);
});

test('a zone that does not fit the game is named with the column', async (t) => {
  const settings = stage(t);
  await storeWorld(settings, 'hot', 7, 1000);
  await storeWorld(settings, 'hot', 300, 2000, { worldId: WORLD_ID, zones: [1] });
  await assert.rejects(
    recover(settings, gameWith({ score: { type: 'u8' } })),
    /of zone 1 there is nothing to begin from: it does not fit the game: column score was u16 and is u8 now/,
  );
});

test('a world of other settings is refused, each of them named with both values', async (t) => {
  const settings = stage(t);
  await storeWorld(settings, 'hot', 1, 1000);
  for (const [changed, difference] of [
    [{ entitiesPerZone: 512 }, '--entities-per-zone is 256 there and 512 here'],
    [{ entitiesPerZone: 8192 }, '--entities-per-zone is 256 there and 8192 here'],
    [{ entitiesPerZone: 128 }, '--entities-per-zone is 256 there and 128 here'],
    [{ zoneColumns: 1, zoneRows: 2 }, '--zones is 2x1 there and 1x2 here'],
    [{ zoneRows: 2 }, '--zones is 2x1 there and 2x2 here'],
    [{ worldWidth: 512 }, '--world is 256x128 there and 512x128 here'],
    [{ worldHeight: 64 }, '--world is 256x128 there and 256x64 here'],
    [{ cellSize: 32 }, '--cell-size is 0 there and 32 here'],
    [{ bots: 3, seed: 3 }, '--seed is 1 there and 3 here, --bots is 0 there and 3 here'],
  ] as const) {
    for (const start of ['auto', 'resume', 'salvage', 'cold:9'] as const) {
      if (start === 'cold:9') await storeWorld(settings, 'cold', 1, 1000);
      await assert.rejects(recover({ ...settings, ...changed, start }, GAME), ({ message }: Error) => {
        const line = `the world ${WORLD_ID} in ${settings.data} was made with other settings: ${difference}; start with the settings of that world`;
        assert.ok(message.startsWith(line), message);
        return message.endsWith('or use --start fresh to begin a new world in its place');
      });
    }
  }
  assert.equal((await recover({ ...settings, bots: 3, start: 'fresh' }, GAME)).report.source, 'initial');
  const otherGame = { ...GAME, name: 'chess' };
  await assert.rejects(recover(settings, otherGame), /--game is coins there and chess here/);
});

test('a large zone is named by its setting too, whose mirrored rows are a quarter', async (t) => {
  const settings = settingsOf(openFolder(t), { entitiesPerZone: 10000 });
  await storeWorld(settings, 'hot', 1, 1000);
  await assert.rejects(
    recover({ ...settings, entitiesPerZone: 20000 }, GAME),
    // Up to the next multiple of 64.
    /--entities-per-zone is 10048 there and 20032 here/,
  );
});

test('where a store is silent and nothing else knows of a world, none begins in the place of what it may keep', async (t) => {
  const settings = stage(t);
  await storeWorld(settings, 'hot', 77, 1000);
  const silent = { open: openSilent(Infinity), waitMs: 300 };
  for (const start of ['auto', 'resume', 'salvage'] as const) {
    await assert.rejects(
      recover({ ...settings, start }, GAME, silent),
      /cannot be told: .*no connection to redis:6379, and \S+ has no journal of one; .*--start fresh/,
    );
  }
  assert.equal((await recover({ ...settings, start: 'fresh' }, GAME, silent)).report.source, 'initial');
});

test('the refusal of a start says of a journal that it cannot be used, not that there is none', async (t) => {
  const settings: Settings = stage(t);
  const folder = join(settings.data, JOURNAL_FOLDER, '5');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `1${SEGMENT_SUFFIX}`), '');
  await assert.rejects(
    recover(settings, GAME, { open: openSilent(Infinity), waitMs: 300 }),
    /no connection to redis:6379, and the journal in .* cannot be used: the journal of session 5: .*--start fresh/,
  );
});

test('a world whose ticks come near to the end of their numbers is refused in one line, in good time', async (t) => {
  const last = 2 ** 31 - 7 * 24 * 3600 * DEFAULTS.tickHz;
  for (const tick of [last, last + 1, 2 ** 31 - 1, 2 ** 31 + 5]) {
    const settings = stage(t);
    await storeWorld(settings, 'hot', 7, 1000, { worldId: WORLD_ID, tick });
    if (tick === last) {
      assert.equal((await recover(settings, GAME)).report.snapshotTick, last);
      continue;
    }
    for (const start of ['auto', 'resume'] as const) {
      await assert.rejects(recover({ ...settings, start }, GAME), ({ message }: Error) => {
        assert.ok(message.startsWith(`the world in ${settings.data} is ${tick} ticks old`), message);
        assert.match(message, /it can be begun up to 2111195648.*--start fresh/);
        return true;
      });
    }
    assert.equal((await recover({ ...settings, start: 'fresh' }, GAME)).report.source, 'initial');
  }
});
