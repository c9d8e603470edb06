import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { ByteBuffer } from 'flatbuffers';
import { ArenaCommand } from '../../schemas/generated/tessera/arena/arena-command.js';
import { Move } from '../../schemas/generated/tessera/arena/move.js';
import { Shoot } from '../../schemas/generated/tessera/arena/shoot.js';
import { RejectCode } from '../../src/game/reject-codes.js';
import { checkClientMessage } from '../../src/protocol/fb/client-message.js';
import { EntityDecoder, type FieldValue } from '../../src/protocol/fb/entity-decoder.js';
import {
  buildFrame,
  openFrame,
  readNotice,
  readPong,
  readRejects,
  readWelcome,
} from '../../src/protocol/fb/server-frame.js';
import { CLIENT_MESSAGE_BYTES_MAX, NO_ENTITY } from '../../src/protocol/limits.js';
import { transcodePlain } from '../../src/protocol/plain/plain-client-message.js';
import { PlainFrameEncoder } from '../../src/protocol/plain/plain-frame.js';
import { describeMessage } from './describe-message.js';
import {
  GOLDEN_CLIENT_MESSAGES,
  GOLDEN_FOLDER,
  GOLDEN_FRAMES,
  GOLDEN_GAME,
  GOLDEN_RICH_FRAMES,
  GOLDEN_RICH_GAME,
  GOLDEN_TEAM_FRAMES,
  GOLDEN_TEAM_GAME,
  listGoldenFiles,
  readGoldenHex,
  readGoldenText,
} from './golden-messages.js';
import { GOLDEN_QUANTUM } from './golden-welcome.js';

const layouts = GOLDEN_GAME.layouts;

test('every message is encoded to its golden bytes in every encoding, and there is no other golden file', () => {
  const files = listGoldenFiles();
  for (const { path, text } of files) assert.equal(text, readGoldenText(path), path);
  assert.deepEqual(readdirSync(GOLDEN_FOLDER).sort(), files.map(({ path }) => path).sort());
});

for (const { name, plain } of GOLDEN_CLIENT_MESSAGES) {
  test(`the golden bytes of ${name} are accepted and say what they should in every encoding`, () => {
    const bytes = readGoldenHex(`${name}.hex`);
    const view = new DataView(bytes.buffer);
    assert.equal(checkClientMessage(layouts, view, 0, bytes.length), RejectCode.None);
    assert.deepEqual(describeMessage(layouts, view, 0, bytes.length), plain);

    const scratch = new DataView(new ArrayBuffer(CLIENT_MESSAGE_BYTES_MAX));
    const json = new TextEncoder().encode(readGoldenText(`${name}.jsonl`));
    const msgpack = readGoldenHex(`${name}.msgpack.hex`);
    for (const bytesWritten of [
      transcodePlain(layouts, 'json', json, scratch, 0),
      transcodePlain(layouts, 'msgpack', msgpack, scratch, 0),
    ]) {
      assert.deepEqual(new Uint8Array(scratch.buffer, 0, bytesWritten), bytes);
    }
  });
}

test('the arena commands read back through the code generated from its schema', () => {
  const open = (name: string) => new ByteBuffer(readGoldenHex(`${name}.hex`));
  const move = new Move().__init(0, open('client-arena-move'));
  assert.deepEqual([move.header()!.kind(), move.header()!.seq(), move.x(), move.y()], [ArenaCommand.Move, 3, 127, -1]);
  const shoot = new Shoot().__init(0, open('client-arena-shoot'));
  assert.deepEqual([shoot.header()!.kind(), shoot.header()!.seq(), shoot.angle()], [ArenaCommand.Shoot, 4, 16384]);
});

test('the golden frames, one after the other, tell the story that their comments tell', () => {
  const decoder = new EntityDecoder(GOLDEN_GAME.fields, GOLDEN_QUANTUM, GOLDEN_GAME.kinds);
  const after = new Map<string, [number, string, number, number, FieldValue[]][]>();
  for (const { name } of GOLDEN_FRAMES) {
    const delta = decoder.apply(openFrame(readGoldenHex(`${name}.hex`))!);
    assert.equal(delta.error, null, name);
    const entities = [...decoder.entities.values()].sort((a, b) => a.id - b.id);
    after.set(
      name,
      entities.map(({ id, kind, x, y, fields }) => [id, decoder.kinds[kind], x, y, fields.slice()]),
    );
  }
  assert.deepEqual(after.get('frame-01-welcome'), []);
  assert.deepEqual(after.get('frame-02-full'), [
    [5, 'npc', 10, 20, [80, 90]],
    [300, 'player', 12.5, 20.25, [100, 0]],
  ]);
  assert.deepEqual(after.get('frame-03-steps'), [
    [5, 'npc', 9.875, 20, [80, 90]],
    [300, 'player', 12.8125, 20.25, [100, 0]],
  ]);
  assert.deepEqual(after.get('frame-04-wraps'), [
    [5, 'npc', 1026, 20, [80, 90]],
    [300, 'player', 16.0625, 20, [100, 0]],
  ]);
  assert.deepEqual(after.get('frame-05-fields')?.[1], [300, 'player', 16.0625, 20, [95, 90.5]]);
  assert.deepEqual(after.get('frame-06-reused-id')?.[0], [5, 'player', 1, 2, [0, 90]]);
  assert.deepEqual(after.get('frame-07-leaves')?.length, 1);
  assert.deepEqual(after.get('frame-08-keep-alive'), after.get('frame-07-leaves'));
});

test('the golden frames that carry no entities say what their comments say', () => {
  const open = (name: string) => openFrame(readGoldenHex(`${name}.hex`))!;
  const welcome = readWelcome(open('frame-01-welcome'))!;
  assert.deepEqual([welcome.clientId, welcome.entityId, welcome.quantum], [7, 300, GOLDEN_QUANTUM]);
  assert.deepEqual([welcome.fields, welcome.commands], [GOLDEN_GAME.fields, GOLDEN_GAME.commands]);
  assert.deepEqual(readPong(open('frame-09-pong')), { seq: 1, clientTime: 123456789 });
  assert.deepEqual(readRejects(open('frame-10-rejects')), [
    { seq: 4, kind: 257, code: RejectCode.Cooldown },
    { seq: 6, kind: 256, code: RejectCode.OutOfRange },
  ]);
  assert.equal(readNotice(open('frame-11-notice'))?.code, RejectCode.Draining);
});

test("a golden spectator's Welcome names no entity", () => {
  const { clientId, entityId, spectator } = readWelcome(openFrame(readGoldenHex('spectator-01-welcome.hex'))!)!;
  assert.deepEqual([clientId, entityId, spectator], [9, NO_ENTITY, true]);
});

test('golden frames become golden plain messages', () => {
  const json = new PlainFrameEncoder('json', GOLDEN_GAME, GOLDEN_QUANTUM);
  const msgpack = new PlainFrameEncoder('msgpack', GOLDEN_GAME, GOLDEN_QUANTUM);
  for (const { name } of GOLDEN_FRAMES) {
    const bytes = readGoldenHex(`${name}.hex`);
    assert.equal(`${json.encode(bytes)}\n`, readGoldenText(`${name}.jsonl`), name);
    assert.deepEqual(Uint8Array.from(msgpack.encode(bytes) as Uint8Array), readGoldenHex(`${name}.msgpack.hex`), name);
  }
});

test('the golden frames of a game with every kind of field tell what their comments tell', () => {
  const welcome = readWelcome(openFrame(readGoldenHex('rich-01-welcome.hex'))!)!;
  assert.deepEqual(welcome.fields, GOLDEN_RICH_GAME.fields);
  const decoder = new EntityDecoder(welcome.fields, GOLDEN_QUANTUM, welcome.kinds);
  for (const { name } of GOLDEN_RICH_FRAMES) {
    assert.equal(decoder.apply(openFrame(readGoldenHex(`${name}.hex`))!).error, null, name);
  }
  const bag = new Array<number>(20).fill(0);
  const fieldsOf = (id: number) => decoder.entities.get(id)?.fields;
  assert.deepEqual(fieldsOf(4), [
    1,
    1,
    Object.assign(bag.slice(), { 0: 7, 9: 258, 19: 65535 }),
    'Zoë',
    -1,
    299,
    [0, 0, 3],
  ]);
  assert.deepEqual(fieldsOf(9), [0, 1, bag, 'Ada', -1, 0, [0, 0, 0]]);
});

test('the golden frames of a game with teams tell what their comments tell', () => {
  const welcome = readWelcome(openFrame(readGoldenHex('team-01-welcome.hex'))!)!;
  assert.deepEqual(welcome.fields, GOLDEN_TEAM_GAME.fields);
  const decoder = new EntityDecoder(welcome.fields, GOLDEN_QUANTUM, welcome.kinds);
  const told = GOLDEN_TEAM_FRAMES.map(({ name }) => {
    const { error, entered } = decoder.apply(openFrame(readGoldenHex(`${name}.hex`))!);
    return [error, entered, decoder.entities.get(5)?.fields];
  });
  assert.deepEqual(told, [
    [null, [], undefined],
    [null, [4, 5], [8, 258]],
    [null, [], [8, 0]],
  ]);
});

test('records of a game with every kind of field that are cut short or wrong are errors, and never read beyond their frame', () => {
  const { fields, kinds } = GOLDEN_RICH_GAME;
  const [, full] = GOLDEN_RICH_FRAMES.map(({ bytes }) => openFrame(bytes)!.entitiesArray()!);
  const errorOf = (entities: Uint8Array) =>
    new EntityDecoder(fields, GOLDEN_QUANTUM, kinds).apply(openFrame(buildFrame({ tick: 1, ack: 0, entities }))!).error;
  assert.equal(errorOf(full), null);
  const ends = [0, full.length - 12, full.length];
  for (let end = 1; end < full.length; end++) {
    if (!ends.includes(end)) assert.notEqual(errorOf(full.slice(0, end)), null, `cut at ${end}`);
  }
  const bag = (...bytes: number[]) => Uint8Array.of(4, 0x13, 0, 0, 0, 0, 0, 0, 0, 0, 0, ...bytes);
  assert.equal(errorOf(bag(0b1, 0b1, 1, 0)), null);
  assert.equal(errorOf(bag(0b1000, 0b1, 1, 0)), 'a field is not what it should be', 'a group that is not there');
  assert.equal(errorOf(bag(0b100, 0b10000, 1, 0)), 'a field is not what it should be', 'an element that is not there');
  assert.equal(errorOf(Uint8Array.of(4, 0x80, 0x04)), 'the mask names a field that does not exist');
});
