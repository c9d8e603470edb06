// One of every message, for schemas/golden. The frames are one conversation: each builds on those before it.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { RejectCode } from '../../src/game/reject-codes.js';
import { ARENA_COMMANDS } from '../../src/games/arena/command-forms.js';
import { encodeJoin, encodeLeave, encodePing, encodeResync } from '../../src/protocol/fb/client-message.js';
import { encodeCommand } from '../../src/protocol/fb/command-layout.js';
import { buildFrame } from '../../src/protocol/fb/server-frame.js';
import { describeGame } from '../../src/protocol/game-description.js';
import { NO_ENTITY } from '../../src/protocol/limits.js';
import { formatPlain, type PlainEncoding } from '../../src/protocol/plain/plain-codec.js';
import { PlainFrameEncoder } from '../../src/protocol/plain/plain-frame.js';
import { GOLDEN_NOTE_FRAMES, GOLDEN_NOTE_GAME } from './golden-notes.js';
import { GOLDEN_QUANTUM, goldenWelcome } from './golden-welcome.js';
import { type EntityRecord, writeRecords } from './record-writer.js';

/** Tests run from the top of the repository. */
export const GOLDEN_FOLDER = join(process.cwd(), 'schemas', 'golden');

export const GOLDEN_GAME = describeGame({
  name: 'arena',
  kinds: ['player', 'npc'],
  fields: {
    hp: { type: 'u8', wire: { type: 'u8' } },
    turn: { type: 'f32', wire: { type: 'i16', scale: 0.5, offset: 90 } },
  },
  commands: ARENA_COMMANDS,
});

export interface GoldenMessage {
  name: string;
  /** What it says, in a line. */
  comment: string;
  bytes: Uint8Array;
}
export interface GoldenClientMessage extends GoldenMessage {
  plain: object;
}

const layoutOf = (name: string) => GOLDEN_GAME.layouts.findByName(name)!;

export const GOLDEN_CLIENT_MESSAGES: readonly GoldenClientMessage[] = [
  {
    name: 'client-join',
    comment: 'Join: name "Ada", token "ticket", 20 frames per second',
    bytes: encodeJoin({ name: 'Ada', token: 'ticket', updateHz: 20 }),
    plain: { type: 'join', seq: 0, name: 'Ada', token: 'ticket', updateHz: 20 },
  },
  {
    name: 'client-join-guest',
    comment: 'Join: name "Zoë", no token, the frame rate of the server',
    bytes: encodeJoin({ name: 'Zoë', token: '', updateHz: 0 }),
    plain: { type: 'join', seq: 0, name: 'Zoë', token: '', updateHz: 0 },
  },
  {
    name: 'client-join-watch-place',
    comment: 'Join: name "Ada", to watch the place (24, 64.5)',
    bytes: encodeJoin({ name: 'Ada', token: '', updateHz: 0, watch: { x: 24, y: 64.5 } }),
    plain: { type: 'join', seq: 0, name: 'Ada', token: '', updateHz: 0, watchX: 24, watchY: 64.5 },
  },
  {
    name: 'client-join-watch-player',
    comment: 'Join: name "Ada", to watch the player whose entity is 300',
    bytes: encodeJoin({ name: 'Ada', token: '', updateHz: 0, watch: { player: 300 } }),
    plain: { type: 'join', seq: 0, name: 'Ada', token: '', updateHz: 0, watchPlayer: 300 },
  },
  {
    name: 'client-ping',
    comment: 'Ping: seq 1, client_time 123456789',
    bytes: encodePing(1, 123456789),
    plain: { type: 'ping', seq: 1, clientTime: 123456789 },
  },
  { name: 'client-resync', comment: 'Resync: seq 2', bytes: encodeResync(2), plain: { type: 'resync', seq: 2 } },
  {
    name: 'client-arena-move',
    comment: 'Move (arena): seq 3, x 127, y -1',
    bytes: encodeCommand(layoutOf('Move'), { x: 127, y: -1 }, 3),
    plain: { type: 'Move', seq: 3, x: 127, y: -1 },
  },
  {
    name: 'client-arena-shoot',
    comment: 'Shoot (arena): seq 4, angle 16384, a quarter turn',
    bytes: encodeCommand(layoutOf('Shoot'), { angle: 16384 }, 4),
    plain: { type: 'Shoot', seq: 4, angle: 16384 },
  },
  { name: 'client-leave', comment: 'Leave: seq 5', bytes: encodeLeave(5), plain: { type: 'leave', seq: 5 } },
];

const records = (...list: EntityRecord[]) => writeRecords(GOLDEN_GAME.fields, list);

export const GOLDEN_FRAMES: readonly GoldenMessage[] = [
  {
    name: 'frame-01-welcome',
    comment: 'Welcome: client 7, entity 300; kinds player and npc; fields hp (u8) and turn (i16 * 0.5 + 90)',
    bytes: goldenWelcome(GOLDEN_GAME, { clientId: 7, entityId: 300, token: 'ticket', resumed: true }),
  },
  {
    name: 'frame-02-full',
    comment: 'Tick 1000, full: npc 5 at (10, 20) with hp 80; player 300 at (12.5, 20.25) with hp 100 and turn 0',
    bytes: buildFrame({
      tick: 1000,
      ack: 0,
      full: true,
      entities: records(
        { id: 5, position: { form: 3, kind: 1, x: 320, y: 640 }, raw: new Map([[0, 80]]) },
        {
          id: 300,
          position: { form: 3, kind: 0, x: 400, y: 648 },
          raw: new Map([
            [0, 100],
            [1, -180],
          ]),
        },
      ),
    }),
  },
  {
    name: 'frame-03-steps',
    comment: 'Tick 1003, ack 3: both step by low 8 bits, npc 5 to (9.875, 20), player 300 to (12.8125, 20.25)',
    bytes: buildFrame({
      tick: 1003,
      ack: 3,
      entities: records(
        { id: 5, position: { form: 1, x: 316, y: 640 } },
        { id: 300, position: { form: 1, x: 410, y: 648 } },
      ),
    }),
  },
  {
    name: 'frame-04-wraps',
    comment: 'Tick 1006: the low bits wrap. Npc 5 goes by 16 bits to (1026, 20), player 300 by 8 bits to (16.0625, 20)',
    bytes: buildFrame({
      tick: 1006,
      ack: 3,
      entities: records(
        { id: 5, position: { form: 2, x: 32832, y: 640 } },
        { id: 300, position: { form: 1, x: 514, y: 640 } },
      ),
    }),
  },
  {
    name: 'frame-05-fields',
    comment: 'Tick 1009: player 300 stands; hp is 95, turn is 90.5',
    bytes: buildFrame({
      tick: 1009,
      ack: 3,
      entities: records({
        id: 300,
        raw: new Map([
          [0, 95],
          [1, 1],
        ]),
      }),
    }),
  },
  {
    name: 'frame-06-reused-id',
    comment: 'Tick 1012: npc 5 leaves, and a player enters as 5 at (1, 2) with hp 0 and turn 90',
    bytes: buildFrame({
      tick: 1012,
      ack: 3,
      leaves: [5],
      entities: records({ id: 5, position: { form: 3, kind: 0, x: 32, y: 64 } }),
    }),
  },
  {
    name: 'frame-07-leaves',
    comment: 'Tick 1015: 5 leaves',
    bytes: buildFrame({ tick: 1015, ack: 3, leaves: [5] }),
  },
  { name: 'frame-08-keep-alive', comment: 'Tick 1075: nothing changed', bytes: buildFrame({ tick: 1075, ack: 3 }) },
  {
    name: 'frame-09-pong',
    comment: 'Pong: to seq 1, client_time 123456789',
    bytes: buildFrame({ tick: 0, ack: 0, pong: { seq: 1, clientTime: 123456789 } }),
  },
  {
    name: 'frame-10-rejects',
    comment: 'Rejects: Shoot with seq 4 for its cooldown, Move with seq 6 for a value out of range',
    bytes: buildFrame({
      tick: 0,
      ack: 0,
      rejects: [
        { seq: 4, kind: 257, code: RejectCode.Cooldown },
        { seq: 6, kind: 256, code: RejectCode.OutOfRange },
      ],
    }),
  },
  {
    name: 'frame-11-notice',
    comment: 'Notice: code Draining, with a text',
    bytes: buildFrame({ tick: 0, ack: 0, notice: { code: RejectCode.Draining, text: 'the server is shutting down' } }),
  },
];

/** A game with every kind of field, and fields that only the owner of an entity gets. */
export const GOLDEN_RICH_GAME = describeGame({
  name: 'rich',
  kinds: ['player'],
  fields: {
    mana: { type: 'u16', wire: { audience: 'owner' } },
    team: { type: 'u8', oneOf: ['red', 'blue'], wire: {} },
    isReady: { type: 'bool', wire: {} },
    bag: { type: 'u16', length: 20, wire: {} },
    charges: { type: 'u8', length: 3, wire: { audience: 'owner' } },
    name: { type: 'text', bytes: 24, wire: {} },
    target: { type: 'ref', wire: {} },
  },
  commands: [],
});

/** Written by hand from WIRE.md. Fields: 0 team, 1 isReady, 2 bag, 3 name, 4 target, 5 mana, 6 charges. */
export const GOLDEN_RICH_FRAMES: readonly GoldenMessage[] = [
  {
    name: 'rich-01-welcome',
    comment:
      'Welcome: client 8, entity 4; two fields that only owners get, an enum, a bool, two arrays, a text, a reference',
    bytes: goldenWelcome(GOLDEN_RICH_GAME, { clientId: 8, entityId: 4 }),
  },
  {
    name: 'rich-02-full',
    comment: 'Tick 1000, full: own entity 4 with all of its fields; player 9 ready, in team red, with nothing else',
    bytes: buildFrame({
      tick: 1000,
      ack: 0,
      full: true,
      entities: Uint8Array.of(
        ...[4, 0xff, 0x03, 0, 0x40, 1, 0, 0, 0x80, 2, 0, 0],
        ...[1, 1, 0b101, 0b00000001, 7, 0, 0b00001000, 0xff, 0xff],
        ...[4, 0x5a, 0x6f, 0xc3, 0xab, 10, 0, 0, 0, 0x2c, 1, 0b100, 3],
        ...[5, 0x0b, 0, 0x40, 1, 0, 0, 0x80, 2, 0, 0, 1],
      ),
    }),
  },
  {
    name: 'rich-03-elements',
    comment: 'Tick 1003: element 9 of the bag of 4 is 258, its mana is 299, its target none; player 9 is called Ada',
    bytes: buildFrame({
      tick: 1003,
      ack: 0,
      entities: Uint8Array.of(
        ...[4, 0xd0, 0x01, 0b010, 0b00000010, 2, 1, 0, 0, 0, 0, 0x2b, 1],
        ...[5, 0x20, 3, 0x41, 0x64, 0x61],
      ),
    }),
  },
];

/** A game with teams. Fields: 0 hp, 1 plan, which an entity's team gets. */
export const GOLDEN_TEAM_GAME = describeGame({
  name: 'teams',
  kinds: ['player'],
  fields: { plan: { type: 'u16', wire: { audience: 'team' } }, hp: { type: 'u8', wire: {} } },
  commands: [],
});

/** Written by hand from WIRE.md. */
export const GOLDEN_TEAM_FRAMES: readonly GoldenMessage[] = [
  {
    name: 'team-01-welcome',
    comment: 'Welcome: client 8, entity 4; a field that everybody gets, and one that only teams get',
    bytes: goldenWelcome(GOLDEN_TEAM_GAME, { clientId: 8, entityId: 4 }),
  },
  {
    name: 'team-02-mate',
    comment: 'Tick 1000, full: own entity 4 with hp 9; player 5, a team mate, with hp 8 and its plan 258',
    bytes: buildFrame({
      tick: 1000,
      ack: 0,
      full: true,
      entities: Uint8Array.of(
        ...[4, 0x07, 0, 0x40, 1, 0, 0, 0x80, 2, 0, 0, 9],
        ...[1, 0x0f, 0, 0x40, 1, 0, 0, 0x80, 2, 0, 0, 8, 2, 1],
      ),
    }),
  },
  {
    name: 'team-03-opponent',
    comment: 'Tick 1003: player 5 is of another team now; it is told anew, and its plan is raw 0 here',
    bytes: buildFrame({ tick: 1003, ack: 0, entities: Uint8Array.of(5, 0x07, 0, 0x40, 1, 0, 0, 0x80, 2, 0, 0, 8) }),
  },
];

export const GOLDEN_SPECTATOR_FRAMES: readonly GoldenMessage[] = [
  {
    name: 'spectator-01-welcome',
    comment: 'Welcome of a spectator: client 9, no entity',
    bytes: goldenWelcome(GOLDEN_TEAM_GAME, { clientId: 9, entityId: NO_ENTITY, spectator: true }),
  },
];

export interface GoldenFile {
  /** In GOLDEN_FOLDER. */
  path: string;
  text: string;
}

/** What the files in schemas/golden are to hold. */
export function listGoldenFiles(): GoldenFile[] {
  const encoders = {
    json: new PlainFrameEncoder('json', GOLDEN_GAME, GOLDEN_QUANTUM),
    msgpack: new PlainFrameEncoder('msgpack', GOLDEN_GAME, GOLDEN_QUANTUM),
  };
  const rich = {
    json: new PlainFrameEncoder('json', GOLDEN_RICH_GAME, GOLDEN_QUANTUM),
    msgpack: new PlainFrameEncoder('msgpack', GOLDEN_RICH_GAME, GOLDEN_QUANTUM),
  };
  const teams = {
    json: new PlainFrameEncoder('json', GOLDEN_TEAM_GAME, GOLDEN_QUANTUM),
    msgpack: new PlainFrameEncoder('msgpack', GOLDEN_TEAM_GAME, GOLDEN_QUANTUM),
  };
  const notes = {
    json: new PlainFrameEncoder('json', GOLDEN_NOTE_GAME, GOLDEN_QUANTUM),
    msgpack: new PlainFrameEncoder('msgpack', GOLDEN_NOTE_GAME, GOLDEN_QUANTUM),
  };
  return [
    ...GOLDEN_CLIENT_MESSAGES.flatMap((message) =>
      filesOf(message, (encoding) => formatPlain(encoding, message.plain)),
    ),
    ...GOLDEN_FRAMES.flatMap((message) => filesOf(message, (encoding) => encoders[encoding].encode(message.bytes)!)),
    ...GOLDEN_RICH_FRAMES.flatMap((message) => filesOf(message, (encoding) => rich[encoding].encode(message.bytes)!)),
    ...GOLDEN_TEAM_FRAMES.flatMap((message) => filesOf(message, (encoding) => teams[encoding].encode(message.bytes)!)),
    ...GOLDEN_SPECTATOR_FRAMES.flatMap((message) =>
      filesOf(message, (encoding) => teams[encoding].encode(message.bytes)!),
    ),
    ...GOLDEN_NOTE_FRAMES.flatMap((message) => filesOf(message, (encoding) => notes[encoding].encode(message.bytes)!)),
  ];
}

function filesOf(message: GoldenMessage, plain: (encoding: PlainEncoding) => string | Uint8Array): GoldenFile[] {
  const { name, comment, bytes } = message;
  return [
    { path: `${name}.hex`, text: formatHex(comment, bytes) },
    { path: `${name}.jsonl`, text: `${plain('json')}\n` },
    { path: `${name}.msgpack.hex`, text: formatHex(comment, plain('msgpack') as Uint8Array) },
  ];
}

function formatHex(comment: string, bytes: Uint8Array): string {
  const lines = [`# ${comment}`];
  for (let start = 0; start < bytes.length; start += 16) {
    const row = Array.from(bytes.subarray(start, start + 16), (byte) => byte.toString(16).padStart(2, '0'));
    lines.push(row.join(' '));
  }
  return `${lines.join('\n')}\n`;
}

export function readGoldenText(path: string): string {
  return readFileSync(join(GOLDEN_FOLDER, path), 'utf8');
}

export function readGoldenHex(path: string): Uint8Array {
  const lines = readGoldenText(path).split('\n');
  const hex = lines.filter((line) => !line.startsWith('#')).join(' ');
  return Uint8Array.from(
    hex.split(' ').filter((pair) => pair !== ''),
    (pair) => Number.parseInt(pair, 16),
  );
}
