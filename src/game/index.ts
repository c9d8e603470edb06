// What an author of a game imports: `tessera/game`.

export type { ColumnType } from '../memory/world/column-types.js';
export { defineGame } from './define-game.js';
export type {
  Area,
  CellEvent,
  Columns,
  EventForm,
  FieldDefinition,
  FieldDefinitions,
  GameDefinition,
  GrantDefinition,
  GroundBuilder,
  GroundQueries,
  PastEvent,
  ScheduleDefinition,
  SystemDefinition,
  TimerDefinition,
  WireForm,
  Zone,
} from './definition.js';
export { type CommandForm, describeCommands } from './describe-commands.js';
export type { CommandPayloads, CommandSource, GameSource } from './game-source.js';
export type { Claims, Identity, JoinReason, LeaveReason, Who } from './life.js';
export type { NoteForm, NoteSource, NoteSources, NoteValueSource, NoteValues } from './notes/note-forms.js';
export type { Payload, PayloadSource, PayloadValueSource } from './payload.js';
export { RejectCode, rejectReason } from './reject-codes.js';
export { findMistakes, GameMistakes } from './validation/validate-game.js';
export type { WireTypeName } from './wire-types.js';
