// Recordings of real servers, and what npm run replay says of them.

import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { createRandom } from '../../../src/base/chance.js';
import { DEFAULTS } from '../../../src/config/settings.js';
import { formEvent } from '../../../src/durability/events/event-form.js';
import { decodeSession, encodeSession } from '../../../src/durability/journal/journal-file.js';
import { listSessions, readSegment } from '../../../src/durability/journal/journal-reader.js';
import { readSessionInfo } from '../../../src/durability/journal/journal-session.js';
import { recordsAfter } from '../../../src/durability/recovery/journal-recovery.js';
import { fillZone } from '../../../src/durability/recovery/world-fill.js';
import { decodeZone } from '../../../src/durability/snapshots/zone-snapshot.js';
import { planWorld } from '../../../src/engine/plan/world-plan.js';
import { ZoneReplay } from '../../../src/engine/replay/zone-replay.js';
import type { GameDefinition } from '../../../src/game/definition.js';
import arena from '../../../src/games/arena/game.js';
import { WorldBuffer } from '../../../src/memory/world/world-buffer.js';
import { readEvents } from '../../faults/drill/drill-log.js';
import { DrillPlayer } from '../../faults/drill/drill-player.js';
import { startServer } from '../../server.js';

const REPLAY = fileURLToPath(new URL('../../../src/server/cli/replay.js', import.meta.url));
const DRIFTING = fileURLToPath(new URL('../../faults/games/drifting-game.js', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'tessera-replay-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const game = arena as unknown as GameDefinition;

interface Outcome {
  code: number;
  out: string;
  err: string;
}

function replay(args: readonly string[], env: Record<string, string> = {}): Promise<Outcome> {
  return new Promise((resolve) => {
    execFile(process.execPath, [REPLAY, ...args], { env: { ...process.env, ...env } }, (error, out, err) =>
      resolve({ code: Number(error?.code ?? 0), out, err }),
    );
  });
}

/** A server on which clients move and shoot, bots cross borders, and a tick thread is killed in between. */
async function recordArena(data: string): Promise<void> {
  const flags = ['--zones', '2x2', '--world', '128x128', '--bots', '120', '--threads', '2', '--view-radius', '12'];
  const server = await startServer(['--data', data, '--hash-every-ticks', '20', ...flags]);
  const random = createRandom(1);
  const players = Array.from({ length: 8 }, (_, i) => new DrillPlayer(`p${i}`, random));
  await Promise.all(players.map((player) => player.join(server.wsUrl)));
  await sleep(1200);
  process.kill(server.pid, 'SIGUSR2');
  await sleep(1200);
  for (const player of players) player.leave();
  await sleep(200);
  assert.match(server.log(), /tick thread replaced/);
  assert.equal(await server.stop(), 0);
}

async function recordDrifting(data: string): Promise<void> {
  const flags = ['--game', DRIFTING, '--zones', '1x1', '--world', '64x64', '--bots', '5'];
  const server = await startServer(['--data', data, '--hash-every-ticks', '1', ...flags]);
  await sleep(2500);
  assert.equal(await server.stop(), 0);
}

function states(out: string): string[] {
  return out.split('\n').filter((line) => /^zone \d+: tick \d+, \d+ entities, state [0-9a-f]{8}$/.test(line));
}

test('a recording comes out the same, twice, and its events have the names that the log has', async () => {
  const data = join(folder, 'arena');
  await recordArena(data);
  const [first, second] = [await replay(['latest', '--data', data]), await replay(['latest', '--data', data])];
  assert.equal(first.code, 0, first.out + first.err);
  assert.equal(states(first.out).length, 4, first.out);
  assert.deepEqual(states(second.out), states(first.out));
  const said =
    /(\d+) zone ticks, [\d.]+ s of play, .* (\d+) hashes and \d+ whole states agreed, 0 differed; (\d+) events/;
  const [, ticks, hashes, events] = said.exec(first.out)?.map(Number) ?? [];
  assert.ok(ticks > 4 * 100, first.out);
  assert.ok(hashes > 4 * 5, first.out);

  const [session] = listSessions(join(data, 'journal'));
  const list = await replay(['--data', data]);
  assert.match(list.out, new RegExp(`^${session.epoch}  \\S+  arena \\d+, 4 zones  \\d+ KiB$`, 'm'));
  assert.equal((await replay([String(session.epoch), '--data', data])).code, 0);

  const logged = new Map((await readEvents(data)).map(({ eventId, hash }) => [eventId, hash]));
  const formed = formAgain(data);
  assert.equal(formed.size, events);
  assert.ok(events > 50, `${events} events`);
  assert.deepEqual([...formed].sort(), [...logged].sort());
});

/** The events of a replay in their outward form: a hash of each by its id. */
function formAgain(data: string): Map<string, string> {
  const [session] = listSessions(join(data, 'journal'));
  const info = readSessionInfo(session);
  const plan = planWorld({ ...DEFAULTS, ...info.settings }, game, 1, info.originMs);
  const segments = session.segments.map((name) => readSegment(session, name));
  const { events: names, eventForms: forms = {} } = game;
  const context = { names, forms, epoch: info.epoch, originMs: info.originMs, tickHz: info.settings.tickHz };
  const formed = new Map<string, string>();
  for (const bytes of segments[0].bases) {
    const base = decodeZone(bytes);
    const { zone } = base.header;
    fillZone(new WorldBuffer(plan.worlds[zone], plan.layout), base);
    const again = new ZoneReplay(plan, zone, game, {
      onEvent: (view, offset) => {
        const { value } = formEvent(view, offset, context);
        const eventId = /\d+-\d+-\d+-\d+/.exec(Buffer.from(value).toString('latin1'))?.[0] ?? '';
        formed.set(eventId, createHash('sha1').update(value).digest('base64'));
      },
    });
    const records = segments.flatMap((segment) => segment.records.filter((record) => record.zone === zone));
    for (const record of recordsAfter(records, 0)) again.runTick(record.bytes);
  }
  return formed;
}

test('a game that does otherwise than it did is named by tick, entity and field', async () => {
  const data = join(folder, 'drifting');
  await recordDrifting(data);
  const whole = await replay(['latest', '--data', data]);
  assert.equal(whole.code, 0, whole.out + whole.err);
  const { code, out } = await replay(['latest', '--data', data], { DRIFT_TICK: '60' });
  assert.equal(code, 1);
  assert.match(
    out,
    /^zone 0 differs at tick 60, in luck of entity 1 \(row 1\): it was 0 and came out as 0\.5; at tick 59 it agreed$/m,
  );
  assert.match(out, /1 differed/);
});

test('where many entities come out otherwise, the first is named, with both values and the tick', async () => {
  const data = join(folder, 'drifting');
  const { code, out } = await replay(['latest', '--data', data], { DRIFT_TICK: '60', DRIFT: 'luck' });
  assert.equal(code, 1);
  assert.match(
    out,
    /^zone 0 differs at tick 60, in luck of entity 0 \(row 0\): it was 0 and came out as 0\.5; at tick 59 it agreed$/m,
  );
});

test('a game that does otherwise each time is said to, with the tick and two of its values', async () => {
  const data = join(folder, 'drifting');
  const { code, out } = await replay(['latest', '--data', data], { DRIFT_TICK: '60', DRIFT: 'chance' });
  assert.equal(code, 1);
  assert.match(
    out,
    /^zone 0 differs at tick 60, in luck of entity 2 \(row 2\): 0\.\d+ and 0\.\d+ in two runs; at tick 59 it agreed; it comes out/m,
  );
});

test('Ctrl-C ends a replay with what it has seen', async () => {
  const data = join(folder, 'drifting');
  const child = spawn(process.execPath, [REPLAY, 'latest', '--data', data], {
    env: { ...process.env, SPIN_MS: '20' },
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      if (text === '') child.kill('SIGINT');
      text += chunk;
    });
  }
  const code = await new Promise((resolve) => child.once('close', resolve));
  assert.equal(code, 130, text);
  assert.match(text, /\d+ zone ticks/);
});

test('what cannot be played is said in one line', async () => {
  const data = join(folder, 'drifting');
  const other = join(folder, 'other');
  cpSync(data, other, { recursive: true });
  const [session] = listSessions(join(other, 'journal'));
  const file = join(session.folder, 'session.json');
  const info = decodeSession(readFileSync(file, 'utf8'));
  const edit = (change: object) => writeFileSync(file, encodeSession({ ...info, ...change }));
  const lines: [readonly string[], RegExp][] = [
    [['12345', '--data', data], /^replay: session is 12345; recorded in .*journal: \d+$/],
    [['latest', '--data', join(folder, 'nowhere')], /^replay: session is latest; recorded in .*nowhere.*: none$/],
    [
      ['latest', 'oldest', '--data', data],
      /^replay: one session at a time: latest, oldest; --help says what there is$/,
    ],
    [['--dat', data], /^replay: Unknown option '--dat'.*; --help says what there is$/],
    [['latest', '--data', data, '--game', './none.js'], /^replay: --game '\.\/none\.js' cannot be loaded: /],
    [
      ['latest', '--data', data, '--game', 'arena'],
      /^replay: it was written by drifting 1, and the game is arena \d+ now$/,
    ],
  ];
  for (const [args, expected] of lines) {
    const { code, out, err } = await replay(args);
    assert.equal(code, 1, args.join(' '));
    assert.equal(out, '');
    assert.match(err.trimEnd(), expected);
  }
  edit({ gameVersion: 9 });
  assert.match((await replay(['latest', '--data', other])).err, /written by drifting 9/);
  edit({ settings: { game: DRIFTING } });
  assert.match((await replay(['latest', '--data', other])).err, /its session\.json lacks seed/);
  writeFileSync(file, '');
  assert.match((await replay(['latest', '--data', other])).err, /its session\.json cannot be read/);
  assert.match((await replay(['--data', other])).out, /its session\.json cannot be read/);
  const empty = await replay(['--data', join(folder, 'nowhere')]);
  assert.deepEqual([empty.code, empty.err], [0, '']);
  assert.match(empty.out, /^no session is recorded in /);
  assert.match((await replay(['--help'])).out, /npm run replay -- \[SESSION\]/);
});
