// A game as its author writes it; see define-game.ts.

import type {
  Area,
  CellEvent,
  EventForm,
  FieldDefinitions,
  GrantDefinition,
  GroundBuilder,
  PastEvent,
  ScheduleDefinition,
  SystemDefinition,
  TimerDefinition,
  Zone,
} from './definition.js';
import type { AllFields, ComponentSources } from './fields/components.js';
import type { LifeHooks } from './life.js';
import type { MessageSource } from './messages/message-definition.js';
import type { NoteSources } from './notes/note-forms.js';
import type { Payload, PayloadSource } from './payload.js';
import type { SharedSource } from './shared/shared-source.js';

export interface CommandSource<
  F extends FieldDefinitions,
  P extends PayloadSource,
  S extends FieldDefinitions = FieldDefinitions,
> {
  payload: P;
  /** Its number on the wire, 256 to 65535. Default: 256 for the first command, then one more for each. */
  kind?: number;
  /** Most per second and client; a client may save up one second of them. Absent: no bound of its own. */
  ratePerSecond?: number;
  /**
   * Runs in the tick, on the row of the client's entity. The payload's object is used again for the next command: keep
   * its values and not the object. Returns a RejectCode; 0, or nothing, is accepted.
   */
  // biome-ignore lint/suspicious/noConfusingVoidType: a handler without a return accepts
  apply(zone: Zone<F, S>, row: number, payload: Payload<P>): number | undefined | void;
}

export type CommandPayloads = Readonly<Record<string, PayloadSource>>;

export interface GameSource<
  F extends FieldDefinitions = FieldDefinitions,
  C extends CommandPayloads = CommandPayloads,
  S extends FieldDefinitions = FieldDefinitions,
  M extends CommandPayloads = CommandPayloads,
  N extends CommandPayloads = CommandPayloads,
  K extends ComponentSources = ComponentSources,
  /** Of all components. */
  A extends FieldDefinitions = AllFields<F, K>,
> extends LifeHooks<Zone<A, S>> {
  name: string;
  /** Raise it when old recordings cannot be played again with the new rules. */
  version: number;
  /** Names of entity kinds; the number is the index. With `components`: by name which of them a kind has; a list gives all to each. */
  kinds: readonly string[] | Readonly<Record<string, readonly NoInfer<keyof K & string>[]>>;
  /** Names of the kinds that have checkpoints whoever they belong to. Entities of clients always have them. */
  persistentKinds?: readonly string[];
  /** Of every kind. */
  fields?: F;
  /** Fields of some kinds only, see `kinds`: an entity has those of its kind's components, and pays for no others. */
  components?: K;
  /** One record for the whole world: every zone reads it, and every client gets it. */
  shared?: SharedSource<Zone<A, S>, S, N>;
  /** `masks`: entities have Zone.shownTo, sees and setViewRadius. Absent: whoever is near sees everything. */
  visibility?: 'masks';
  /** With `visibility: 'masks'`: what spectators see, as bits. Absent: bit 0. They get no field of owners or teams in any case. */
  seesAsSpectator?: number;
  /** Kinds that are seen from farther than others: so many times the view radius, 1 to 3, or from everywhere. */
  seenFrom?: Readonly<Record<string, number | 'everywhere'>>;
  /** Entities have Zone.team, and fields may have the audience `team`. */
  teams?: true;
  commands?: { [Name in keyof C]: CommandSource<A, C[Name], S> };
  /** From entity to entity, see Zone.post. Add them at the end: those that are under way go by their place. */
  messages?: { [Name in keyof M]: MessageSource<Zone<A, S>, M[Name]> };
  /** What clients can be told by Zone.tell, such as chat: names and forms. */
  notes?: NoteSources;
  /** What the platform can give. The order is part of the version of a game. */
  grants?: readonly GrantDefinition<A, S>[];
  /** Names of events; the number is the index. */
  events?: readonly string[];
  /** By event name; an event without a form goes to the topic of players and carries its entity only. */
  eventForms?: Readonly<Record<string, EventForm>>;
  /** Run in their order, once per tick and zone. */
  systems?: readonly SystemDefinition<A, S>[];
  /** What is to happen to an entity later, by name: see Zone.after. Those of a row fire in this order, before the systems. */
  timers?: Readonly<Record<string, TimerDefinition<A, S>>>;
  /** What each zone does again and again, by name, every so many seconds. */
  schedules?: Readonly<Record<string, ScheduleDefinition<A, S>>>;
  /** The entity of a client that joins, at the place the engine chose. Returns its row, or -1 when there is no room. */
  spawnPlayer(zone: Zone<A, S>, x: number, y: number): number;
  /**
   * Static geometry of the world: what blocks ways and sight and never moves. Asked once per zone, and must put the same
   * shapes every time: `random` begins with the world's seed. No entities, so clients learn of it from the game's code.
   */
  ground?(
    ground: GroundBuilder,
    world: { readonly width: number; readonly height: number },
    random: () => number,
  ): void;
  /** Initial life of a zone: static things, and this zone's share of the bots. Positions must lie inside `area`. */
  populate?(zone: Zone<A, S>, botCount: number, area: Area): void;
  /** See GameDefinition. */
  applyEvent?(zone: Zone<A, S>, row: number, event: PastEvent): void;
  restingKinds?: readonly string[];
  populateCell?(zone: Zone<A, S>, area: Area, botCount: number, random: () => number): void;
  applyToCell?(zone: Zone<A, S>, event: CellEvent): void;
  cellChanged?(zone: Zone<A, S>, area: Area): void;
}
