// Step 5 of a command's way: what a zone does with the records that main put into its rings, and with those that other
// zones sent after a client that came over; here is in which order. Nothing of it trusts a client; the record was checked
// for form by main, and everything about the world (is it alive, may it do that now) is answered in the zone or by the game.

import { RejectCode } from '../../game/reject-codes.js';
import { TEXT_COMMAND_RECORD_BYTES } from '../../memory/limits.js';
import * as R from '../../memory/records/thread-records.js';
import type { ByteRing } from '../../memory/rings/byte-ring.js';
import type { RecordRing } from '../../memory/rings/record-ring.js';
import type * as C from '../../memory/tables/client-table.js';
import type { IdentityTable } from '../../memory/tables/identity-table.js';
import type { Limits } from '../../memory/tables/live-limits.js';
import type { NoteTable } from '../../memory/tables/note-table.js';
import { COUNTER } from '../../memory/tables/zone-counters.js';
import { GAME_KIND_MIN } from '../../protocol/limits.js';
import { DepartedClients } from '../borders/departed-clients.js';
import type { Handoff } from '../borders/handoff.js';
import type { CellHost } from '../cells/cell-host.js';
import type { Broadcasts } from '../notes/broadcasts.js';
import type { ZoneJournal } from '../replay/zone-journal.js';
import type { Replicator } from '../replication/replicator.js';
import { MainNotices } from '../zone/main-notices.js';
import type { EngineZone } from '../zone/zone.js';
import { AttachingClients } from './attaching-clients.js';
import { ClientCommands } from './client-commands.js';
import { GrantIntake } from './grant-intake.js';
import { copyOut, createRecord, EarlyOrders } from './waiting-records.js';
import { ZoneClients } from './zone-clients.js';
import { ZoneSpectators } from './zone-spectators.js';

export interface IntakeOptions {
  zone: EngineZone;
  /** Main's orders, all of them taken in every tick before any command. */
  words: RecordRing;
  commands: RecordRing;
  frames: ByteRing;
  clients: C.ClientTable;
  identities: IdentityTable;
  notes?: NoteTable | undefined;
  broadcasts?: Broadcasts | undefined;
  replicator: Replicator;
  handoff: Handoff;
  /** Undefined: the whole world is in memory. */
  cells?: CellHost | undefined;
  limits: Pick<Limits, 'commandsPerTick' | 'commandsPerClientTick'>;
  journal: ZoneJournal | undefined;
}

export class CommandIntake {
  readonly clients: ZoneClients;
  readonly spectators: ZoneSpectators;
  private readonly departed: DepartedClients;
  private readonly attaching: AttachingClients;
  private readonly commands: ClientCommands;
  private readonly notices: MainNotices;
  private readonly grants: GrantIntake;
  /** Orders about clients whose entities may be on their way here. */
  private readonly early: EarlyOrders;
  /** The record that was taken out of a ring last, and the words of it. */
  private readonly scratch = createRecord(TEXT_COMMAND_RECORD_BYTES);
  private readonly scratchWords = new Int32Array(this.scratch.buffer);

  constructor(private readonly options: IntakeOptions) {
    const { zone, clients, frames, handoff, journal } = options;
    this.notices = new MainNotices(frames, clients);
    this.grants = new GrantIntake(zone, this.notices, journal);
    this.departed = new DepartedClients(clients.clientsMax, zone, handoff);
    this.clients = new ZoneClients(options, this.notices, this.departed);
    this.spectators = new ZoneSpectators(options, this.clients, this.notices);
    this.attaching = new AttachingClients(zone, this.clients);
    this.commands = new ClientCommands(options, this.clients, this.departed, this.notices);
    this.early = new EarlyOrders({
      isFound: (client, generation) => this.departed.has(client) || this.clients.isHere(client, generation),
      take: (record) => this.takeOrder(record, 0),
      giveUp: (record) => this.giveUp(record),
      onFull: () => zone.counters[COUNTER.ordersGivenUp]++,
    });
  }

  /** Takes main's orders, then at most commandsPerTick commands; what is left waits for the next tick. */
  drain(): void {
    const { zone, words, commands, limits } = this.options;
    this.departed.retry();
    this.notices.retry();
    if (!this.canTakeOrders()) return;
    this.options.cells?.letJoin((record) => this.takeOrder(record, 0));
    for (let left = words.readable(); left > 0; left--) {
      if (!this.canTakeOrders()) return;
      copyOut(words, this.scratchWords);
      this.takeOrder(this.scratch, 0);
    }
    this.attaching.retry();
    this.early.retry(zone.tick, this.attaching.isOpen);
    if (!this.attaching.isOpen) {
      return; // a restored zone does not know its clients yet: their commands wait in the ring, in order
    }
    const { commandsPerTick } = limits;
    const taken = this.commands.takeWaiting(commandsPerTick);
    const readable = commands.readable();
    const count = Math.min(readable, commandsPerTick - taken);
    for (let i = 0; i < count; i++) {
      copyOut(commands, this.scratchWords);
      this.commands.take(this.scratch, 0);
    }
  }

  /** A record that another zone sent after its client. False: it must wait in its ring. */
  takeForwarded(view: DataView, offset: number): boolean {
    if (view.getUint16(offset + R.COMMAND_KIND, true) >= GAME_KIND_MIN) {
      this.commands.take(view, offset);
    } else if (this.canTakeOrders()) {
      this.takeOrder(view, offset);
    } else {
      return false;
    }
    return true;
  }

  /** A player as it was stored. False: it must wait in its ring. */
  takeStored(view: DataView, offset: number): boolean {
    if (!this.canTakeOrders()) return false;
    this.clients.takeStored(view, offset);
    return true;
  }

  /** Each order may leave something that waits for another thread: no more are taken than can be kept. */
  private canTakeOrders(): boolean {
    const { counters } = this.options.zone;
    if (this.departed.isFull) counters[COUNTER.ordersHeldUp]++;
    else if (this.notices.isFull) counters[COUNTER.noticesHeldUp]++;
    else return true;
    return false;
  }

  private takeOrder(view: DataView, offset: number): void {
    const { clients, attaching } = this;
    const kind = view.getUint16(offset + R.COMMAND_KIND, true);
    const client = view.getUint16(offset + R.COMMAND_CLIENT, true);
    const generation = view.getInt32(offset + R.COMMAND_GENERATION, true);
    if (this.options.cells?.holdsBack(kind, client, view, offset)) return;
    if (kind === R.TO_ZONE_JOIN) {
      clients.join(client, generation, 0, view, offset);
    } else if (kind === R.TO_ZONE_ATTACH) {
      attaching.add(view, offset);
    } else if (kind === R.TO_ZONE_ATTACHED_ALL) {
      attaching.close(view.getUint32(offset + R.COMMAND_SEQ, true));
    } else if (kind === R.TO_ZONE_WATCH) {
      this.spectators.take(client, generation, view, offset);
    } else if (kind === R.TO_ZONE_SEEK) {
      this.spectators.seek(client, generation, view, offset);
    } else if (!clients.isHere(client, generation)) {
      if (this.departed.has(client) || kind === R.TO_ZONE_RESYNC) this.departed.follow(client, kind, view, offset);
      else this.early.add(view, offset, this.options.zone.tick);
    } else if (kind === R.TO_ZONE_LEAVE) {
      clients.leave(client, view.getUint32(offset + R.COMMAND_SEQ, true));
    } else if (kind === R.TO_ZONE_RESUME) {
      clients.resume(client, generation, view, offset);
    } else if (kind === R.TO_ZONE_GRANT) {
      this.grants.apply(client, clients.rowOf(client), view, offset + R.COMMAND_PAYLOAD);
    } else if (kind === R.TO_ZONE_RESYNC) {
      this.options.replicator.forget(client);
    }
  }

  /** An order whose client has not come. */
  private giveUp(record: DataView): void {
    const client = record.getUint16(R.COMMAND_CLIENT, true);
    const generation = record.getInt32(R.COMMAND_GENERATION, true);
    const kind = record.getUint16(R.COMMAND_KIND, true);
    if (kind === R.TO_ZONE_RESUME) {
      this.clients.joinAgain(client, generation, record);
      return;
    }
    this.options.zone.counters[COUNTER.commandsStale]++;
    if (kind === R.TO_ZONE_LEAVE) this.options.clients.end(client, generation); // its entity may wait for room here
    if (kind === R.TO_ZONE_GRANT) {
      this.grants.answer(client, record, R.COMMAND_PAYLOAD, RejectCode.NotJoined);
    }
  }
}
