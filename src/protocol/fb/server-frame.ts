// What a server sends: every message is one ServerFrame. State frames are laid out by the zone worker; the rare ones
// (welcome, rejects, pong, notice) are built here. A reader opens a frame with openFrame, which verifies it first.

import { Builder, ByteBuffer, type Offset } from 'flatbuffers';
import { Audience } from '../../../schemas/generated/tessera/wire/audience.js';
import { CommandInfo } from '../../../schemas/generated/tessera/wire/command-info.js';
import { FieldInfo } from '../../../schemas/generated/tessera/wire/field-info.js';
import { FieldShape } from '../../../schemas/generated/tessera/wire/field-shape.js';
import { FrameFlag } from '../../../schemas/generated/tessera/wire/frame-flag.js';
import { KindInfo } from '../../../schemas/generated/tessera/wire/kind-info.js';
import { NoteInfo } from '../../../schemas/generated/tessera/wire/note-info.js';
import { Notice } from '../../../schemas/generated/tessera/wire/notice.js';
import { Pong } from '../../../schemas/generated/tessera/wire/pong.js';
import { Reject } from '../../../schemas/generated/tessera/wire/reject.js';
import { ServerFrame } from '../../../schemas/generated/tessera/wire/server-frame.js';
import { Welcome } from '../../../schemas/generated/tessera/wire/welcome.js';
import { assert } from '../../base/assert.js';
import { FIELD_SHAPES, type FieldForm } from '../../game/fields/replicated-fields.js';
import type { NoteForm } from '../../game/notes/note-forms.js';
import { WIRE_TYPE_NAMES, WIRE_TYPES } from '../../game/wire-types.js';
import {
  ENUM_NAMES_MAX,
  NOTE_VALUES_MAX,
  NOTICE_BYTES_MAX,
  TOKEN_BYTES_MAX,
  WIRE_COMMANDS_MAX,
  WIRE_FIELDS_MAX,
  WIRE_KINDS_MAX,
  WIRE_NAME_BYTES_MAX,
  WIRE_NOTES_MAX,
} from '../limits.js';
import { inline, type Slot, type TableShape, verifyTable } from './table-verifier.js';

export type { FieldForm };
export { FrameFlag, ServerFrame };

export const PROTOCOL_VERSION = 1;

export interface CommandForm {
  name: string;
  kind: number;
  /** Of the whole struct, header included. */
  bytes: number;
}

export interface WelcomeInfo {
  protocol: number;
  game: string;
  clientId: number;
  entityId: number;
  tickHz: number;
  updateHz: number;
  worldWidth: number;
  worldHeight: number;
  /** World units per step of a position. */
  quantum: number;
  viewRadius: number;
  leaveRadius: number;
  /** Entity kinds by number. */
  kinds: readonly string[];
  /** In the order of the mask's bits. */
  fields: readonly FieldForm[];
  /** By kind, the numbers of the fields that it has, rising: the bits of its masks. Absent: each has all. */
  kindFields?: readonly (readonly number[])[];
  commands: readonly CommandForm[];
  /** For the next Join, to come back to this entity; empty where the server gives none. */
  token: string;
  /** This is the entity that the token of the Join was given for. */
  resumed: boolean;
  /** By number; absent where the game tells nothing. */
  notes?: readonly NoteForm[];
  /** No entity is the client's, and entityId names none. Absent for players. */
  spectator?: true;
}

export interface RejectInfo {
  seq: number;
  kind: number;
  code: number;
}

export interface PongInfo {
  seq: number;
  clientTime: number;
}

export interface NoticeInfo {
  code: number;
  text: string;
}

export interface FrameParts {
  tick: number;
  ack: number;
  full?: boolean;
  /** Entity records as they go on the wire. */
  entities?: Uint8Array;
  leaves?: readonly number[];
  rejects?: readonly RejectInfo[];
  pong?: PongInfo;
  welcome?: WelcomeInfo;
  notice?: NoticeInfo;
  /** Notes as they go on the wire. */
  notes?: { number: number; bytes: Uint8Array };
}

const NAME: Slot = { form: 'string', bytesMax: WIRE_NAME_BYTES_MAX };
const COUNT_ANY = 0xffffffff;

const FIELD_SHAPE: TableShape = [
  NAME,
  inline(1), // type
  inline(4), // scale
  inline(4), // offset
  inline(1), // audience
  inline(1), // shape
  inline(2), // length
  { form: 'strings', countMax: ENUM_NAMES_MAX, bytesMax: WIRE_NAME_BYTES_MAX },
];
const COMMAND_SHAPE: TableShape = [NAME, inline(2), inline(2)];
const NOTE_SHAPE: TableShape = [NAME, { form: 'tables', countMax: NOTE_VALUES_MAX, shape: FIELD_SHAPE }];
const KIND_SHAPE: TableShape = [{ form: 'vector', elementBytes: 2, align: 2, countMax: WIRE_FIELDS_MAX }];
const WELCOME_SHAPE: TableShape = [
  inline(2), // protocol
  NAME, // game
  inline(4), // client_id
  inline(4), // entity_id
  inline(2), // tick_hz
  inline(2), // update_hz
  inline(4), // world_width
  inline(4), // world_height
  inline(4), // quantum
  inline(4), // view_radius
  inline(4), // leave_radius
  { form: 'strings', countMax: WIRE_KINDS_MAX, bytesMax: WIRE_NAME_BYTES_MAX },
  { form: 'tables', countMax: WIRE_FIELDS_MAX, shape: FIELD_SHAPE },
  { form: 'tables', countMax: WIRE_COMMANDS_MAX, shape: COMMAND_SHAPE },
  { form: 'string', bytesMax: TOKEN_BYTES_MAX },
  inline(1), // resumed
  { form: 'tables', countMax: WIRE_NOTES_MAX, shape: NOTE_SHAPE },
  inline(1), // spectator
  { form: 'tables', countMax: WIRE_KINDS_MAX, shape: KIND_SHAPE },
];
const NOTICE_SHAPE: TableShape = [inline(2), { form: 'string', bytesMax: NOTICE_BYTES_MAX }];
const FRAME_SHAPE: TableShape = [
  inline(4), // tick
  inline(4), // ack
  { form: 'vector', elementBytes: 1, align: 1, countMax: COUNT_ANY }, // entities
  { form: 'vector', elementBytes: 4, align: 4, countMax: COUNT_ANY }, // leaves
  inline(1), // flags
  { form: 'vector', elementBytes: 8, align: 4, countMax: COUNT_ANY }, // rejects
  inline(8, 4), // pong
  { form: 'table', shape: WELCOME_SHAPE },
  { form: 'table', shape: NOTICE_SHAPE },
  { form: 'vector', elementBytes: 1, align: 1, countMax: COUNT_ANY }, // notes
  inline(4), // note_number
];

/** The frame in these bytes, safe to read with the generated accessors; null when they are no frame. */
export function openFrame(bytes: Uint8Array): ServerFrame | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (!verifyTable(FRAME_SHAPE, view, 0, bytes.byteLength)) return null;
  return ServerFrame.getRootAsServerFrame(new ByteBuffer(bytes));
}

/** Allocates: for the rare frames, tests and tools. */
export function buildFrame(parts: FrameParts): Uint8Array {
  const builder = new Builder(512);
  const entities = parts.entities === undefined ? 0 : builder.createByteVector(parts.entities);
  const leaves = parts.leaves === undefined ? 0 : ServerFrame.createLeavesVector(builder, [...parts.leaves]);
  const rejects = parts.rejects === undefined ? 0 : addRejects(builder, parts.rejects);
  const welcome = parts.welcome === undefined ? 0 : addWelcome(builder, parts.welcome);
  const notice = parts.notice === undefined ? 0 : addNotice(builder, parts.notice);
  const notes = parts.notes === undefined ? 0 : builder.createByteVector(parts.notes.bytes);
  ServerFrame.startServerFrame(builder);
  ServerFrame.addTick(builder, parts.tick);
  ServerFrame.addAck(builder, parts.ack);
  if (entities !== 0) ServerFrame.addEntities(builder, entities);
  if (leaves !== 0) ServerFrame.addLeaves(builder, leaves);
  ServerFrame.addFlags(builder, parts.full === true ? FrameFlag.Full : FrameFlag.None);
  if (rejects !== 0) ServerFrame.addRejects(builder, rejects);
  if (parts.pong !== undefined) {
    // A struct lies inside its table, so it is made between the table's other fields.
    ServerFrame.addPong(builder, Pong.createPong(builder, parts.pong.seq, parts.pong.clientTime));
  }
  if (welcome !== 0) ServerFrame.addWelcome(builder, welcome);
  if (notice !== 0) ServerFrame.addNotice(builder, notice);
  if (notes !== 0) ServerFrame.addNotes(builder, notes);
  if (parts.notes !== undefined) ServerFrame.addNoteNumber(builder, parts.notes.number);
  builder.finish(ServerFrame.endServerFrame(builder));
  // The builder fills its buffer from the end; the copy lets go of the rest.
  return builder.asUint8Array().slice();
}

function addRejects(builder: Builder, rejects: readonly RejectInfo[]): Offset {
  ServerFrame.startRejectsVector(builder, rejects.length);
  for (let index = rejects.length - 1; index >= 0; index--) {
    Reject.createReject(builder, rejects[index].seq, rejects[index].kind, rejects[index].code);
  }
  return builder.endVector();
}

/** Whether a Welcome can carry what a game consists of. */
export function assertFitsWelcome(info: Pick<WelcomeInfo, 'game' | 'kinds' | 'fields' | 'commands' | 'notes'>): void {
  const { notes = [] } = info;
  const noteValues = notes.flatMap((note) => note.values);
  assert(notes.length <= WIRE_NOTES_MAX, 'notes', notes.length);
  assert(info.kinds.length <= WIRE_KINDS_MAX, 'entity kinds', info.kinds.length);
  assert(info.fields.length <= WIRE_FIELDS_MAX, 'replicated fields', info.fields.length);
  assert(info.commands.length <= WIRE_COMMANDS_MAX, 'commands', info.commands.length);
  const named = [...info.fields, ...info.commands, ...notes, ...noteValues].map(({ name }) => name);
  const values = [...info.fields, ...noteValues].flatMap(({ names = [] }) => names);
  for (const name of [info.game, ...info.kinds, ...named, ...values]) {
    assert(new TextEncoder().encode(name).length <= WIRE_NAME_BYTES_MAX, 'a name on the wire is short', name);
  }
}

function addWelcome(builder: Builder, welcome: WelcomeInfo): Offset {
  assertFitsWelcome(welcome);
  const game = builder.createString(welcome.game);
  const kinds = Welcome.createKindsVector(
    builder,
    welcome.kinds.map((kind) => builder.createString(kind)),
  );
  const fields = Welcome.createFieldsVector(
    builder,
    welcome.fields.map((field) => addField(builder, field)),
  );
  const commands = Welcome.createCommandsVector(
    builder,
    welcome.commands.map((command) =>
      CommandInfo.createCommandInfo(builder, builder.createString(command.name), command.kind, command.bytes),
    ),
  );
  const noteList = welcome.notes === undefined ? 0 : addNotes(builder, welcome.notes);
  const token = welcome.token === '' ? 0 : builder.createString(welcome.token);
  const kindFields = welcome.kindFields === undefined ? 0 : addKindFields(builder, welcome.kindFields);
  Welcome.startWelcome(builder);
  Welcome.addProtocol(builder, welcome.protocol);
  Welcome.addGame(builder, game);
  Welcome.addClientId(builder, welcome.clientId);
  Welcome.addEntityId(builder, welcome.entityId);
  Welcome.addTickHz(builder, welcome.tickHz);
  Welcome.addUpdateHz(builder, welcome.updateHz);
  Welcome.addWorldWidth(builder, welcome.worldWidth);
  Welcome.addWorldHeight(builder, welcome.worldHeight);
  Welcome.addQuantum(builder, welcome.quantum);
  Welcome.addViewRadius(builder, welcome.viewRadius);
  Welcome.addLeaveRadius(builder, welcome.leaveRadius);
  Welcome.addKinds(builder, kinds);
  Welcome.addFields(builder, fields);
  Welcome.addCommands(builder, commands);
  if (token !== 0) Welcome.addToken(builder, token);
  Welcome.addResumed(builder, welcome.resumed);
  if (noteList !== 0) Welcome.addNotes(builder, noteList);
  Welcome.addSpectator(builder, welcome.spectator === true);
  if (kindFields !== 0) Welcome.addKindFields(builder, kindFields);
  return Welcome.endWelcome(builder);
}

function addKindFields(builder: Builder, kindFields: readonly (readonly number[])[]): Offset {
  const kinds = kindFields.map((fields) =>
    KindInfo.createKindInfo(builder, KindInfo.createFieldsVector(builder, [...fields])),
  );
  return Welcome.createKindFieldsVector(builder, kinds);
}

function addNotes(builder: Builder, notes: readonly NoteForm[]): Offset {
  const offsets = notes.map((note) => {
    const name = builder.createString(note.name);
    const values = NoteInfo.createValuesVector(
      builder,
      note.values.map((value) => addField(builder, value)),
    );
    return NoteInfo.createNoteInfo(builder, name, values);
  });
  return Welcome.createNotesVector(builder, offsets);
}

/** By the schema's Audience. */
const AUDIENCES: readonly FieldForm['audience'][] = [undefined, 'owner', 'team'];

function addField(builder: Builder, field: FieldForm): Offset {
  const { type, scale, offset, audience, shape, length = 0, names } = field;
  const name = builder.createString(field.name);
  const nameList =
    names === undefined
      ? 0
      : FieldInfo.createNamesVector(
          builder,
          names.map((each) => builder.createString(each)),
        );
  FieldInfo.startFieldInfo(builder);
  FieldInfo.addName(builder, name);
  FieldInfo.addType(builder, WIRE_TYPES[type]);
  FieldInfo.addScale(builder, scale);
  FieldInfo.addOffset(builder, offset);
  FieldInfo.addAudience(builder, AUDIENCES.indexOf(audience));
  FieldInfo.addShape(builder, shape === undefined ? FieldShape.Number : FIELD_SHAPES.indexOf(shape));
  FieldInfo.addLength(builder, length);
  if (nameList !== 0) FieldInfo.addNames(builder, nameList);
  return FieldInfo.endFieldInfo(builder);
}

function addNotice(builder: Builder, notice: NoticeInfo): Offset {
  const text = new TextEncoder().encode(notice.text);
  assert(text.length <= NOTICE_BYTES_MAX, 'a notice is short', text.length);
  return Notice.createNotice(builder, notice.code, builder.createString(notice.text));
}

/** Null when the frame carries none, or one with a type or number that no server of this protocol sends. */
export function readWelcome(frame: ServerFrame): WelcomeInfo | null {
  const welcome = frame.welcome();
  if (welcome === null) return null;
  const fields: FieldForm[] = [];
  for (let index = 0; index < welcome.fieldsLength(); index++) {
    const form = readField(welcome.fields(index)!);
    if (form === null) return null;
    fields.push(form);
  }
  const info: WelcomeInfo = {
    protocol: welcome.protocol(),
    game: welcome.game() ?? '',
    clientId: welcome.clientId(),
    entityId: welcome.entityId(),
    tickHz: welcome.tickHz(),
    updateHz: welcome.updateHz(),
    worldWidth: welcome.worldWidth(),
    worldHeight: welcome.worldHeight(),
    quantum: welcome.quantum(),
    viewRadius: welcome.viewRadius(),
    leaveRadius: welcome.leaveRadius(),
    kinds: Array.from({ length: welcome.kindsLength() }, (_, index) => welcome.kinds(index) as string),
    fields,
    commands: Array.from({ length: welcome.commandsLength() }, (_, index) => {
      const command = welcome.commands(index)!;
      return { name: command.name() ?? '', kind: command.kind(), bytes: command.bytes() };
    }),
    token: welcome.token() ?? '',
    resumed: welcome.resumed(),
  };
  const notes = readNoteForms(welcome);
  if (notes === null) return null;
  if (notes.length > 0) info.notes = notes;
  if (welcome.spectator()) info.spectator = true;
  const kindFields = readKindFields(welcome);
  if (kindFields.length > 0) info.kindFields = kindFields;
  return isSound(info) ? info : null;
}

function readKindFields(welcome: Welcome): number[][] {
  return Array.from({ length: welcome.kindFieldsLength() }, (_, kind) => {
    const info = welcome.kindFields(kind)!;
    return Array.from({ length: info.fieldsLength() }, (_, index) => info.fields(index)!);
  });
}

function readNoteForms(welcome: Welcome): NoteForm[] | null {
  const notes: NoteForm[] = [];
  for (let index = 0; index < welcome.notesLength(); index++) {
    const note = welcome.notes(index)!;
    const values: FieldForm[] = [];
    for (let value = 0; value < note.valuesLength(); value++) {
      const form = readField(note.values(value)!);
      if (form === null) return null;
      values.push(form);
    }
    notes.push({ name: note.name() ?? '', values });
  }
  return notes;
}

function readField(field: FieldInfo): FieldForm | null {
  const type = WIRE_TYPE_NAMES[field.type()];
  const shape = FIELD_SHAPES[field.shape()];
  if (type === undefined || shape === undefined || field.audience() > Audience.Team) return null;
  const form: FieldForm = { name: field.name() ?? '', type, scale: field.scale(), offset: field.offset() };
  const audience = AUDIENCES[field.audience()];
  if (audience !== undefined) form.audience = audience;
  if (shape !== 'number') form.shape = shape;
  if (field.length() > 0) form.length = field.length();
  const count = field.namesLength();
  if (count > 0) form.names = Array.from({ length: count }, (_, index) => field.names(index) as string);
  return form;
}

function isSound(info: WelcomeInfo): boolean {
  const numbers = [info.worldWidth, info.worldHeight, info.viewRadius, info.leaveRadius];
  const noteValues = (info.notes ?? []).flatMap((note) => note.values);
  for (const field of [...info.fields, ...noteValues]) numbers.push(field.scale, field.offset);
  if (info.kindFields !== undefined && !areKindsSound(info.kindFields, info)) return false;
  return info.quantum > 0 && Number.isFinite(info.quantum) && numbers.every(Number.isFinite);
}

function areKindsSound(kindFields: readonly (readonly number[])[], { kinds, fields }: WelcomeInfo): boolean {
  const isRising = (own: readonly number[]) => own.every((field, index) => index === 0 || field > own[index - 1]);
  return (
    kindFields.length === kinds.length && kindFields.every((own) => isRising(own) && (own.at(-1) ?? 0) < fields.length)
  );
}

export function readRejects(frame: ServerFrame): RejectInfo[] {
  const rejects: RejectInfo[] = [];
  const at = new Reject();
  for (let index = 0; index < frame.rejectsLength(); index++) {
    frame.rejects(index, at);
    rejects.push({ seq: at.seq(), kind: at.kind(), code: at.code() });
  }
  return rejects;
}

export function readPong(frame: ServerFrame): PongInfo | null {
  const pong = frame.pong();
  return pong === null ? null : { seq: pong.seq(), clientTime: pong.clientTime() };
}

export function readNotice(frame: ServerFrame): NoticeInfo | null {
  const notice = frame.notice();
  return notice === null ? null : { code: notice.code(), text: notice.text() ?? '' };
}

export function readLeaves(frame: ServerFrame): number[] {
  const leaves: number[] = [];
  for (let index = 0; index < frame.leavesLength(); index++) leaves.push(frame.leaves(index)!);
  return leaves;
}
