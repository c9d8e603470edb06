import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pack, unpack } from 'msgpackr';
import { createRandom } from '../../../src/base/chance.js';
import type { Reloaded } from '../../../src/config/live-reload.js';
import { BanBook } from '../../../src/durability/commands/ban-book.js';
import { CommandLedger } from '../../../src/durability/commands/command-ledger.js';
import {
  BAN_MINUTES_MAX,
  BANS_MAX,
  PLATFORM_COMMAND_BYTES_MAX,
  PLATFORM_IDS_KEPT,
} from '../../../src/durability/commands/limits.js';
import {
  decodeCommand,
  type Outcome,
  type PlatformAction,
  type PlatformCommand,
} from '../../../src/durability/commands/platform-commands.js';
import { PLATFORM_TOPIC, PlatformDesk } from '../../../src/durability/commands/platform-desk.js';
import { EVENT_TOPICS } from '../../../src/durability/events/event-form.js';
import { GRANT_AMOUNT_MAX } from '../../../src/game/limits.js';
import { IoCounters } from '../../../src/memory/tables/io-counters.js';
import { BanList, plainAddress } from '../../../src/net/auth/bans.js';
import { NAME_BYTES_MAX, NOTICE_BYTES_MAX } from '../../../src/protocol/limits.js';
import { PlatformActions } from '../../../src/server/main/platform-actions.js';
import { openEmbeddedEventLog } from '../../../src/stores/embedded/embedded-event-log.js';
import type { ColdRow, EventLog } from '../../../src/stores/store-ports.js';
import { openFolder, until } from '../../folder.js';

const SEED = 71;

function read(map: object): PlatformAction | string {
  const checked = decodeCommand(pack({ commandId: 'c1', ...map }));
  return checked.ok ? checked.action : checked.reason;
}

test('commands of every type are read, with what they leave out', () => {
  assert.deepEqual(read({ type: 'kick', clientId: 7 }), { type: 'kick', clientId: 7, name: '', text: '' });
  assert.deepEqual(read({ type: 'kick', name: 'Eve', text: 'bye' }), {
    type: 'kick',
    clientId: -1,
    name: 'Eve',
    text: 'bye',
  });
  const ban = { type: 'ban', name: '', minutes: 5, text: '' };
  assert.deepEqual(read({ type: 'ban', address: '10.0.0.1', minutes: 5 }), { ...ban, address: '10.0.0.1' });
  assert.deepEqual(read({ type: 'ban', address: '2001:DB8:0::1', minutes: 5 }), { ...ban, address: '2001:db8::1' });
  assert.deepEqual(read({ type: 'broadcast', text: 'x'.repeat(NOTICE_BYTES_MAX) }), {
    type: 'broadcast',
    text: 'x'.repeat(NOTICE_BYTES_MAX),
  });
  assert.deepEqual(read({ type: 'drain' }), { type: 'drain', text: '' });
  const grant = { type: 'grant', grant: 'hp', amount: 2.5 };
  assert.deepEqual(read({ ...grant, name: 'Eve' }), { ...grant, clientId: -1, name: 'Eve' });
  assert.deepEqual(read({ ...grant, clientId: 7 }), { ...grant, clientId: 7, name: '' });
  assert.deepEqual(read({ type: 'reload' }), { type: 'reload' });
});

test('a command of the wrong shape is refused with a reason that names the field', () => {
  const wrong: [object, RegExp][] = [
    [{ type: 'kick' }, /clientId and name/],
    [{ type: 'kick', clientId: 1, name: 'Eve' }, /clientId and name/],
    [{ type: 'kick', clientId: -1 }, /clientId/],
    [{ type: 'kick', clientId: 0 }, /clientId/],
    [{ type: 'kick', clientId: 1.5 }, /clientId/],
    [{ type: 'kick', clientId: '1' }, /clientId/],
    [{ type: 'kick', name: '' }, /name/],
    [{ type: 'kick', name: 'x'.repeat(NAME_BYTES_MAX + 1) }, /name/],
    [{ type: 'kick', name: 'Eve', text: 5 }, /text/],
    [{ type: 'ban', name: 'Eve' }, /minutes/],
    [{ type: 'ban', name: 'Eve', minutes: 0 }, /minutes/],
    [{ type: 'ban', name: 'Eve', minutes: BAN_MINUTES_MAX + 1 }, /minutes/],
    [{ type: 'ban', name: 'Eve', minutes: Number.NaN }, /minutes/],
    [{ type: 'ban', minutes: 5 }, /address and name/],
    [{ type: 'ban', address: '10.0.0.1', name: 'Eve', minutes: 5 }, /address and name/],
    [{ type: 'ban', address: 'localhost', minutes: 5 }, /address/],
    [{ type: 'ban', address: 'fe80::1%eth0', minutes: 5 }, /address/],
    [{ type: 'ban', address: 10, minutes: 5 }, /address/],
    [{ type: 'broadcast' }, /text/],
    [{ type: 'broadcast', text: 'é'.repeat(NOTICE_BYTES_MAX / 2 + 1) }, /text/],
    [{ type: 'grant', grant: 'hp', amount: 5 }, /clientId and name/],
    [{ type: 'grant', name: 'Eve', amount: 5 }, /grant is not/],
    [{ type: 'grant', name: 'Eve', grant: '', amount: 5 }, /grant is not/],
    [{ type: 'grant', name: 'Eve', grant: 'x'.repeat(65), amount: 5 }, /grant is not/],
    [{ type: 'grant', name: 'Eve', grant: 'hp' }, /amount/],
    [{ type: 'grant', name: 'Eve', grant: 'hp', amount: '5' }, /amount/],
    [{ type: 'grant', name: 'Eve', grant: 'hp', amount: Number.NaN }, /amount/],
    [{ type: 'grant', name: 'Eve', grant: 'hp', amount: Number.POSITIVE_INFINITY }, /amount/],
    [{ type: 'grant', name: 'Eve', grant: 'hp', amount: -2 * GRANT_AMOUNT_MAX }, /amount/],
    [{ type: 'explode' }, /type/],
    [{ type: 'toString' }, /type/],
    [{ type: 5 }, /type/],
    [{ type: 'drain', commandId: '' }, /commandId/],
    [{ type: 'drain', commandId: 5 }, /commandId/],
    [{ type: 'drain', commandId: 'x'.repeat(65) }, /commandId/],
    [{ type: 'drain', commandId: 'a b' }, /commandId/],
    [{ type: 'grant', items: [1, 2] }, /flat/],
    [{ type: 'drain', text: 'x'.repeat(PLATFORM_COMMAND_BYTES_MAX) }, /bytes are too many/],
  ];
  for (const [map, reason] of wrong) assert.match(String(read(map)), reason, JSON.stringify(map));
});

test('no bytes at all make the decoder throw', () => {
  const random = createRandom(SEED);
  const below = (limit: number) => Math.floor(random() * limit);
  const whole = pack({ commandId: 'c1', type: 'ban', address: '::1', minutes: 5, text: 'x'.repeat(40) });
  for (let round = 0; round < 20000; round++) {
    const bytes = Uint8Array.from(whole.subarray(0, below(whole.length + 1)));
    for (let flips = below(4); flips >= 0 && bytes.length > 0; flips--) {
      bytes[below(bytes.length)] = below(256);
    }
    const checked = decodeCommand(bytes);
    assert.ok(checked.ok || checked.reason !== '', `seed ${SEED}, round ${round}`);
  }
});

interface Answered {
  eventId: string;
  type: string;
  payload: { commandId: string; command: string; reason?: string };
}

async function answers(log: EventLog): Promise<Answered[]> {
  const found: Answered[] = [];
  await log.replay({ topics: ['game.events.player'] }, async ({ entries }) => {
    found.push(...entries.map(({ value }) => unpack(value) as Answered));
  });
  return found;
}

async function give(log: EventLog, ...values: Uint8Array[]): Promise<void> {
  await log.append(
    values.map((value) => ({ topic: PLATFORM_TOPIC.name, key: 'game', value, timestampMs: Date.now() })),
  );
}

/** Rows in memory, as the cold store keeps them; `isAway`: every call fails. */
function createLedger(rows = new Map<string, Uint8Array>()) {
  const store = {
    isAway: false,
    rows,
    async getRows(_table: string, keys: readonly string[]) {
      if (this.isAway) throw new Error('the store is away');
      return keys.map((key) => rows.get(key));
    },
    async putRows(_table: string, added: readonly ColdRow[]) {
      if (this.isAway) throw new Error('the store is away');
      for (const { key, value } of added) rows.set(key, value);
    },
    async deleteRows() {},
    async scanRows() {
      return [];
    },
  };
  return { store, ledger: new CommandLedger(store, () => {}) };
}

/** The desk over a log, with main played by `obey`; undefined: no answer ever. */
function openDesk(
  log: EventLog,
  obey: (command: PlatformCommand) => string | Outcome | undefined,
  ledger = createLedger().ledger,
  bans: Pick<BanBook, 'keep'> = { keep: async () => true },
) {
  const counters = new IoCounters(IoCounters.create());
  const desk: PlatformDesk = new PlatformDesk(
    (request, command) => {
      const outcome = obey(command);
      if (outcome === undefined) return;
      setImmediate(() => desk.settle(request, typeof outcome === 'string' ? { reason: outcome } : outcome));
    },
    (record) => log.append([record]),
    counters,
    ledger,
    bans,
  );
  const subscribed = desk.subscribe(log);
  const stop = async () => (await subscribed).stop();
  return { counters, stop };
}

async function openLog(folder: string): Promise<EventLog> {
  const log = openEmbeddedEventLog({ folder });
  await log.createTopics([...EVENT_TOPICS, PLATFORM_TOPIC]);
  return log;
}

test('every record of the topic is answered once, in order, garbage by its place in the topic', async (t) => {
  const log = await openLog(openFolder(t));
  await give(
    log,
    pack({ commandId: 'one', type: 'broadcast', text: 'hello' }),
    Uint8Array.of(0xc1, 1, 2),
    new Uint8Array(0),
    pack({ commandId: 'two', type: 'explode' }),
    pack({ commandId: 'three', type: 'grant', name: 'Eve', grant: 'hp', amount: 5 }),
  );
  const obeyed: string[] = [];
  const desk = openDesk(log, ({ id }) => {
    obeyed.push(id);
    return id === 'three' ? 'unsupported' : '';
  });
  await until('all are answered', async () => (await answers(log)).length >= 5);
  await desk.stop();
  const [position] = await log.positions('game', [PLATFORM_TOPIC.name]);
  const found = await answers(log);
  await log.close();
  assert.deepEqual(obeyed, ['one', 'three']);
  assert.equal(position.committed, 5);
  const byId = new Map(found.map((answer) => [answer.eventId, answer]));
  assert.equal(byId.size, 5);
  assert.deepEqual(byId.get('platform-one')?.payload, { commandId: 'one', command: 'broadcast' });
  assert.equal(byId.get('platform-one')?.type, 'platform.command.done');
  assert.deepEqual(byId.get('platform-three')?.payload, {
    commandId: 'three',
    command: 'grant',
    reason: 'unsupported',
  });
  assert.equal(byId.get('platform-at-0-3')?.payload.commandId, 'two');
  assert.equal(byId.get('platform-at-0-1')?.type, 'platform.command.failed');
  assert.equal(desk.counters.get('platformDone'), 1);
  assert.equal(desk.counters.get('platformFailed'), 4);
  assert.equal(desk.counters.get('platformMalformed'), 3);
});

test('a command that was not answered when the desk stopped comes again, and is committed with its answer', async (t) => {
  const log = await openLog(openFolder(t));
  await give(log, pack({ commandId: 'one', type: 'reload' }));
  let asked = 0;
  const first = openDesk(log, () => {
    asked += 1;
    return undefined;
  });
  await until('main is asked', () => asked > 0);
  await first.stop();
  const [before] = await log.positions('game', [PLATFORM_TOPIC.name]);
  assert.equal(before.committed, -1);
  assert.deepEqual(await answers(log), []);
  const second = openDesk(log, () => '');
  await until('it is answered', async () => (await answers(log)).length > 0);
  await second.stop();
  const third = openDesk(log, () => assert.fail('what was committed comes again'));
  await third.stop();
  const [after] = await log.positions('game', [PLATFORM_TOPIC.name]);
  await log.close();
  assert.equal(after.committed, 1);
});

test('nothing is committed before the log has the answer', async (t) => {
  const log = await openLog(openFolder(t));
  await give(log, pack({ commandId: 'one', type: 'reload' }));
  const publishes: (() => void)[] = [];
  const desk: PlatformDesk = new PlatformDesk(
    (request) => desk.settle(request, { reason: '' }),
    () => new Promise((_, reject) => publishes.push(() => reject(new Error('never')))),
    new IoCounters(IoCounters.create()),
    createLedger().ledger,
    { keep: async () => true },
  );
  const subscription = await desk.subscribe(log);
  await until('an answer is published', () => publishes.length > 0);
  await new Promise((resolve) => setTimeout(resolve, 50));
  const stopped = subscription.stop();
  publishes[0]();
  await stopped;
  const [position] = await log.positions('game', [PLATFORM_TOPIC.name]);
  await log.close();
  assert.equal(position.committed, -1);
});

const START_MS = 1_000_000;

const NOTHING_NEW: Reloaded = { errors: [], applied: [], restart: [] };

function createMain(granted: () => Promise<string> = async () => '', reloaded = NOTHING_NEW) {
  const done: string[] = [];
  let now = START_MS + 60000;
  const bans = new BanList(() => now);
  const actions = new PlatformActions({
    net: {
      bans,
      broadcast: (text) => done.push(`broadcast ${text}`),
      kick: (who, text) => (who.name === 'nobody' ? 0 : done.push(`kick ${JSON.stringify(who)} ${text}`)),
    },
    grants: {
      give({ name, grant, amount }) {
        done.push(`grant ${name} ${amount} ${grant}`);
        return granted();
      },
    },
    reload: () => reloaded,
    log: { debug() {}, info() {}, warn() {}, error() {} },
    startedMs: START_MS,
    drain: (text) => done.push(`drain ${text}`),
    now: () => now,
  });
  const run = async (id: string, action: PlatformAction, askedAtMs = now, isBegun = false) =>
    (await actions.run({ id, askedAtMs, action, isBegun })).reason;
  return { done, bans, actions, run, pass: (ms: number) => (now += ms) };
}

const BAN = { type: 'ban', address: '', name: '', minutes: 2, text: 'out' } as const;

const GRANT = { type: 'grant', clientId: -1, name: 'Eve', grant: 'hp', amount: 5 } as const;

test('a grant is given once, also when it comes again before it is answered', async () => {
  let answer: (reason: string) => void = () => {};
  const { done, run } = createMain(() => new Promise((resolve) => (answer = resolve)));
  const both = [run('a', GRANT), run('a', GRANT)];
  await Promise.resolve();
  answer('the player is dead');
  assert.deepEqual(await Promise.all(both), ['the player is dead', 'the player is dead']);
  assert.equal(await run('a', GRANT), 'the player is dead');
  assert.deepEqual(done, ['grant Eve 5 hp']);
  assert.match(await run('b', GRANT, START_MS - 1), /before this server was started/);
  assert.match(await run('c', GRANT, START_MS, true), /nobody knows/);
  assert.deepEqual(done, ['grant Eve 5 hp']);
});

test('what was answered is not asked again after a crash, and what was begun is said to be', async (t) => {
  const log = await openLog(openFolder(t));
  const { store, ledger } = createLedger();
  const grant = (commandId: string) => pack({ commandId, type: 'grant', name: 'Eve', grant: 'hp', amount: 5 });
  const asked: string[] = [];
  const obey = ({ id, isBegun }: PlatformCommand) => {
    asked.push(`${id} ${isBegun}`);
    return id === 'refused' ? 'the player is dead' : id === 'lost' && !isBegun ? undefined : '';
  };
  await give(log, grant('done'), grant('refused'), grant('lost'));
  const first = openDesk(log, obey, ledger);
  await until('all are asked', () => asked.length === 3);
  await first.stop();
  // As if nothing of it had been committed: every one comes again, to another process.
  const again = await openLog(openFolder(t));
  await give(again, grant('done'), grant('refused'), grant('lost'));
  const second = openDesk(again, obey, createLedger(store.rows).ledger);
  await until('all are answered', async () => (await answers(again)).length === 3);
  await second.stop();
  assert.deepEqual(asked, ['done false', 'refused false', 'lost false', 'lost true']);
  const reasons = (await answers(again)).map(({ payload }) => `${payload.commandId} ${payload.reason ?? ''}`);
  assert.deepEqual(reasons.sort(), ['done ', 'lost ', 'refused the player is dead']);
  await log.close();
  await again.close();
});

test('without the store of ids no grant is given, and all else is done', async (t) => {
  const log = await openLog(openFolder(t));
  const { store, ledger } = createLedger();
  store.isAway = true;
  const asked: string[] = [];
  await give(
    log,
    pack({ commandId: 'one', type: 'grant', name: 'Eve', grant: 'hp', amount: 5 }),
    pack({ commandId: 'two', type: 'reload' }),
  );
  const obey = ({ id }: PlatformCommand) => {
    asked.push(id);
    return '';
  };
  const desk = openDesk(log, obey, ledger);
  await until('both are answered', async () => (await answers(log)).length === 2);
  await desk.stop();
  assert.deepEqual(asked, ['two']);
  const [one] = (await answers(log)).filter(({ payload }) => payload.commandId === 'one');
  assert.match(one.payload.reason ?? '', /store that keeps the ids/);
  await log.close();
});

test('a command is done once, and its repetition gets the same answer', async () => {
  const { done, run } = createMain();
  const kick = { type: 'kick', clientId: -1, name: 'nobody', text: '' } as const;
  assert.equal(await run('a', { type: 'broadcast', text: 'hello' }), '');
  assert.equal(await run('a', { type: 'broadcast', text: 'hello' }), '');
  assert.match(await run('b', kick), /no such client/);
  assert.match(await run('b', { ...kick, name: 'Eve' }), /no such client/);
  assert.deepEqual(done, ['broadcast hello']);
  for (let i = 0; i < PLATFORM_IDS_KEPT; i++) await run(`filler ${i}`, { type: 'reload' });
  await run('a', { type: 'broadcast', text: 'hello' });
  assert.equal(done.length, 2, 'so many ids are kept, and no more');
});

test('what is about the players of the moment is refused when it is older than the server', async () => {
  const { done, run } = createMain();
  const before = START_MS - 1;
  assert.match(await run('a', { type: 'drain', text: '' }, before), /before this server was started/);
  assert.match(await run('b', { type: 'kick', clientId: 3, name: '', text: '' }, before), /before this server/);
  assert.match(await run('c', { type: 'broadcast', text: 'hello' }, before), /before this server/);
  assert.deepEqual(done, []);
  assert.equal(await run('d', { type: 'drain', text: 'bye' }, START_MS), '');
  assert.deepEqual(done, ['drain bye']);
});

test('a ban counts from when it was given, ends by itself, and removes who is there', async () => {
  const { done, run, bans, pass } = createMain();
  assert.equal(await run('a', { ...BAN, name: 'Eve' }, START_MS), '');
  assert.equal(await run('b', { ...BAN, address: '::ffff:10.0.0.1' }), '');
  assert.deepEqual(done, ['kick {"name":"Eve"} out', 'kick {"address":"10.0.0.1"} out']);
  assert.ok(bans.hasName('Eve') && bans.hasAddress('10.0.0.1'));
  assert.ok(!bans.hasName('10.0.0.1') && !bans.hasAddress('Eve') && !bans.hasName('Adam'));
  pass(60000);
  assert.ok(!bans.hasName('Eve') && bans.hasAddress('10.0.0.1'));
  assert.match(await run('c', { ...BAN, name: 'Eve' }, START_MS), /over already/);
  pass(60000);
  assert.ok(!bans.hasAddress('10.0.0.1'));
  assert.equal(bans.size, 0);
});

test('a ban that is shorter than one before it shortens nothing, here and in what is kept', async () => {
  const { actions } = createMain();
  const ban = async (id: string, minutes: number) => {
    const action: PlatformAction = { ...BAN, name: 'Eve', minutes };
    return (await actions.run({ id, askedAtMs: START_MS + 60000, action, isBegun: false })).ban?.untilMs;
  };
  const untilMs = await ban('year', 525600);
  assert.equal(untilMs, START_MS + 60000 + 525600 * 60000);
  assert.equal(await ban('short', 10), untilMs);
});

test('a ban is done when it is stored; else its answer says so, and it is not taken for answered', async (t) => {
  const log = await openLog(openFolder(t));
  const { store, ledger } = createLedger();
  const lines: string[] = [];
  const book = new BanBook(store, (line) => lines.push(line), 20, 50);
  const obeyed: string[] = [];
  const ban = { kind: 'name', who: 'Eve', untilMs: START_MS } as const;
  const desk = openDesk(
    log,
    ({ id }) => {
      obeyed.push(id);
      return { reason: '', ban: { ...ban, who: id } };
    },
    ledger,
    book,
  );
  store.isAway = true;
  await give(log, pack({ commandId: 'away', type: 'ban', name: 'Eve', minutes: 5 }));
  await until('it is answered', () => desk.counters.get('platformFailed') === 1);
  store.isAway = false;
  await until('it is stored all the same', () => store.rows.has('name:away'));
  await give(log, ...['there', 'away'].map((commandId) => pack({ commandId, type: 'ban', name: 'Eve', minutes: 5 })));
  await until('both are done', () => desk.counters.get('platformDone') === 2);
  await desk.stop();
  await book.stop();
  assert.deepEqual(obeyed, ['away', 'there', 'away']);
  assert.deepEqual([...store.rows.keys()].sort(), ['away', 'name:away', 'name:there', 'there']);
  // Of one key, so in the order in which they were given.
  const [first, second] = (await answers(log)).filter(({ payload }) => payload.commandId === 'away');
  assert.equal(first.type, 'platform.command.failed');
  assert.match(first.payload.reason ?? '', /in force on this server, .* the store does not answer/);
  assert.equal(second.type, 'platform.command.done');
  await log.close();
});

test('the list of bans is bounded: full is an answer, and what has expired makes room', async () => {
  const { run, bans, pass } = createMain();
  for (let i = 0; i < BANS_MAX; i++) assert.ok(bans.addName(`n${i}`, START_MS + 100000 + i));
  assert.match(await run('a', { ...BAN, name: 'Eve' }), /full/);
  assert.equal(await run('b', { ...BAN, name: 'n0' }), '', 'who is in it can be banned for longer');
  pass(100000);
  assert.equal(await run('c', { ...BAN, name: 'Eve' }), '');
  assert.ok(bans.hasName('Eve') && bans.size < BANS_MAX);
});

test('an IPv4 address is the same through an IPv6 socket', async () => {
  assert.equal(plainAddress('::ffff:10.0.0.1'), '10.0.0.1');
  assert.equal(plainAddress('::ffff:1'), '::ffff:1');
  assert.equal(plainAddress('2001:db8::1'), '2001:db8::1');
});

test('a reload is answered with what it applied, or with all that is wrong', async () => {
  const lists = { applied: ['updateHz'], restart: ['port', 'seed'] };
  const answer = (reloaded: Reloaded) => {
    const { actions } = createMain(undefined, reloaded);
    return actions.run({ id: 'a', askedAtMs: START_MS, action: { type: 'reload' }, isBegun: false });
  };
  assert.deepEqual(await answer({ errors: [], ...lists } as Reloaded), { reason: '', lists });
  assert.deepEqual(await answer({ ...NOTHING_NEW, errors: ['port is x', 'bots is y'] }), {
    reason: 'port is x\nbots is y',
  });
});
