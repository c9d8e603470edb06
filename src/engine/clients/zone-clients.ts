// The clients of one zone: how they come in and go, and what of it main, the other zones and the journal are told. Whose
// entity is here is the replicator's to know; everything that changes it goes through here.

import { JOIN_REASONS, LEAVE_REASONS } from '../../game/life.js';
import { RejectCode } from '../../game/reject-codes.js';
import * as R from '../../memory/records/thread-records.js';
import type { ByteRing } from '../../memory/rings/byte-ring.js';
import * as C from '../../memory/tables/client-table.js';
import type { IdentityTable, IdentityTexts } from '../../memory/tables/identity-table.js';
import type { NoteTable } from '../../memory/tables/note-table.js';
import { COUNTER } from '../../memory/tables/zone-counters.js';
import type { DepartedClients } from '../borders/departed-clients.js';
import type { Broadcasts } from '../notes/broadcasts.js';
import type { ZoneJournal } from '../replay/zone-journal.js';
import type { Replicator } from '../replication/replicator.js';
import { spawnPlayer } from '../zone/game-fault.js';
import type { MainNotices } from '../zone/main-notices.js';
import { removePlayer, tellJoined } from '../zone/player-life.js';
import type { EngineZone } from '../zone/zone.js';
import { arrivalRecordBytes, spawnArrival } from './arrival.js';
import { findOwned, listUnattached } from './owned-rows.js';

const JOIN_NEW = JOIN_REASONS.indexOf('new');
const JOIN_RESUMED = JOIN_REASONS.indexOf('resumed');
const JOIN_RESTORED = JOIN_REASONS.indexOf('restored');
const LEAVE_LOST = LEAVE_REASONS.indexOf('lost');
/** Whose index has another holder before its join was taken: it leaves in the same moment. */
const NOBODY: IdentityTexts = { playerId: '', name: '', claims: '{}' };

export interface ZoneClientsOptions {
  zone: EngineZone;
  frames: ByteRing;
  clients: C.ClientTable;
  identities: IdentityTable;
  /** Undefined: the game tells clients nothing. */
  notes?: NoteTable | undefined;
  broadcasts?: Broadcasts | undefined;
  replicator: Replicator;
  journal: ZoneJournal | undefined;
}

export class ZoneClients {
  private readonly replicator: Replicator;

  constructor(
    private readonly options: ZoneClientsOptions,
    private readonly notices: MainNotices,
    private readonly departed: DepartedClients,
  ) {
    this.replicator = options.replicator;
  }

  /** @hot */
  isHere(client: number, generation: number): boolean {
    const { replicator } = this;
    return replicator.isAttached(client) && replicator.generationOfClient[client] === generation;
  }

  /** @hot The row of a client that is here; -1 when its entity is dead. */
  rowOf(client: number): number {
    return this.replicator.rowOfClient[client];
  }

  // --- by main's word ---

  join(client: number, generation: number, crossings: number, view: DataView, offset: number): void {
    const { zone } = this.options;
    const payload = offset + R.COMMAND_PAYLOAD;
    this.freeIndex(client);
    const x = view.getFloat32(payload + 4, true);
    const y = view.getFloat32(payload + 8, true);
    this.options.journal?.join(client, generation, x, y);
    const row = spawnPlayer(zone, x, y);
    const updateHz = view.getUint32(payload, true);
    const connection = view.getUint8(offset + R.COMMAND_CONNECTION);
    if (!this.enter(client, generation, crossings, updateHz, connection, row)) return;
    this.tellJoined(row, client, generation, JOIN_NEW);
  }

  /** By a word that says how often the client had changed zones. */
  joinAgain(client: number, generation: number, record: DataView): void {
    this.join(client, generation, record.getInt32(R.COMMAND_PAYLOAD + 12, true), record, 0);
  }

  /** A player comes in as it was stored. */
  takeStored(view: DataView, offset: number): void {
    const client = view.getInt32(offset + R.ARRIVAL_CLIENT, true);
    this.freeIndex(client);
    this.options.journal?.stored(view, offset, arrivalRecordBytes(this.options.zone.game.fields));
    const row = spawnArrival(this.options.zone, view, offset);
    const updateHz = view.getUint32(offset + R.ARRIVAL_UPDATE_HZ, true);
    const connection = view.getUint32(offset + R.ARRIVAL_CONNECTION, true);
    const generation = view.getInt32(offset + R.ARRIVAL_GENERATION, true);
    if (!this.enter(client, generation, 0, updateHz, connection, row)) return;
    this.tellJoined(row, client, generation, JOIN_RESTORED);
  }

  /** The client is back by another connection, which knows nothing yet and counts its messages anew. */
  resume(client: number, generation: number, view: DataView, offset: number): void {
    const { replicator } = this;
    const { zone, clients } = this.options;
    const row = replicator.rowOfClient[client];
    if (row < 0) {
      this.join(client, generation, clients.state[client * C.CLIENT_STATE_WORDS + C.CLIENT_CROSSINGS], view, offset);
      return;
    }
    const updateHz = view.getUint32(offset + R.COMMAND_PAYLOAD, true);
    clients.beginAgain(client, updateHz, view.getUint8(offset + R.COMMAND_CONNECTION));
    this.notices.tell(client, R.FROM_ZONE_JOINED, zone.wireIdOf(row), zone.engine.key[row], 0);
    this.tellJoined(row, client, generation, JOIN_RESUMED);
  }

  /** `reason` is an index of LEAVE_REASONS. */
  leave(client: number, reason: number): void {
    const { replicator } = this;
    const row = replicator.rowOfClient[client];
    replicator.detach(client);
    if (row >= 0) this.remove(row, reason);
  }

  /** Before the first tick: what a dead thread did beyond the last committed one, it never did. */
  takeBackUncommitted(): void {
    const { zone, clients, notes } = this.options;
    const { rowLimit, alive, owner, engine } = zone;
    for (let row = 0; row < rowLimit; row++) {
      const client = owner[row] - 1;
      if (alive[row] !== 0 && client >= 0 && clients.isHolder(client, engine.ownerGeneration[row])) {
        clients.takeBack(client, zone.tick);
        notes?.takeBack(client, zone.tick);
      }
    }
  }

  /** After a restore. False: its entity is not here, which may be because it is on its way here. */
  attach(client: number, generation: number, record: DataView): boolean {
    const { replicator } = this;
    const { zone, clients } = this.options;
    if (this.departed.has(client)) {
      return true; // it has gone on since this thread began, and is taken up where it arrives
    }
    const row = findOwned(zone, client, generation);
    if (clients.isPassedOn(client, generation)) {
      if (row >= 0) this.remove(row, LEAVE_LOST); // it has left, and that word is behind this one
      return true;
    }
    if (row < 0) return false;
    const crossings = record.getInt32(R.COMMAND_PAYLOAD + 12, true);
    const updateHz = record.getUint32(R.COMMAND_PAYLOAD, true);
    clients.takeUp(client, generation, crossings, updateHz, record.getUint8(R.COMMAND_CONNECTION));
    replicator.attach(client, row);
    // The dead thread may have committed the join and not said so. Who knows already does not mind.
    this.notices.tell(client, R.FROM_ZONE_JOINED, zone.wireIdOf(row), zone.engine.key[row], 0);
    return true;
  }

  /** After a restore, when main has named all: entities of clients that it has not named. */
  despawnUnattached(): void {
    const { replicator } = this;
    const { zone } = this.options;
    for (const row of listUnattached(zone, replicator.rowOfClient)) this.remove(row, LEAVE_LOST);
  }

  /** Main will not speak of this client again, so whatever of it comes from now on goes. */
  refuse(client: number, generation: number, crossings: number, connection: number, code: number): void {
    if (this.options.clients.isPassedOn(client, generation)) return; // nor does it wait for an answer
    this.beginClient(client, generation, crossings, 1, connection);
    this.notices.tell(client, R.FROM_ZONE_REFUSED, code, 0, 0);
    this.options.clients.end(client, generation);
  }

  // --- over a border ---

  /** The client's entity has come to this zone. */
  arrived(client: number, row: number, departedTick: number): void {
    const { replicator } = this;
    const { zone, clients } = this.options;
    const generation = zone.engine.ownerGeneration[row];
    const isDoubled = this.isHere(client, generation) && replicator.rowOfClient[client] >= 0; // it was waited for too long
    if (isDoubled || !clients.hasHolder(client) || clients.isPassedOn(client, generation)) {
      this.remove(row, LEAVE_LOST); // its client has left meanwhile, or its index has another holder, or nobody is waited for
      return;
    }
    if (replicator.isAttached(client) && !this.isHere(client, generation)) this.leave(client, LEAVE_LOST); // a former holder
    this.departed.remove(client);
    if (clients.isHolder(client, generation)) {
      clients.takeBack(client, departedTick); // a dead thread had it here already
      this.options.notes?.takeBack(client, departedTick);
    }
    replicator.attach(client, row);
    replicator.doubtAll(client);
  }

  /** The client's entity is about to go; what comes for it here follows it. */
  departing(client: number, generation: number, target: number): void {
    const { replicator } = this;
    const { clients } = this.options;
    if (clients.isHolder(client, generation)) {
      clients.state[client * C.CLIENT_STATE_WORDS + C.CLIENT_CROSSINGS]++;
    }
    replicator.detach(client);
    this.departed.add(client, target);
  }

  /** The departure is committed: tells main where the client's commands go from now on. */
  hasDeparted(client: number, generation: number, target: number): void {
    const { frames, clients } = this.options;
    if (!clients.isHolder(client, generation)) return;
    this.notices.tell(client, R.FROM_ZONE_MOVED, target, 0, 0);
    frames.publish();
    if (!this.replicator.isAttached(client)) {
      this.departed.add(client, target); // after a restore only this says that the client is not to be waited for
    }
  }

  /** The index has a new holder; its former one's leave is still on its way or was lost. */
  private freeIndex(client: number): void {
    if (this.replicator.isAttached(client)) {
      this.leave(client, LEAVE_LOST);
    }
  }

  /** The same for a holder that may be here already. */
  freeIndexOfOther(client: number, generation: number): void {
    if (!this.isHere(client, generation)) this.freeIndex(client);
    this.departed.remove(client);
  }

  /** `row` is -1 when there was no room for the entity: then nobody has come. */
  private enter(
    client: number,
    generation: number,
    crossings: number,
    updateHz: number,
    connection: number,
    row: number,
  ): boolean {
    const { replicator } = this;
    const { zone } = this.options;
    if (row < 0) {
      zone.counters[COUNTER.joinsRefused]++;
      this.refuse(client, generation, crossings, connection, RejectCode.ServerFull);
      return false;
    }
    zone.owner[row] = client + 1;
    zone.engine.ownerGeneration[row] = generation;
    this.departed.remove(client);
    this.beginClient(client, generation, crossings, updateHz, connection);
    replicator.attach(client, row);
    zone.counters[COUNTER.clientsJoined]++;
    this.notices.tell(client, R.FROM_ZONE_JOINED, zone.wireIdOf(row), zone.engine.key[row], 0);
    return true;
  }

  /** Last: the game may have the entity gone again. */
  private tellJoined(row: number, client: number, generation: number, reason: number): void {
    const { zone, identities, journal } = this.options;
    const identity = identities.read(client, generation) ?? NOBODY;
    journal?.came(row, reason, identity);
    tellJoined(zone, row, reason, identity);
  }

  private beginClient(
    client: number,
    generation: number,
    crossings: number,
    updateHz: number,
    connection: number,
  ): void {
    this.options.clients.begin(client, generation, crossings, updateHz, connection);
    this.options.notes?.begin(client);
    this.options.broadcasts?.begin(client);
    this.replicator.forget(client);
  }

  private remove(row: number, reason: number): void {
    this.options.journal?.gone(row, reason);
    removePlayer(this.options.zone, row, reason);
  }
}
