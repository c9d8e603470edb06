import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { encodeSession, SESSION_FILE, segmentName } from '../../../src/durability/journal/journal-file.js';
import { describeSession } from '../../../src/durability/journal/journal-session.js';
import type { WorldList } from '../../../src/durability/recovery/world-list.js';
import { coldId } from '../../../src/durability/snapshots/snapshotter.js';
import { damageHot, GAME, open, plan, stage, storeWorld, WORLD_ID } from '../../durability/recovery/world-stage.js';
import { openFolder } from '../../folder.js';

const COMMAND = fileURLToPath(new URL('../../../src/server/cli/worlds.js', import.meta.url));

function run(...args: string[]): Promise<{ code: number; out: string; complaint: string }> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [COMMAND, ...args], (_, out, complaint) => {
      resolve({ code: child.exitCode ?? -1, out, complaint });
    });
  });
}

test('it lists sessions, hot and cold snapshots, whole or damaged, as text and as JSON', async (t) => {
  const settings = stage(t);
  const { data } = settings;
  writeFileSync(join(data, 'world.json'), JSON.stringify({ worldId: WORLD_ID }));
  for (const tick of [100, 200]) await storeWorld(settings, 'cold', 5, tick * 1000, { worldId: WORLD_ID, tick });
  await storeWorld(settings, 'hot', 7, 300_000, { worldId: WORLD_ID, tick: 300 });
  const whole = await run('--data', data);
  assert.deepEqual([whole.code, whole.complaint], [0, '']);
  assert.match(whole.out, new RegExp(`^${data}: world ${WORLD_ID}$`, 'm'));
  assert.match(
    whole.out,
    /^hot snapshots, 2 zones\n {2}zone 0 {2}tick 300, taken 1970-01-01T00:05:00.000Z, \d+ KiB, whole$/m,
  );
  const choices = [...whole.out.matchAll(/--start cold:(\d+) {2}taken (\S+), 2 zones, whole/g)].map(([, tick, at]) => [
    tick,
    at,
  ]);
  assert.deepEqual(choices, [
    ['200', '1970-01-01T00:03:20.000Z'],
    ['100', '1970-01-01T00:01:40.000Z'],
  ]);

  await damageHot(settings, 1);
  const stores = open(settings);
  await stores.cold.save(coldId(1), {
    bytes: Buffer.from('no'),
    tick: 250,
    takenAtMs: 250_000,
    checksum: 'x',
    meta: { worldId: 'other' },
  });
  await stores.close();
  const session = describeSession(plan(settings, GAME), GAME);
  for (const [folder, ...numbers] of [
    ['7', 1, 3],
    ['kept/6', 1],
    ['5', 2],
  ] as const) {
    const path = join(data, 'journal', folder);
    mkdirSync(path, { recursive: true });
    for (const number of numbers) writeFileSync(join(path, segmentName(number)), '12345');
    if (folder !== '5') writeFileSync(join(path, SESSION_FILE), encodeSession({ ...session, epoch: 7 }));
  }
  const damaged = await run('--data', data, '--json');
  assert.equal(damaged.code, 1);
  const list = JSON.parse(damaged.out) as WorldList;
  assert.deepEqual(
    list.hot.map(({ zone, tick, damage }) => [zone, tick, damage]),
    [
      [0, 300, ''],
      [1, 0, 'its checksum does not match'],
    ],
  );
  assert.deepEqual(
    list.cold.map(({ tick, zones }) => [tick, zones.length, zones.every((zone) => zone.damage === '')]),
    [
      [250, 1, false],
      [200, 2, true],
      [100, 2, true],
    ],
  );
  assert.deepEqual(
    list.journal.map(({ session: epoch, isKept, segments, missing, bytes, damage }) => [
      epoch,
      isKept,
      segments,
      missing,
      bytes,
      damage,
    ]),
    [
      [7, false, 2, ['000002.journal'], 10, ''],
      [5, false, 1, [], 5, 'its session.json cannot be read'],
      [6, true, 1, [], 5, ''],
    ],
  );
  const text = (await run('--data', data)).out;
  assert.match(
    text,
    /^ {2}zone 1 {2}tick 0, taken at an unknown time, \d+ KiB, damaged: its checksum does not match$/m,
  );
  assert.match(
    text,
    /--start cold:250 .* 1 zone, 1 of 1 zones damaged\n {4}zone 1 .*damaged: .*checksum.*, of world other$/m,
  );
  assert.match(text, /^ {2}6 .*1 segment, 1 KiB, kept aside when a start went back$/m);
  assert.match(text, /^ {2}7 {2}coins \d+, began \S+, last written \S+, 2 segments, 1 KiB, missing: 000002.journal$/m);
});

test('a folder that is none, or a setting that cannot be, is named with exit code 2', async (t) => {
  const folder = openFolder(t);
  for (const [args, complaint] of [
    [['--data', join(folder, 'gone')], /^worlds: data is \S+gone, and there is nothing in it; /],
    [
      ['--data', folder, '--redis', 'localhost'],
      /^worlds: redis is "localhost"; allowed: redis:\/\/host:port, or nothing$/m,
    ],
    [['--nothing'], /^worlds: Unknown option '--nothing'.*; --help says what there is/],
  ] as const) {
    const { code, complaint: found } = await run(...args);
    assert.equal(code, 2);
    assert.match(found, complaint);
  }
  writeFileSync(join(folder, 'file'), '');
  assert.match((await run('--data', folder)).complaint, /which has no stores in it/);
  rmSync(join(folder, 'file'));
  assert.match((await run('--help')).out, /--start cold:TICK/);
});
