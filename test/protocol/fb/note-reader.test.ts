// Notes as a client reads them, and bytes that no server of this protocol sends.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NoteReader } from '../../../src/protocol/fb/note-reader.js';
import { buildFrame, openFrame, readWelcome } from '../../../src/protocol/fb/server-frame.js';
import { PlainFrameEncoder } from '../../../src/protocol/plain/plain-frame.js';
import { readGoldenHex } from '../golden-messages.js';
import { GOLDEN_NOTE_GAME } from '../golden-notes.js';
import { GOLDEN_QUANTUM } from '../golden-welcome.js';

const TOLD = Uint8Array.of(0, 5, 0, 0, 0, 2, 0x48, 0x69, 1, 0, 0, 0, 0, 1, 2, 1);

function frameOf(number: number, bytes: Uint8Array) {
  return openFrame(buildFrame({ tick: 1, ack: 0, notes: { number, bytes } }))!;
}

test('the golden frames of a game with notes tell what their comments tell', () => {
  const welcome = readWelcome(openFrame(readGoldenHex('notes-01-welcome.hex'))!)!;
  assert.deepEqual(welcome.notes, GOLDEN_NOTE_GAME.notes);
  const reader = new NoteReader(welcome.notes ?? []);
  assert.deepEqual(reader.read(openFrame(readGoldenHex('notes-02-told.hex'))!), [
    { number: 3, name: 'said', values: { who: 300, text: 'Hé' } },
    { number: 4, name: 'beaten', values: { by: null, how: 'bow', far: 258 } },
  ]);
  assert.equal(reader.missed, 2);
});

test('notes that are cut short or of no known form are none, and are never read beyond their frame', () => {
  for (let end = 0; end <= TOLD.length; end++) {
    const notes = new NoteReader(GOLDEN_NOTE_GAME.notes).read(frameOf(1, TOLD.slice(0, end)));
    assert.equal(notes?.length, { 0: 0, 8: 1, 16: 2 }[end], `cut at ${end}`);
  }
  const read = (...bytes: number[]) => new NoteReader(GOLDEN_NOTE_GAME.notes).read(frameOf(1, Uint8Array.from(bytes)));
  assert.equal(read(2, 0, 0, 0, 0), null, 'a number without a form');
  assert.equal(read(0, 0, 0, 0, 0, 121, ...new Array<number>(121).fill(65)), null, 'a text above its bound');
});

test('a plain client is told to begin anew by a note that does not read', () => {
  const encoder = new PlainFrameEncoder('json', GOLDEN_NOTE_GAME, GOLDEN_QUANTUM);
  assert.equal(encoder.encode(buildFrame({ tick: 1, ack: 0, notes: { number: 1, bytes: Uint8Array.of(9) } })), null);
});

test('numbers say what did not come, over a connection that brought the same entity back too', () => {
  const reader = new NoteReader(GOLDEN_NOTE_GAME.notes);
  const missed = (number: number) => {
    reader.read(frameOf(number, TOLD));
    return reader.missed;
  };
  assert.deepEqual([missed(1), missed(3), missed(7)], [0, 0, 2]);
  reader.renew(GOLDEN_NOTE_GAME.notes, true);
  assert.equal(missed(12), 3);
  reader.renew(GOLDEN_NOTE_GAME.notes, false);
  assert.equal(missed(2), 1);
  const later = new NoteReader([]);
  later.renew(GOLDEN_NOTE_GAME.notes, true);
  later.read(frameOf(40, TOLD));
  assert.equal(later.missed, 0, 'a page of its own does not know what came before');
});
