// Spectators of one zone: clients without an entity, which look from a place or from where a player's entity is. They are outside
// of the state: nothing of them is journaled, stored, or seen by a system.
//
// A spectator is the zone's whose area its place is in. One that follows a player over a border leaves its place there: the
// zone sees the player as a mirror first, gives the spectator up when the mirror is beyond the border, and tells main the
// place, which names it to the zone there. An entity that spectators may not see is not followed: the place would tell.

import { RejectCode } from '../../game/reject-codes.js';
import * as R from '../../memory/records/thread-records.js';
import * as C from '../../memory/tables/client-table.js';
import type { NoteTable } from '../../memory/tables/note-table.js';
import { COUNTER } from '../../memory/tables/zone-counters.js';
import { CROSSING_MARGIN } from '../borders/limits.js';
import type { Broadcasts } from '../notes/broadcasts.js';
import { POSITION_QUANTUM } from '../plan/world-plan.js';
import type { Replicator } from '../replication/replicator.js';
import type { MainNotices } from '../zone/main-notices.js';
import type { EngineZone } from '../zone/zone.js';
import { WATCH_LOST_SECONDS } from './limits.js';
import type { ZoneClients } from './zone-clients.js';

export interface ZoneSpectatorsOptions {
  zone: EngineZone;
  clients: C.ClientTable;
  notes?: NoteTable | undefined;
  broadcasts?: Broadcasts | undefined;
  replicator: Replicator;
}

/** The mask of a spectator where the game does not say: what is shown to everybody. */
const SPECTATOR_SEES = 1;

interface Spectator {
  client: number;
  generation: number;
  /** Of the entity that it follows; 0: none. */
  key: number;
  x: number;
  y: number;
  /** Ticks for which the entity has not been seen. */
  lostTicks: number;
}

export class ZoneSpectators {
  private spectators: Spectator[] = [];
  private readonly lostTicksMax: number;
  private readonly sees: number;

  constructor(
    private readonly options: ZoneSpectatorsOptions,
    private readonly players: ZoneClients,
    private readonly notices: MainNotices,
  ) {
    const { game, tickHz } = options.zone;
    this.lostTicksMax = Math.ceil(WATCH_LOST_SECONDS * tickHz);
    this.sees = game.seesAsSpectator ?? SPECTATOR_SEES;
    this.count();
  }

  /** An order to watch. */
  take(client: number, generation: number, view: DataView, offset: number): void {
    const { clients, replicator } = this.options;
    if (clients.isPassedOn(client, generation)) return;
    const payload = offset + R.COMMAND_PAYLOAD;
    const how = view.getUint32(payload + R.WATCH_HOW, true);
    const crossings = view.getInt32(payload + R.WATCH_CROSSINGS, true);
    const entry: Spectator = {
      ...{ client, generation, lostTicks: 0 },
      key: view.getUint32(payload + R.WATCH_KEY, true),
      x: view.getFloat32(payload + 4, true),
      y: view.getFloat32(payload + 8, true),
    };
    const connection = view.getUint8(offset + R.COMMAND_CONNECTION);
    const row = this.findRow(entry.key);
    if (how === R.WATCH_FIND && row < 0) {
      this.players.refuse(client, generation, crossings, connection, RejectCode.NotAlive);
      return;
    }
    this.players.freeIndexOfOther(client, generation);
    this.spectators = this.spectators.filter((other) => other.client !== client);
    this.spectators.push(entry);
    this.count();
    const goesOn = how === R.WATCH_GO_ON && clients.isHolder(client, generation);
    if (goesOn) clients.state[client * C.CLIENT_STATE_WORDS + C.CLIENT_CROSSINGS] = crossings;
    else this.begin(client, generation, crossings, view.getUint32(payload, true), connection);
    const isHere = replicator.isAttached(client);
    if (row >= 0) this.moveTo(entry, row);
    replicator.attachView(client, generation, this.sees, entry.x, entry.y);
    if (goesOn && !isHere) replicator.doubtAll(client);
    this.tell(entry, R.WATCHED_HERE);
    if (!goesOn) this.notices.tell(client, R.FROM_ZONE_JOINED, 0, 0, 0);
  }

  /** Main looks for an entity that the spectator's zone has lost. */
  seek(client: number, generation: number, view: DataView, offset: number): void {
    const { zone, clients } = this.options;
    const key = view.getUint32(offset + R.COMMAND_PAYLOAD, true);
    const row = this.findRow(key);
    if (row < 0 || row >= zone.ownCapacity || !clients.isHolder(client, generation)) return;
    const { positionX, positionY } = zone;
    this.tell({ client, x: positionX[row], y: positionY[row] }, R.WATCHED_FOUND);
  }

  /** After a tick, before frames are made: all look from where they are to look from. */
  follow(): void {
    if (this.spectators.length === 0) return;
    let hasGone = false;
    for (const entry of this.spectators) {
      if (!this.followOne(entry)) hasGone = true;
    }
    if (!hasGone) return;
    this.spectators = this.spectators.filter(({ client, generation }) => this.isHere(client, generation));
    this.count();
  }

  private count(): void {
    this.options.zone.counters[COUNTER.spectators] = this.spectators.length;
  }

  /** False: it is this zone's no more. */
  private followOne(entry: Spectator): boolean {
    const { client, generation, key } = entry;
    const { replicator } = this.options;
    if (!this.isHere(client, generation)) return false;
    const row = this.findRow(key);
    if (row >= 0) {
      entry.lostTicks = 0;
      this.moveTo(entry, row);
      replicator.moveView(client, entry.x, entry.y);
    } else if (key !== 0 && ++entry.lostTicks >= this.lostTicksMax) {
      entry.lostTicks = 0;
      if (!this.notices.isFull) this.tell(entry, R.WATCHED_LOST);
    }
    if (this.isInside(entry)) return true;
    replicator.detach(client);
    this.tell(entry, R.WATCHED_LEFT);
    return false;
  }

  /** The row of an entity that spectators may see, own or mirrored; -1: there is none. */
  private findRow(key: number): number {
    const { zone } = this.options;
    const row = zone.rowOfRef(key);
    const shownTo = zone.sightColumns?.shownTo;
    return row >= 0 && (shownTo === undefined || (shownTo[row] & this.sees) !== 0) ? row : -1;
  }

  private isHere(client: number, generation: number): boolean {
    return this.players.isHere(client, generation) && this.players.rowOf(client) < 0;
  }

  private moveTo(entry: Spectator, row: number): void {
    const { positionX, positionY } = this.options.zone;
    entry.x = positionX[row];
    entry.y = positionY[row];
  }

  private isInside({ x, y }: Spectator): boolean {
    const { area } = this.options.zone;
    return (
      x >= area.x - CROSSING_MARGIN &&
      x <= area.x + area.width + CROSSING_MARGIN &&
      y >= area.y - CROSSING_MARGIN &&
      y <= area.y + area.height + CROSSING_MARGIN
    );
  }

  private begin(client: number, generation: number, crossings: number, updateHz: number, connection: number): void {
    const { clients, notes, broadcasts, replicator } = this.options;
    clients.begin(client, generation, crossings, updateHz, connection);
    notes?.begin(client);
    broadcasts?.begin(client);
    replicator.forget(client);
  }

  private tell({ client, x, y }: Pick<Spectator, 'client' | 'x' | 'y'>, what: number): void {
    const [stepsX, stepsY] = [x, y].map((place) => Math.max(0, Math.round(place / POSITION_QUANTUM)));
    this.notices.tell(client, R.FROM_ZONE_WATCH, stepsX, stepsY, what);
  }
}
