// A client of a headless world. It decodes every frame that the world makes for it, as a real one would.

import { POSITION_QUANTUM } from '../engine/plan/world-plan.js';
import type { CommandPayload } from '../protocol/fb/command-layout.js';
import { EntityDecoder, type EntityState } from '../protocol/fb/entity-decoder.js';
import { type NoteMessage, NoteReader } from '../protocol/fb/note-reader.js';
import { SharedReader, type SharedView } from '../protocol/fb/shared-view.js';
import type { GameDescription } from '../protocol/game-description.js';
import { nameEntity, type SeenEntity } from './seen-entity.js';

/** Sends a command; returns a RejectCode, 0 for sent. */
type Send = (client: HeadlessClient, name: string, payload: Readonly<CommandPayload>) => number;

export class HeadlessClient {
  readonly decoder: EntityDecoder;
  private readonly sharedReader: SharedReader;
  readonly noteReader: NoteReader;
  /** What it was told, in order, and how many notes did not come. */
  readonly notes: NoteMessage[] = [];
  notesMissed = 0;
  entityId = 0;
  key = 0;
  joinedCount = 0;
  tick = 0;
  ack = 0;
  seq = 0;
  frameCount = 0;
  frameBytes = 0;
  /** The newest frame as it came, and how many entity records it had. */
  lastFrame: Uint8Array = new Uint8Array(0);
  recordCount = 0;
  fullCount = 0;
  /** Commands that the world refused. */
  readonly rejects: { seq: number; kind: number; code: number }[] = [];
  /** Ids that came into view, in order: an entity that flickers is there twice. */
  readonly entered: number[] = [];
  refusedCode = 0;

  constructor(
    readonly index: number,
    readonly generation: number,
    description: GameDescription,
    private readonly transmit: Send,
  ) {
    this.noteReader = new NoteReader(description.notes);
    this.decoder = new EntityDecoder(description.fields, POSITION_QUANTUM, description.kinds, description.kindFields);
    this.sharedReader = new SharedReader(this.decoder);
  }

  /** The shared record as it was told, by the names of its fields. */
  get shared(): SharedView | null {
    return this.sharedReader.read();
  }

  get self(): EntityState | undefined {
    return this.decoder.entities.get(this.entityId);
  }

  /** Its own entity, by field names. Undefined before its first frame. */
  get own(): SeenEntity | undefined {
    return this.self && nameEntity(this.decoder, this.self);
  }

  /** All that it sees, or all of one kind, by field names. */
  inView(kind?: string): SeenEntity[] {
    const all = [...this.decoder.entities.values()].map((entity) => nameEntity(this.decoder, entity));
    return kind === undefined ? all : all.filter((entity) => entity.kind === kind);
  }

  /** Whether it has an entity in view, by its id. */
  sees(entityId: number): boolean {
    return this.decoder.entities.has(entityId);
  }

  /**
   * Sends a command of the game; the next tick applies it. Returns a RejectCode: 0 when it was sent, else what the server's
   * check says of the payload. What the game's own code refuses comes later, in `rejects`.
   */
  send(name: string, payload: Readonly<CommandPayload> = {}): number {
    return this.transmit(this, name, payload);
  }
}
