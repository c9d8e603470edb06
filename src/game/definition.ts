// What a game is to the engine. The engine imports no game: it is handed one of these, which defineGame makes of what an
// author has written (game-source.ts).

import type { Area } from '../base/area.js';
import type { EventForm } from './event-form.js';
import type { ComponentForm } from './fields/components.js';
import type { Columns, FieldDefinition, FieldDefinitions, FieldType, WireForm } from './fields/field-definition.js';
import type { LifeHooks } from './life.js';
import type { MessageDefinition } from './messages/message-definition.js';
import type { NoteForm, NoteValues } from './notes/note-forms.js';
import type { PayloadField } from './payload.js';
import type { SharedForm } from './shared/compile-shared.js';
import type { SharedValues } from './shared/shared-source.js';

export type { Area, Columns, EventForm, FieldDefinition, FieldDefinitions, FieldType, PayloadField, WireForm };

export interface CommandDefinition<F extends FieldDefinitions = FieldDefinitions> {
  name: string;
  /** From GAME_KIND_MIN on; unique in the game. */
  kind: number;
  payload: readonly PayloadField[];
  /** Most commands of this kind per second and client, checked in the tick against game time. Absent: no bound of its own. */
  ratePerSecond?: number;
  /** Runs in the tick. `offset` is where the payload begins. Returns a RejectCode, 0 for accepted. */
  apply(zone: Zone<F>, row: number, view: DataView, offset: number): number;
}

/** Something that the platform can give to a player, by its command `grant`. */
export interface GrantDefinition<
  F extends FieldDefinitions = FieldDefinitions,
  S extends FieldDefinitions = FieldDefinitions,
> {
  name: string;
  /** Inclusive bounds of the amount; beyond them it is refused before it reaches a zone. */
  min: number;
  max: number;
  /**
   * Runs in the tick, before the commands of clients, on the row of the client's entity. Returns a RejectCode: 0 when it
   * was applied; otherwise nothing may have changed. What should be known of it outside is the game's to emit.
   */
  apply(zone: Zone<F, S>, row: number, amount: number): number;
}

export interface SystemDefinition<
  F extends FieldDefinitions = FieldDefinitions,
  S extends FieldDefinitions = FieldDefinitions,
> {
  name: string;
  /** Reads no wall clock, no Math.random, awaits nothing. */
  run(zone: Zone<F, S>): void;
}

/** What is to happen to an entity at a later time, see Zone.after. */
export interface TimerDefinition<
  F extends FieldDefinitions = FieldDefinitions,
  S extends FieldDefinitions = FieldDefinitions,
> {
  /** Runs in the tick, before the systems, on the row that the entity has by then. The timer is no longer set. */
  fire(zone: Zone<F, S>, row: number): void;
}

/** What happens in each zone again and again. */
export interface ScheduleDefinition<
  F extends FieldDefinitions = FieldDefinitions,
  S extends FieldDefinitions = FieldDefinitions,
> {
  /** Seconds; in a slower world in every tick at most. */
  every: number;
  /** Runs in the tick, after the timers and before the systems. */
  run(zone: Zone<F, S>): void;
}

/** Values of a message by name; enums by name, entities as zone.refOf gives them. */
export type PostValues = Readonly<Record<string, number | boolean | string>>;

/** What systems, commands and joins work on: one zone at one tick. Rows are this zone's, [0, rowLimit). */
export interface Zone<F extends FieldDefinitions = FieldDefinitions, S extends FieldDefinitions = FieldDefinitions> {
  readonly id: number;
  readonly tick: number;
  /** Seconds per tick. */
  readonly dt: number;
  readonly tickHz: number;
  readonly world: { readonly width: number; readonly height: number };
  /** The part of the world that is this zone's. */
  readonly area: Area;
  /** One past the highest row in use. Rows in [0, rowLimit) may be dead: look at alive. */
  readonly rowLimit: number;
  /** Entities that this zone can hold. */
  readonly ownCapacity: number;
  readonly alive: Uint8Array;
  readonly kind: Uint8Array;
  /** Client index + 1 of the client that this entity belongs to, 0 for none. */
  readonly owner: Int32Array;
  readonly positionX: Float32Array;
  readonly positionY: Float32Array;
  readonly columns: Columns<F>;
  /**
   * With `visibility: 'masks'`, and only then: a client sees an entity if one bit at least is set both in `shownTo` of the entity
   * and in `sees` of the client's own entity, which it sees always. A new entity is shown to all bits and sees bit 0.
   */
  readonly shownTo: Uint32Array;
  readonly sees: Uint32Array;
  /** With `teams: true`, and only then: the team of an entity, 0 for none, as a new one has. */
  readonly team: Uint8Array;
  /**
   * With `visibility: 'masks'`: how far the client sees whose entity this is. The server's view radius is the most, and what
   * a new entity has; 0 leaves it its own entity alone.
   */
  setViewRadius(row: number, radius: number): void;
  /**
   * Sets a timer of the game for an own living row, and replaces it where it is set: it fires after so many seconds, rounded to
   * ticks, with the next tick at the soonest. It goes with the entity over borders, and is gone with it.
   */
  after(row: number, timer: string, seconds: number): void;
  /** Whether it was set. */
  cancel(row: number, timer: string): boolean;
  /** Seconds; -1 where it is not set, and of rows that are dead or mirrored. */
  timeLeft(row: number, timer: string): number;
  /**
   * Sends a message of the game to an entity, wherever it lives: it is applied there in the next tick, or in one soon after. Exactly
   * once; in order, among those of one zone to one entity. `from`: a living own row that hears of it if the entity is gone.
   * False: too many wait already, and nothing is sent.
   */
  post(to: number, message: string, values: PostValues, from?: number): boolean;
  /** The same to the shared record. */
  postShared(message: string, values: PostValues): boolean;
  /** The shared record as of the last tick: see GameSource.shared. Its own systems write it, in one zone. */
  readonly shared: SharedValues<S>;
  /** For the engine: runs what writes the record, where it is kept. */
  keepShared(run: () => void): void;
  /** Numbers of the game that are no entity's; committed with the tick. */
  readonly globals: Float64Array;
  /** A new row with all game fields 0, or -1 when the zone is full (counted). */
  spawn(kind: number, x: number, y: number): number;
  despawn(row: number): void;
  /** The text of a field of type text. */
  textOf(field: keyof F & string, row: number): string;
  /** False, and nothing is changed: it has more bytes than the field, or cannot be written in UTF-8, or holds a zero. */
  setText(field: keyof F & string, row: number, text: string): boolean;
  /** What a field of type ref holds to name the entity of this row, in whatever zone it is. Never 0. */
  refOf(row: number): number;
  /** The row of what a reference names, own or mirrored; -1: it is not here, or lives no more. */
  rowOfRef(ref: number): number;
  /** The id an entity has on the wire and for its whole life, whichever zone it is in. */
  wireIdOf(row: number): number;
  /**
   * Rows within radius of a point as the spatial index had them at the end of the last tick, in a deterministic order;
   * includes entities of neighbouring zones near the border, whose rows are >= rowLimit and may only be read.
   * Returns how many were written to `out`.
   */
  queryCircle(x: number, y: number, radius: number, out: Int32Array): number;
  /** As queryCircle, for rows inside a box, edges included. */
  queryBox(minX: number, minY: number, maxX: number, maxY: number, out: Int32Array): number;
  /**
   * The nearest rows within a radius, nearest first; at most out.length, whose number is returned. `kinds` has bit k set for
   * kind k; kinds above 31 always count. Includes mirrored rows, as queryCircle does.
   */
  nearest(x: number, y: number, radius: number, kinds: number, out: Int32Array): number;
  /**
   * The row that a way meets first, when it comes within `reach` of the row's position, or -1; `exceptRow` is passed by.
   * hitAt then is the part of the way, 0 to 1, and 2 for none.
   */
  firstHit(x: number, y: number, stepX: number, stepY: number, reach: number, kinds: number, exceptRow: number): number;
  readonly hitAt: number;
  /** What never moves, see GameSource.ground. */
  readonly ground: GroundQueries;
  /** Seeded and part of the committed state. In [0, 1). */
  random(): number;
  /** Whether what rests at a place of this zone is in memory now. Where the world is not cut into cells it always is. */
  isCellLive(x: number, y: number): boolean;
  /**
   * Aims something at a place of this zone. It reaches the game's applyToCell exactly once and in order: at once where the
   * cell is live, else when it is loaded. False: the place is another zone's, or the queue is full.
   */
  tellCell(x: number, y: number, kind: number, a: number, b: number): boolean;
  /**
   * Tells the client that a row belongs to something, by the name of one of the game's notes. It comes with the client's next
   * frame. Outside of the state: nothing can be asked back, and a replay tells nobody.
   */
  tell(row: number, note: string, values: NoteValues): void;
  /** The same to the clients of all zones; to those of a team, in a game with teams; to those who look from within a radius. */
  tellAll(note: string, values: NoteValues): void;
  tellTeam(team: number, note: string, values: NoteValues): void;
  tellNear(x: number, y: number, radius: number, note: string, values: NoteValues): void;
  /** Writes an event to the log. `type` indexes the game's events. */
  emit(type: number, row: number, otherRow: number, valueA: number, valueB: number): void;
}

/** Where a game puts its static geometry; see GameSource.ground. */
export interface GroundBuilder {
  circle(x: number, y: number, radius: number): void;
  /** From its lowest corner. */
  box(x: number, y: number, width: number, height: number): void;
  wall(fromX: number, fromY: number, toX: number, toY: number, thickness: number): void;
}

/** The static geometry of the world, near the zone that asks. */
export interface GroundQueries {
  /** Whether a body of this radius would overlap it. */
  isBlocked(x: number, y: number, radius: number): boolean;
  /** Moves a body out of whatever it overlaps, by the shortest way. Returns whether it was moved. */
  pushOut(positionX: Float32Array, positionY: Float32Array, row: number, radius: number): boolean;
  /** The part, 0 to 1, of a way after which a body of this radius meets it; 2 when it does not. */
  sweep(x: number, y: number, stepX: number, stepY: number, radius: number): number;
  /** Whether nothing of it lies between two points. */
  isClear(fromX: number, fromY: number, toX: number, toY: number): boolean;
}

/** What was aimed at a place, see Zone.tellCell; `kind`, `a` and `b` mean what the game wants. */
export interface CellEvent {
  x: number;
  y: number;
  kind: number;
  a: number;
  b: number;
  /** When it was told. */
  tick: number;
}

/** What a game once stated with Zone.emit, as the log has it. */
export interface PastEvent {
  /** Index of the game's events. */
  type: number;
  /** When it happened; at least one tick after the row's state. */
  tick: number;
  /** As they were emitted, but for what a scale rounds; 0 where the event's form has no name for them. */
  a: number;
  b: number;
  /** Row of the other entity; -1 where the form has no name for it, or it is not in this zone. */
  otherRow: number;
}

export interface GameDefinition<F extends FieldDefinitions = FieldDefinitions> extends LifeHooks<Zone<F>> {
  name: string;
  version: number;
  /** Names of entity kinds; the number is the index. Kind 0 is not special. */
  kinds: readonly string[];
  /**
   * Names of the kinds that have checkpoints whoever they belong to. Absent: none. Entities of clients always have them,
   * whatever their kind.
   */
  persistentKinds?: readonly string[];
  /** Of all components. */
  fields: F;
  /** Which kind has which fields. Absent: each has all. */
  components?: ComponentForm;
  /** `masks`: entities have Zone.shownTo, sees and setViewRadius. Absent: whoever is near sees everything. */
  visibility?: 'masks';
  /** With `visibility: 'masks'`: what spectators see, as bits. Absent: bit 0. They get no field of owners or teams in any case. */
  seesAsSpectator?: number;
  /**
   * Kinds that are seen from farther than the server's view radius: so many times as far, 1 to 3, or from everywhere in the
   * world. For few entities, such as towers, bosses and flags.
   */
  seenFrom?: Readonly<Record<string, number | 'everywhere'>>;
  /** Entities have Zone.team, and fields may have the audience `team`. */
  teams?: true;
  commands: readonly CommandDefinition<F>[];
  /** What clients can be told by Zone.tell; the number is the index. Absent: nothing. */
  notes?: readonly NoteForm[];
  /** What the platform can give; absent: nothing. The order is part of the version of a game. */
  grants?: readonly GrantDefinition<F>[];
  /** Names of events; the number is the index. */
  events: readonly string[];
  /** By event name; an event without a form goes to the topic of players and carries its entity only. */
  eventForms?: Readonly<Record<string, EventForm>>;
  systems: readonly SystemDefinition<F>[];
  /** From entity to entity; the number is the index. Absent: none. */
  messages?: readonly MessageDefinition[];
  /** One record for the whole world, beside the entities. */
  shared?: SharedForm;
  /** By name; those of a row fire in this order. */
  timers?: Readonly<Record<string, TimerDefinition<F>>>;
  /** By name; they run in this order. */
  schedules?: Readonly<Record<string, ScheduleDefinition<F>>>;
  /**
   * Does again what a past event did to its entity. Called when a world goes on from a snapshot without a journal: before the
   * first tick, for each event that the log has of the snapshot's entities since, in their order. It may set fields and
   * positions, also beyond the zone's area, and may despawn. It must not emit, query, or use clock or chance. Ids are reused
   * in time: an event of a birth says that the id is another entity's from then on. What no event tells stays as it was in
   * the snapshot. Absent: such a world goes on from the snapshot alone.
   */
  applyEvent?(zone: Zone<F>, row: number, event: PastEvent): void;
  /** The entity of a client that joins, at the place the engine chose. Returns its row, or -1. */
  spawnPlayer(zone: Zone<F>, x: number, y: number): number;
  /** See GameSource. */
  ground?(
    ground: GroundBuilder,
    world: { readonly width: number; readonly height: number },
    random: () => number,
  ): void;
  /** Initial life of a zone: static things, and this zone's share of the bots. Positions must lie inside `area`. */
  populate?(zone: Zone<F>, botCount: number, area: { x: number; y: number; width: number; height: number }): void;

  // For worlds larger than memory (--cell-size). Entities of these kinds that belong to no client rest in cells: near players
  // they are in memory, elsewhere in the store. A resting entity gets a new id each time it is loaded, and its fields come
  // back by name, so it cannot be of the persistentKinds. A game without resting kinds cannot run with --cell-size.
  restingKinds?: readonly string[];
  /**
   * First life of a cell that was never stored, in place of populate. The same for the same `random`, whenever and in
   * whatever zone state it is asked; positions must lie inside `area`.
   */
  populateCell?(zone: Zone<F>, area: Area, botCount: number, random: () => number): void;
  /** What was aimed at a place whose cell is live now. */
  applyToCell?(zone: Zone<F>, event: CellEvent): void;
  /** The resting rows of a cell were loaded or freed: renew there what the game derives from rows. Change no committed state. */
  cellChanged?(zone: Zone<F>, area: Area): void;
}
