import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Builder } from 'flatbuffers';
import { JoinRequest } from '../../../schemas/generated/tessera/wire/join-request.js';
import { Ping } from '../../../schemas/generated/tessera/wire/ping.js';
import { Place } from '../../../schemas/generated/tessera/wire/place.js';
import { Resync } from '../../../schemas/generated/tessera/wire/resync.js';
import { createRandom } from '../../../src/base/chance.js';
import { RejectCode } from '../../../src/game/reject-codes.js';
import {
  ClientKind,
  checkClientMessage,
  clientTimeOf,
  encodeJoin,
  encodeLeave,
  encodePing,
  encodeResync,
  type JoinFields,
  kindOf,
  PING_BYTES,
  readJoin,
  seqOf,
} from '../../../src/protocol/fb/client-message.js';
import { encodeCommand } from '../../../src/protocol/fb/command-layout.js';
import {
  CLIENT_MESSAGE_BYTES_MAX,
  GAME_KIND_MIN,
  NAME_BYTES_MAX,
  TOKEN_BYTES_MAX,
} from '../../../src/protocol/limits.js';
import { concatBytes, mutate, randomBytes } from '../mutation.js';
import { TOY_LAYOUTS } from '../toy-wire.js';

const ADA: JoinFields = { name: 'Ada', token: 'let me in', updateHz: 20 };

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function check(bytes: Uint8Array): RejectCode {
  return checkClientMessage(TOY_LAYOUTS, viewOf(bytes), 0, bytes.length);
}

function joinOf(bytes: Uint8Array): JoinFields | null {
  assert.equal(check(bytes), RejectCode.None);
  return readJoin(viewOf(bytes), 0, bytes.length);
}

function changed(bytes: Uint8Array, offset: number, value: number): Uint8Array {
  const copy = bytes.slice();
  copy[offset] = value;
  return copy;
}

test('what the encoders write is accepted and reads back', () => {
  assert.deepEqual(joinOf(encodeJoin(ADA)), ADA);
  const ping = encodePing(7, 0xfedcba98);
  assert.equal(check(ping), RejectCode.None);
  assert.equal(kindOf(viewOf(ping), 0), ClientKind.Ping);
  assert.equal(seqOf(viewOf(ping), 0), 7);
  assert.equal(clientTimeOf(viewOf(ping), 0), 0xfedcba98);
  for (const bytes of [encodeResync(8), encodeLeave(0xffffffff)]) assert.equal(check(bytes), RejectCode.None);
  assert.equal(seqOf(viewOf(encodeLeave(0xffffffff)), 0), 0xffffffff);
});

test('the fixed sizes are those of the generated structs', () => {
  assert.equal(PING_BYTES, Ping.sizeOf());
  assert.equal(encodeResync(1).length, Resync.sizeOf());
});

test('a join without any field is a guest without a name', () => {
  const builder = new Builder(16);
  JoinRequest.startJoinRequest(builder);
  builder.finish(JoinRequest.endJoinRequest(builder));
  const header = encodeJoin(ADA).slice(0, 8);
  assert.deepEqual(joinOf(concatBytes(header, builder.asUint8Array())), { name: '', token: '', updateHz: 0 });
});

test('names and tokens up to their limits are read, longer ones are not', () => {
  const name = 'é'.repeat(NAME_BYTES_MAX / 2);
  const token = 't'.repeat(TOKEN_BYTES_MAX);
  assert.deepEqual(joinOf(encodeJoin({ name, token, updateHz: 0 })), { name, token, updateHz: 0 });
  assert.equal(joinOf(encodeJoin({ name: `${name}.`, token, updateHz: 0 })), null);
  assert.equal(joinOf(encodeJoin({ name, token: `${token}.`, updateHz: 0 })), null);
});

test('what a spectator wants to watch is a place or a player, and not both', () => {
  for (const watch of [{ x: 0, y: -2.5 }, { player: 0 }, { player: 0xffffffff }]) {
    assert.deepEqual(joinOf(encodeJoin({ ...ADA, watch })), { ...ADA, watch });
  }
  for (const x of [Number.NaN, Number.POSITIVE_INFINITY])
    assert.equal(joinOf(encodeJoin({ ...ADA, watch: { x, y: 1 } })), null);
  const builder = new Builder(64);
  JoinRequest.startJoinRequest(builder);
  JoinRequest.addWatchPlayer(builder, 1);
  JoinRequest.addWatchPlace(builder, Place.createPlace(builder, 1, 2));
  builder.finish(JoinRequest.endJoinRequest(builder));
  assert.equal(joinOf(concatBytes(encodeJoin(ADA).slice(0, 8), builder.asUint8Array())), null);
});

test('a name may have spaces and everything else that can be written', () => {
  for (const name of ['Ada Lovelace', ' ', '!~', 'a\u00a0b', 'Zoë 日本', '\ufeff']) {
    assert.equal(joinOf(encodeJoin({ ...ADA, name }))?.name, name, JSON.stringify(name));
  }
});

test('a name with control characters or broken UTF-8 is not read', () => {
  for (const name of ['a\nb', '\u0000', 'a\u001f', 'a\u007f', '\u0080', '\u0085', '\u009f']) {
    assert.equal(joinOf(encodeJoin({ ...ADA, name })), null, JSON.stringify(name));
  }
  const bytes = encodeJoin({ ...ADA, name: 'xyz' });
  assert.equal(joinOf(changed(bytes, bytes.indexOf('y'.charCodeAt(0)), 0xff)), null);
});

test('a message beyond the limit is too large, whatever it is', () => {
  assert.equal(check(new Uint8Array(CLIENT_MESSAGE_BYTES_MAX + 1)), RejectCode.TooLarge);
  assert.equal(check(new Uint8Array(CLIENT_MESSAGE_BYTES_MAX)), RejectCode.UnknownKind);
  const join = encodeJoin({ ...ADA, token: 't'.repeat(TOKEN_BYTES_MAX) });
  assert.equal(check(concatBytes(join, new Uint8Array(CLIENT_MESSAGE_BYTES_MAX - join.length))), RejectCode.None);
});

test('commands of the game are known from the first kind that a game may use', () => {
  assert.equal(TOY_LAYOUTS.findByName('move')!.kind, GAME_KIND_MIN);
  for (const { name } of TOY_LAYOUTS.all) {
    const payload = { move: { x: 1, y: 2 }, mix: { a: 1, b: 2, c: 3, d: 4, e: 0, f: 6, g: 7 }, cheer: {} }[name]!;
    assert.equal(check(encodeCommand(TOY_LAYOUTS.findByName(name)!, payload, 1)), RejectCode.None, name);
  }
});

test('a message without a whole header is malformed', () => {
  for (let bytes = 0; bytes < 8; bytes++) assert.equal(check(encodeResync(1).slice(0, bytes)), RejectCode.Malformed);
});

test('the reserved half of the header must be zero', () => {
  assert.equal(check(changed(encodeResync(1), 2, 1)), RejectCode.Malformed);
  assert.equal(check(changed(encodePing(1, 1), 3, 1)), RejectCode.Malformed);
});

test('fixed messages of any other size are malformed', () => {
  for (const bytes of [encodePing(1, 2), encodeResync(1), encodeLeave(1)]) {
    assert.equal(check(concatBytes(bytes, new Uint8Array(1))), RejectCode.Malformed);
    assert.equal(check(bytes.slice(0, -1)), RejectCode.Malformed);
  }
});

test('kinds that nobody defined are unknown', () => {
  for (const kind of [0, 5, 255, 257, 302, 0xffff]) {
    const bytes = encodeResync(1);
    viewOf(bytes).setUint16(0, kind, true);
    assert.equal(check(bytes), RejectCode.UnknownKind, `kind ${kind}`);
  }
});

test('a join whose table is cut short anywhere is malformed', () => {
  const whole = encodeJoin(ADA);
  for (let bytes = 8; bytes < whole.length; bytes++) {
    const code = check(whole.slice(0, bytes));
    // Only padding behind the last string can be missed by nobody.
    assert.ok(code === RejectCode.Malformed || joinOf(whole.slice(0, bytes)) !== null, `${bytes} bytes`);
  }
  assert.equal(check(whole.slice(0, whole.length - 8)), RejectCode.Malformed);
});

test('random and damaged messages get a code and never an exception, and what is accepted can be read', () => {
  const seed = 21;
  const random = createRandom(seed);
  const move = TOY_LAYOUTS.findByName('move')!;
  const originals = [encodeJoin(ADA), encodePing(1, 2), encodeResync(3), encodeCommand(move, { x: 1, y: 2 }, 4)];
  let accepted = 0;
  for (let round = 0; round < 40_000; round++) {
    const original = originals[round % originals.length];
    const bytes = round % 10 === 0 ? randomBytes(random, 64) : mutate(random, original);
    // In the middle of other bytes, so that a check that strays reads something rather than throwing.
    const lead = 1 + Math.floor(random() * 9);
    const surrounded = concatBytes(
      randomBytes(random, 0),
      new Uint8Array(lead).fill(round),
      bytes,
      randomBytes(random, 16),
    );
    const code = checkClientMessage(TOY_LAYOUTS, viewOf(surrounded), lead, bytes.length);
    assert.equal(
      code,
      check(bytes),
      `seed ${seed}, round ${round}: the answer depends on what stands around a message`,
    );
    if (code !== RejectCode.None) continue;
    accepted++;
    if (kindOf(viewOf(bytes), 0) === ClientKind.Join) readJoin(viewOf(bytes), 0, bytes.length);
  }
  assert.ok(accepted > 100, `only ${accepted} were accepted: the damage is too coarse to test anything`);
});
