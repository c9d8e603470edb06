#!/usr/bin/env node
// The command that plays a recorded session again, as fast as it can, and says whether it came out the same.

import { statSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as breathe } from 'node:timers/promises';
import { nowMs } from '../../base/clock.js';
import { JOURNAL_FOLDER } from '../../base/data-folder.js';
import { defaultSettings } from '../../config/setting-lookup.js';
import { type JournalSession, listSessions } from '../../durability/journal/journal-reader.js';
import { checkGame, readSessionInfo } from '../../durability/journal/journal-session.js';
import { type Divergence, type ReplaySummary, replaySession } from '../../durability/replay/session-replay.js';
import { planWorld } from '../../engine/plan/world-plan.js';
import { loadGame } from '../main/load-game.js';
import { type Fail, failAs, readArguments } from './arguments.js';
import { Progress } from './progress.js';

const HELP = `tessera replay [SESSION] [options], or npm run replay -- [SESSION] [options]

Plays what was recorded again, without clients and as fast as it can, and checks that it comes out as it was.
SESSION is a number from the list that is printed when none is given, or "latest".

  --data DIR    the data folder of the server that recorded it (default: data)
  --game MODULE the game to play it with (default: the one that the session names)
  --help        this text

Exit code: 0 it came out the same, 1 it did not or could not be played, 130 interrupted.
`;
const KIB = 1024;

const fail: Fail = failAs('replay', 1);

function sizeOf({ folder, segments }: JournalSession): number {
  return segments.reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
}

function list(sessions: readonly JournalSession[], folder: string): void {
  if (sessions.length === 0) {
    process.stdout.write(`no session is recorded in ${folder}\n`);
    return;
  }
  for (const session of sessions) {
    let what: string;
    try {
      const { startedAt, game, gameVersion, settings } = readSessionInfo(session);
      what = `${startedAt}  ${game} ${gameVersion}, ${settings.zoneColumns * settings.zoneRows} zones`;
    } catch (error) {
      what = (error as Error).message;
    }
    process.stdout.write(`${session.epoch}  ${what}  ${Math.ceil(sizeOf(session) / KIB)} KiB\n`);
  }
}

function describe(divergence: Divergence): string {
  const { zone, tick, agreedTick, entity, isByChance = false, later } = divergence;
  const what = `zone ${zone} differs at tick ${tick}, in ${describeField(divergence, isByChance)}; at tick ${agreedTick} it agreed`;
  if (isByChance) return `${what}; it comes out otherwise each time it is played`;
  if (entity !== undefined || later === undefined) return what;
  return `${what}; in the next whole state, of tick ${later.tick}, it is ${describeField(later, false)}`;
}

function describeField(
  { field, entity, values }: Pick<Divergence, 'field' | 'entity' | 'values'>,
  isByChance: boolean,
): string {
  const who = entity === undefined ? 'of several entities, or of none' : `of entity ${entity.id} (row ${entity.row})`;
  if (values === undefined) return `${field} ${who}`;
  const { before, now } = values;
  return `${field} ${who}: ${isByChance ? `${before} and ${now} in two runs` : `it was ${before} and came out as ${now}`}`;
}

function report(summary: ReplaySummary, tickHz: number, ms: number): void {
  const { ticks, hashes, states, events, divergences, gaps, ends } = summary;
  for (const gap of gaps) process.stdout.write(`${gap}\n`);
  for (const divergence of divergences) process.stdout.write(`${describe(divergence)}\n`);
  for (const { zone, tick, hash, entities } of ends) {
    process.stdout.write(`zone ${zone}: tick ${tick}, ${entities} entities, state ${hash}\n`);
  }
  const playedMs = ((ticks / Math.max(1, ends.length)) * 1000) / tickHz;
  process.stdout.write(
    `${ticks} zone ticks, ${(playedMs / 1000).toFixed(1)} s of play, in ${(ms / 1000).toFixed(2)} s ` +
      `(${(playedMs / Math.max(1, ms)).toFixed(1)} times real time); ` +
      `${hashes} hashes and ${states} whole states agreed, ${divergences.length} differed; ${events} events\n`,
  );
}

async function main(): Promise<void> {
  const { values, positionals } = readArguments(
    {
      allowPositionals: true,
      options: {
        data: { type: 'string', default: 'data' },
        game: { type: 'string' },
        help: { type: 'boolean', default: false },
      },
    },
    fail,
  );
  if (values.help) {
    process.stdout.write(HELP);
    return;
  }
  const folder = join(values.data, JOURNAL_FOLDER);
  const sessions = listSessions(folder);
  const [wanted] = positionals;
  if (positionals.length > 1) fail(`one session at a time: ${positionals.join(', ')}; --help says what there is`);
  if (wanted === undefined) {
    list(sessions, folder);
    return;
  }
  const session = wanted === 'latest' ? sessions[0] : sessions.find(({ epoch }) => String(epoch) === wanted);
  if (session === undefined) fail(`session is ${wanted}; recorded in ${folder}: ${namesOf(sessions)}`);
  await play(session, values.game);
}

function namesOf(sessions: readonly JournalSession[]): string {
  return sessions.length === 0 ? 'none' : sessions.map(({ epoch }) => epoch).join(', ');
}

async function play(session: JournalSession, gameName: string | undefined): Promise<void> {
  const info = readSessionInfo(session);
  const { game, code } = await loadGame(gameName ?? info.settings.game);
  const plan = planWorld({ ...defaultSettings(), ...info.settings, journalFlushMs: 0 }, game, 1, info.originMs);
  checkGame(info, game, plan.layout.hash);
  if (info.code === undefined) process.stdout.write('which code of the game recorded it was not stored\n');
  else if (info.code !== code.hash)
    process.stdout.write(`it was recorded under the code ${info.code}, and the code is ${code.hash} now\n`);
  let isInterrupted = false;
  process.once('SIGINT', () => {
    isInterrupted = true;
  });
  const startMs = nowMs();
  const progress = new Progress('replay', Math.ceil(sizeOf(session) / KIB));
  const summary = await replaySession(plan, game, session, async (bytes, tick) => {
    progress.update(Math.ceil(bytes / KIB), `KiB, tick ${tick}`);
    await breathe();
    return !isInterrupted;
  });
  progress.stop();
  report(summary, info.settings.tickHz, nowMs() - startMs);
  if (isInterrupted) process.exitCode = 130;
  else if (summary.divergences.length > 0 || summary.ends.length < plan.worlds.length) process.exitCode = 1;
}

await main().catch((error: Error) => fail(error.message));
