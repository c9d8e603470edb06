import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as C from '../../../src/memory/tables/client-table.js';
import { ClientTable } from '../../../src/memory/tables/client-table.js';
import { KNOWN_ENTITIES_MAX } from '../../../src/protocol/limits.js';

const CLIENT = 5;

function createTable(clientsMax = 40): ClientTable {
  return new ClientTable(ClientTable.create(clientsMax), clientsMax);
}

function stateOf(table: ClientTable, word: number, client = CLIENT): number {
  return table.state[client * C.CLIENT_STATE_WORDS + word];
}

test('no two arrays share a byte, the last one ends within the buffer, and words of main have lines of their own', () => {
  for (const clientsMax of [1, 31, 32, 33, 100]) {
    const table = createTable(clientsMax);
    const arrays = [table.congested, table.delivered, table.state, table.knownKey, table.knownSent];
    assert.deepEqual(
      arrays.map(({ length }) => length / clientsMax),
      [1, 1, C.CLIENT_STATE_WORDS, KNOWN_ENTITIES_MAX, KNOWN_ENTITIES_MAX],
    );
    for (let i = 1; i < arrays.length; i++) {
      assert.ok(arrays[i].byteOffset >= arrays[i - 1].byteOffset + arrays[i - 1].byteLength, `array ${i}`);
    }
    assert.equal(table.knownSent.byteOffset + table.knownSent.byteLength, table.buffer.byteLength);
    assert.deepEqual([table.delivered.byteOffset % 128, table.state.byteOffset % 128], [0, 0]);
  }
});

test('words of the state stand apart', () => {
  const words = Object.entries(C).filter(([name]) => name.startsWith('CLIENT_') && name !== 'CLIENT_STATE_WORDS') as [
    string,
    number,
  ][];
  assert.equal(new Set(words.map(([, word]) => word)).size, words.length);
  assert.ok(words.every(([, word]) => word >= 0 && word < C.CLIENT_STATE_WORDS));
});

test('a beginning sets what it is given, forgets the rest, and counts from the frames that main has taken', () => {
  const table = createTable();
  table.state.fill(77);
  table.delivered[CLIENT] = 9;
  table.begin(CLIENT, 3, 2, 30, 200);
  assert.deepEqual(
    [C.CLIENT_GENERATION, C.CLIENT_CROSSINGS, C.CLIENT_UPDATE_HZ, C.CLIENT_CONNECTION, C.CLIENT_FRAMES_MADE].map(
      (word) => stateOf(table, word),
    ),
    [3, 2, 30, 200, 9],
  );
  for (const word of [C.CLIENT_APPLIED_SEQUENCE, C.CLIENT_KNOWN_COUNT, C.CLIENT_FULL_WANTED, C.CLIENT_NUMBER]) {
    assert.equal(stateOf(table, word), 0);
  }
  assert.equal(stateOf(table, C.CLIENT_STATE_WORDS - 1, CLIENT - 1), 77, 'the neighbour before');
  assert.equal(stateOf(table, 0, CLIENT + 1), 77, 'the neighbour behind');
});

test('another connection keeps holder, crossings and frames in flight, and wants a full frame', () => {
  const table = createTable();
  table.begin(CLIENT, 3, 2, 30, 1);
  table.state[CLIENT * C.CLIENT_STATE_WORDS + C.CLIENT_FRAMES_MADE] = 14;
  table.apply(CLIENT, 50, 100);
  table.delivered[CLIENT] = 12;
  table.beginAgain(CLIENT, 60, 2);
  assert.deepEqual(
    [
      C.CLIENT_GENERATION,
      C.CLIENT_CROSSINGS,
      C.CLIENT_UPDATE_HZ,
      C.CLIENT_CONNECTION,
      C.CLIENT_FRAMES_MADE,
      C.CLIENT_FULL_WANTED,
    ].map((word) => stateOf(table, word)),
    [3, 2, 60, 2, 14, 1],
  );
  assert.equal(stateOf(table, C.CLIENT_APPLIED_SEQUENCE), 0, 'sequence numbers begin anew');
});

test('what was applied after the last commit is taken back, however many commands it was', () => {
  const table = createTable();
  table.begin(CLIENT, 1, 0, 30, 0);
  table.apply(CLIENT, 7, 10);
  table.apply(CLIENT, 8, 11);
  table.apply(CLIENT, 9, 11);
  table.takeBack(CLIENT, 11);
  assert.equal(stateOf(table, C.CLIENT_APPLIED_SEQUENCE), 9, 'tick 11 was committed');
  table.takeBack(CLIENT, 10);
  assert.equal(stateOf(table, C.CLIENT_APPLIED_SEQUENCE), 7, 'tick 11 never was');
  table.takeBack(CLIENT, 10);
  assert.equal(stateOf(table, C.CLIENT_APPLIED_SEQUENCE), 7, 'taken back once');
  table.apply(CLIENT, 8, 11);
  assert.equal(stateOf(table, C.CLIENT_APPLIED_SEQUENCE), 8);
  table.takeBack(CLIENT, 10);
  assert.equal(stateOf(table, C.CLIENT_APPLIED_SEQUENCE), 7, 'and again after it was applied again');
});

test('taking back looks at the order of ticks across the wrap', () => {
  const table = createTable();
  table.begin(CLIENT, 1, 0, 30, 0);
  table.apply(CLIENT, 1, 2 ** 31 - 1);
  table.apply(CLIENT, 2, -(2 ** 31));
  table.takeBack(CLIENT, 2 ** 31 - 1);
  assert.equal(stateOf(table, C.CLIENT_APPLIED_SEQUENCE), 1);
});

test('a restored zone takes a client up with what it knows, and frames that were never published are not in flight', () => {
  const table = createTable();
  table.begin(CLIENT, 3, 1, 30, 6);
  table.apply(CLIENT, 40, 10);
  table.state[CLIENT * C.CLIENT_STATE_WORDS + C.CLIENT_FRAMES_MADE] = 14;
  table.delivered[CLIENT] = 12;
  table.takeUp(CLIENT, 3, 2, 20, 6);
  assert.deepEqual(
    [
      C.CLIENT_GENERATION,
      C.CLIENT_CROSSINGS,
      C.CLIENT_UPDATE_HZ,
      C.CLIENT_CONNECTION,
      C.CLIENT_FRAMES_MADE,
      C.CLIENT_FULL_WANTED,
    ].map((word) => stateOf(table, word)),
    [3, 2, 20, 6, 12, 1],
  );
  assert.equal(stateOf(table, C.CLIENT_APPLIED_SEQUENCE), 40, 'the same connection goes on');
});

test('a connection that is later than the known one begins anew, half of the turns ahead at most', () => {
  for (const [known, connection, isLater] of [
    [6, 7, true],
    [6, 6, false],
    [7, 6, false],
    [255, 0, true],
    [0, 255, false],
    [0, 127, true],
    [0, 128, false],
  ] as const) {
    const table = createTable();
    table.begin(CLIENT, 3, 1, 30, known);
    table.apply(CLIENT, 40, 10);
    table.takeUp(CLIENT, 3, 1, 30, connection);
    assert.equal(stateOf(table, C.CLIENT_APPLIED_SEQUENCE), isLater ? 0 : 40, `${known} then ${connection}`);
    assert.equal(stateOf(table, C.CLIENT_CONNECTION), isLater ? connection : known);
  }
});

test('an index has no holder, its holder, or a later one, and a late farewell does not touch the later one', () => {
  const table = createTable();
  const ask = (generation: number) => [
    table.hasHolder(CLIENT),
    table.isHolder(CLIENT, generation),
    table.isPassedOn(CLIENT, generation),
  ];
  assert.deepEqual(ask(1), [false, false, false]);
  table.begin(CLIENT, 1, 0, 30, 0);
  assert.deepEqual(ask(1), [true, true, false]);
  table.begin(CLIENT, 2, 0, 30, 0);
  assert.deepEqual(ask(1), [true, false, true]);
  assert.deepEqual(ask(2), [true, true, false]);
  table.end(CLIENT, 1);
  assert.deepEqual(ask(2), [true, true, false]);
  table.end(CLIENT, 2);
  assert.deepEqual(ask(2), [false, false, false]);
});
