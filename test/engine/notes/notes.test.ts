// Notes from a game to the clients of a world: order, full queues, borders, connections that come back, threads that die.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { GameDefinition, Zone } from '../../../src/game/definition.js';
import { listNotes } from '../../../src/game/notes/list-notes.js';
import { NOTE_QUEUE_BYTES } from '../../../src/memory/limits.js';
import { COUNTER } from '../../../src/memory/tables/zone-counters.js';
import type { HeadlessClient } from '../../../src/testing/headless-client.js';
import { HeadlessWorld } from '../../../src/testing/headless-world.js';

const NOTES = listNotes({
  said: { payload: { who: { type: 'ref' }, text: { type: 'text', bytes: 120 } } },
  hit: {
    payload: {
      count: { type: 'i16' },
      how: { type: 'u8', oneOf: ['sword', 'bow'] },
      isLast: { type: 'bool' },
      far: { type: 'f32' },
    },
  },
});

type Run = (zone: Zone) => void;

function createWorld(script: { run: Run }, settings: object = {}, threads = 1): HeadlessWorld {
  const game = {
    name: 'talk',
    version: 1,
    kinds: ['player'],
    fields: {},
    commands: [],
    events: [],
    notes: NOTES,
    systems: [{ name: 'script', run: (zone: Zone) => script.run(zone) }],
    spawnPlayer: (zone: Zone, x: number, y: number) => zone.spawn(0, x, y),
  } as unknown as GameDefinition;
  return new HeadlessWorld(
    game,
    { zoneColumns: 1, zoneRows: 1, bots: 0, seed: 1, spawn: 'crowd', ...settings },
    threads,
  );
}

/** Every own entity says so in each tick; what it says is committed with the tick. */
const count: Run = (zone) => {
  zone.globals[0]++;
  for (let row = 0; row < zone.rowLimit; row++) {
    if (zone.alive[row] !== 0) zone.tell(row, 'hit', { count: zone.globals[0], how: 'bow', isLast: false, far: 0.5 });
  }
};
const silent: Run = () => {};

const numbersOf = ({ notes }: HeadlessClient) => notes.map(({ number }) => number);
const countsOf = ({ notes }: HeadlessClient) => notes.map(({ values }) => values.count as number);

function assertRising(values: number[]): void {
  for (let i = 1; i < values.length; i++) assert.equal(values[i], values[i - 1] + 1, `value ${i}`);
}

test('a note reaches the client whose entity it is told to, with all of its values, and nobody else', () => {
  const script = { run: silent };
  const world = createWorld(script, { updateHz: 60 });
  const [ada, ben] = [world.join(), world.join()];
  world.run(3);
  const [{ row }, { row: other }] = [world.find(ada.entityId), world.find(ben.entityId)];
  script.run = (zone) => {
    zone.tell(row, 'said', { who: zone.refOf(other), text: 'Zoë 👋' });
    zone.tell(row, 'said', { who: 0, text: '' });
    zone.tell(row, 'hit', { count: -40000.4, how: 'bow', isLast: true, far: 0.5 });
    zone.tell(row, 'hit', { count: Number.NaN, how: 'sword', isLast: false, far: -1 });
  };
  world.run(1);
  assert.deepEqual(ada.notes, [
    { number: 1, name: 'said', values: { who: ben.entityId, text: 'Zoë 👋' } },
    { number: 2, name: 'said', values: { who: null, text: '' } },
    { number: 3, name: 'hit', values: { count: -32768, how: 'bow', isLast: true, far: 0.5 } },
    { number: 4, name: 'hit', values: { count: 0, how: 'sword', isLast: false, far: -1 } },
  ]);
  assert.deepEqual([ada.tick, ben.notes, world.counter(COUNTER.notesTold)], [world.tick, [], 4]);
});

test('notes of every tick come in order with the frames that are due, beside leaves and entities', () => {
  const script = { run: count };
  const world = createWorld(script, { updateHz: 20 });
  const [ada, ben] = [world.join(), world.join()];
  world.run(20);
  world.leave(ben);
  world.run(43);
  assert.ok(ada.notes.length > 50);
  assertRising(numbersOf(ada));
  assertRising(countsOf(ada));
  assert.deepEqual([ada.notesMissed, world.counter(COUNTER.notesDropped)], [0, 0]);
  assert.ok(!ada.sees(ben.entityId));
});

test('a text that is too long or none, and a name that is no value, send nothing and are counted', () => {
  const script = { run: silent };
  const world = createWorld(script);
  const ada = world.join();
  world.run(3);
  const { row } = world.find(ada.entityId);
  script.run = (zone) => {
    for (const text of ['x'.repeat(121), 'é'.repeat(61), 'a\0b', '\ud800', 7 as unknown as string]) {
      zone.tell(row, 'said', { who: 0, text });
    }
    zone.tell(row, 'hit', { count: 1, how: 'spoon', isLast: true, far: 0 });
    zone.tell(row, 'said', { who: 0, text: 'é'.repeat(60) });
    script.run = silent;
  };
  world.run(6);
  assert.deepEqual(
    ada.notes.map(({ number, values }) => [number, values.text]),
    [[1, 'é'.repeat(60)]],
  );
  assert.equal(world.counter(COUNTER.notesRefused), 6);
});

test('a note to a row without a client is counted, and one of an unknown name is a fault of the game', () => {
  const script = { run: silent };
  const world = createWorld(script);
  script.run = (zone) => {
    const row = zone.spawn(0, 10, 10);
    for (const target of [row, -1, zone.ownCapacity]) zone.tell(target, 'said', { who: 0, text: 'nobody' });
    script.run = silent;
  };
  world.run(1);
  assert.equal(world.counter(COUNTER.notesUnowned), 3);
  script.run = (zone) => zone.tell(0, 'sung', {});
  assert.throws(() => world.run(1), /no note 'sung'/);
});

test('a full queue takes no more until a frame has taken it; what was dropped is counted, and shows as a gap', () => {
  const script = { run: silent };
  const world = createWorld(script, { updateHz: 60 });
  const ada = world.join();
  world.run(3);
  const { row } = world.find(ada.entityId);
  const record = 1 + 4 + 1 + 100;
  const fit = Math.floor(NOTE_QUEUE_BYTES / record);
  assert.ok(NOTE_QUEUE_BYTES - fit * record >= 1 + 4 + 1 + 'a short one'.length, 'the short one would find room');
  script.run = (zone) => {
    for (let i = 0; i < fit + 5; i++) zone.tell(row, 'said', { who: 0, text: `${i}`.padEnd(100) });
    zone.tell(row, 'said', { who: 0, text: 'a short one' }); // would fit, but is told after those
    script.run = (next) => next.tell(row, 'said', { who: 0, text: 'next' });
  };
  world.run(1);
  assert.deepEqual([ada.notes.length, ada.notesMissed, world.counter(COUNTER.notesDropped)], [fit, 0, 6]);
  world.run(1);
  assert.deepEqual([ada.notes.at(-1)?.number, ada.notesMissed], [fit + 7, 6]);
});

test('notes go on in order over a border', () => {
  const world = createWorld({ run: count }, { zoneColumns: 2, worldWidth: 200, worldHeight: 100, updateHz: 20 });
  const ada = world.join();
  world.run(3);
  for (let turn = 0; turn < 6; turn++) {
    world.place(ada, turn % 2 === 0 ? 150 : 50, 50);
    world.run(11);
  }
  assert.ok(ada.notes.length > 50);
  assertRising(numbersOf(ada));
  assert.deepEqual([ada.notesMissed, world.counter(COUNTER.notesUnowned)], [0, 0]);
});

test('what is told while a client is away waits for it, as far as there is room', () => {
  const script = { run: count };
  const world = createWorld(script, { updateHz: 60 });
  const ada = world.join();
  world.run(10);
  const had = ada.notes.at(-1)?.number ?? 0;
  world.lose(ada);
  world.run(30);
  const back = world.resume(ada.index, ada.generation);
  world.run(4);
  assert.equal(back.notes[0].number, had + 1);
  assertRising(numbersOf(back));
  assertRising(countsOf(back));
});

test('a new holder of an index gets nothing of the former one, and numbers of its own', () => {
  const script = { run: count };
  const world = createWorld(script, { updateHz: 20 });
  const ada = world.join(0);
  world.run(11);
  script.run = silent;
  world.leave(ada);
  world.run(3);
  const ben = world.join(0);
  world.run(8);
  assert.equal(ben.notes.length, 0);
  script.run = count;
  world.run(6);
  assert.equal(ben.notes[0].number, 1);
});

test('a thread that dies in any step of a tick repeats no note, and loses none that was not in a frame', () => {
  const steps = createWorld({ run: silent }).hosts[0].stepCount;
  for (let dying = 0; dying <= steps; dying++) {
    const world = createWorld({ run: count }, { updateHz: 60 });
    const ada = world.join();
    world.run(10);
    const [host] = world.hosts;
    host.beginTick(world.tick + 1);
    for (let step = 0; step < dying; step++) host.runStep(step);
    world.tick++;
    world.replaceThread(0);
    world.run(10);
    assertRising(countsOf(ada));
    const numbers = numbersOf(ada);
    assert.equal((numbers.at(-1) ?? 0) - numbers.length, ada.notesMissed, `gaps are told, dead before step ${dying}`);
    assert.equal(ada.notesMissed, 0, `dead before step ${dying}`);
  }
});

/** Says in every tick where it was said, and how many ticks that zone has committed. */
const tellWhere: Run = (zone) => {
  const how = zone.area.x === 0 ? 'bow' : 'sword';
  zone.globals[0]++;
  for (let row = 0; row < zone.ownCapacity; row++) {
    const isPlayer = zone.alive[row] !== 0 && zone.owner[row] > 0;
    if (isPlayer) zone.tell(row, 'hit', { count: zone.globals[0], how, isLast: false, far: 0 });
  }
};

function assertWhole({ notes, notesMissed }: HeadlessClient, when: string): void {
  assert.deepEqual(notesMissed, 0, when);
  assertRising(notes.map(({ number }) => number));
  for (const how of ['bow', 'sword']) {
    const counts = notes.filter(({ values }) => values.how === how).map(({ values }) => values.count as number);
    assert.ok(counts.length > 5, `${how}, ${when}`);
    assertRising(counts);
  }
}

for (const end of ['from which', 'into which']) {
  test(`a thread that dies in any step of a tick ${end} an entity crosses repeats no note, and loses none`, () => {
    const settings = { zoneColumns: 2, worldWidth: 200, worldHeight: 100, updateHz: 60 };
    const steps = createWorld({ run: silent }).hosts[0].stepCount;
    for (let dying = 0; dying <= steps; dying++) {
      const world = createWorld({ run: tellWhere }, settings, 2);
      const ada = world.join();
      world.run(3);
      world.place(ada, 50, 50);
      world.run(10);
      world.place(ada, 150, 50);
      if (end === 'into which') world.run(1); // it has left, and comes in with the next tick
      const thread = end === 'into which' ? 1 : 0;
      const host = world.hosts[thread];
      if (thread === 1) world.hosts[0].runTick(world.tick + 1);
      host.beginTick(world.tick + 1);
      for (let step = 0; step < dying; step++) host.runStep(step);
      if (thread === 0) world.hosts[1].runTick(world.tick + 1);
      world.tick++;
      world.replaceThread(thread);
      if (world.find(ada.entityId).zone === 0) world.place(ada, 150, 50); // it stands where it was committed
      world.run(10);
      assert.equal(world.find(ada.entityId).zone, 1);
      assertWhole(ada, `dead before step ${dying}`);
    }
  });
}
