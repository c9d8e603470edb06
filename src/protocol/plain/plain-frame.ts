// ServerFrames as plain objects, for clients of the JSON and MessagePack sub-protocols. The low-bit positions of a frame
// mean nothing without what came before, so each such client has a decoder here that follows its frames.

import { assert } from '../../base/assert.js';
import { rejectReason } from '../../game/reject-codes.js';
import { PLAIN_ENTITY_KEYS } from '../../game/validation/reserved-names.js';
import { EntityDecoder, type FrameDelta, wasSent } from '../fb/entity-decoder.js';
import { type NoteMessage, NoteReader } from '../fb/note-reader.js';
import {
  FrameFlag,
  type NoticeInfo,
  openFrame,
  type PongInfo,
  readLeaves,
  readNotice,
  readPong,
  readRejects,
  readWelcome,
  type ServerFrame,
  type WelcomeInfo,
} from '../fb/server-frame.js';
import type { GameDescription } from '../game-description.js';
import { plainValue } from '../plain-value.js';
import { formatPlain, type PlainEncoding } from './plain-codec.js';

/** Names of the engine's messages by kind. */
const ENGINE_MESSAGES = ['', 'join', 'ping', 'resync', 'leave'];

/** Only what changed is present; when `entered` is, everything that its kind has. Fields stand beside x and y by their names. */
export interface PlainEntity {
  id: number;
  entered?: true;
  kind?: string;
  x?: number;
  y?: number;
  [field: string]: unknown;
}

export interface PlainReject {
  seq: number;
  /** The `type` of the refused message; '' when it had none that is known. */
  kind: string;
  code: number;
  reason: string;
}

export interface PlainFrame {
  tick: number;
  ack: number;
  full?: true;
  leaves?: number[];
  entities?: PlainEntity[];
  rejects?: PlainReject[];
  pong?: PongInfo;
  welcome?: WelcomeInfo;
  notice?: NoticeInfo;
  notes?: NoteMessage[];
}

export class PlainFrameEncoder {
  readonly encoding: PlainEncoding;
  private readonly decoder: EntityDecoder;
  private readonly notes: NoteReader;
  private readonly kindNames: Map<number, string>;
  /** The client's own entity; -1 before its welcome. */
  private ownId = -1;

  constructor(encoding: PlainEncoding, game: GameDescription, quantum: number) {
    for (const field of game.fields) {
      assert(!PLAIN_ENTITY_KEYS.includes(field.name), 'a replicated field has a name of its own', field.name);
    }
    this.encoding = encoding;
    this.decoder = new EntityDecoder(game.fields, quantum, game.kinds, game.kindFields);
    this.notes = new NoteReader(game.notes);
    this.kindNames = new Map(ENGINE_MESSAGES.entries());
    for (const command of game.commands) this.kindNames.set(command.kind, command.name);
  }

  /** The message for one frame of this client; null when the bytes are no frame that continues what came before. */
  encode(bytes: Uint8Array): string | Uint8Array | null {
    const frame = openFrame(bytes);
    const plain = frame === null ? null : this.describe(frame);
    return plain === null ? null : formatPlain(this.encoding, plain);
  }

  /** Null when an entity record or a note is malformed. */
  describe(frame: ServerFrame): PlainFrame | null {
    const delta = this.decoder.apply(frame);
    if (delta.error !== null) return null;
    const plain: PlainFrame = { tick: frame.tick(), ack: frame.ack() };
    if ((frame.flags() & FrameFlag.Full) !== 0) plain.full = true;
    if (frame.leavesLength() > 0) plain.leaves = readLeaves(frame);
    const entities = this.describeEntities(delta);
    if (entities.length > 0) plain.entities = entities;
    this.describeRest(frame, plain);
    const notes = this.notes.read(frame);
    if (notes === null) return null;
    if (notes.length > 0) plain.notes = notes;
    return plain;
  }

  private describeEntities(delta: FrameDelta): PlainEntity[] {
    const entities: PlainEntity[] = [];
    for (const id of delta.entered) entities.push(this.describeEntered(id));
    for (const update of delta.updated) {
      const { id, moved } = update;
      const isOwn = id === this.ownId;
      const state = this.decoder.entities.get(id)!;
      const entity: PlainEntity = { id };
      if (moved) {
        entity.x = state.x;
        entity.y = state.y;
      }
      this.decoder.fields.forEach((field, index) => {
        if (wasSent(update, index) && (isOwn || field.audience !== 'owner')) {
          entity[field.name] = plainValue(field, state.fields[index]);
        }
      });
      entities.push(entity);
    }
    return entities;
  }

  private describeEntered(id: number): PlainEntity {
    const { kind, x, y, fields } = this.decoder.entities.get(id)!;
    const entity: PlainEntity = { id, entered: true, kind: this.decoder.kinds[kind], x, y };
    this.decoder.fields.forEach((field, index) => {
      if (fields[index] !== undefined && (id === this.ownId || field.audience !== 'owner')) {
        entity[field.name] = plainValue(field, fields[index]);
      }
    });
    return entity;
  }

  private describeRest(frame: ServerFrame, plain: PlainFrame): void {
    if (frame.rejectsLength() > 0) {
      plain.rejects = readRejects(frame).map(({ seq, kind, code }) => {
        return { seq, kind: this.kindNames.get(kind) ?? '', code, reason: rejectReason(code) };
      });
    }
    const pong = readPong(frame);
    if (pong !== null) plain.pong = pong;
    const welcome = readWelcome(frame);
    if (welcome !== null) {
      plain.welcome = welcome;
      this.ownId = welcome.entityId;
    }
    const notice = readNotice(frame);
    if (notice !== null) plain.notice = notice;
  }
}
