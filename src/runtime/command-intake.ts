// Step 5 of a command's way: what a zone does with the records that main put into its ring, and with those that other
// zones sent after a client that came over. Nothing here trusts a client; the record was checked for form by main, and
// everything about the world (is it alive, may it do that now) is answered here or by the game.

import { GAME_KIND_MIN } from '../constants.js';
import type { ByteRing } from '../memory/byte-ring.js';
import * as C from '../memory/client-table.js';
import { COUNTER } from '../memory/counters.js';
import type { Limits } from '../memory/live-limits.js';
import type { RecordRing } from '../memory/record-ring.js';
import * as R from '../memory/records.js';
import { RejectCode } from '../protocol/reject-codes.js';
import type { Replicator } from '../replication/replicator.js';
import { arrivalRecordBytes, spawnArrival } from '../sim/arrival.js';
import type { CommandDefinition } from '../sim/game.js';
import type { Handoff } from '../sim/handoff.js';
import type { EngineZone } from '../sim/zone.js';
import type { ZoneJournal } from '../sim/zone-journal.js';
import { AsideCommands } from './aside-commands.js';
import type { CellHost } from './cell-host.js';
import { CommandRates } from './command-rates.js';
import { GrantIntake } from './grant-intake.js';
import { MainNotices } from './main-notices.js';
import { findOwned, listUnattached } from './owned-rows.js';
import {
  ARRIVAL_TICKS_MAX,
  copyOut,
  copyRecord,
  createRecord,
  EarlyWords,
  LateWords,
  NOT_HERE,
  NOT_NOW,
  TAKEN,
  type WaitingRecord,
} from './waiting-records.js';

export interface IntakeOptions {
  zone: EngineZone;
  /** Main's own words, all of them taken in every tick before any command. */
  words: RecordRing;
  commands: RecordRing;
  frames: ByteRing;
  clients: C.ClientTable;
  replicator: Replicator;
  handoff: Handoff;
  /** Undefined: the whole world is in memory. */
  cells?: CellHost | undefined;
  limits: Pick<Limits, 'commandsPerTick' | 'commandsPerClientTick'>;
  journal: ZoneJournal | undefined;
}

export class CommandIntake {
  private readonly definitions: (CommandDefinition | undefined)[] = [];
  private readonly rates: CommandRates;
  /** By client: zone + 1 to which its entity has gone from here. */
  private readonly forwardTo: Uint8Array;
  private readonly scratch = createRecord();
  /** Words of main that must not be lost and found no room on their way. */
  private readonly late = new LateWords((record, target) => this.options.handoff.forwardCommand(record, 0, target));
  private readonly notices: MainNotices;
  private readonly grants: GrantIntake;
  private readonly aside: AsideCommands;
  /** Words about clients whose entities may be on their way here. */
  private readonly early = new EarlyWords({
    isFound: (client, epoch) => this.forwardTo[client] !== 0 || this.isHere(client, epoch),
    take: (record) => this.takeWord(record, 0),
    giveUp: (record) => this.giveUp(record),
  });
  /** Clients that main named and whose entities may be on their way here. */
  private attaching: WaitingRecord[] = [];
  private attachCount = 0;
  /** Main has named all clients of this zone. */
  private isOpen = false;

  constructor(private readonly options: IntakeOptions) {
    const { zone, clients } = options;
    this.notices = new MainNotices(options.frames, clients);
    this.grants = new GrantIntake(zone, this.notices, options.journal);
    for (const command of zone.game.commands) {
      this.definitions[command.kind - GAME_KIND_MIN] = command as CommandDefinition;
    }
    this.rates = new CommandRates(zone, clients.clientsMax, this.definitions.length);
    this.forwardTo = new Uint8Array(clients.clientsMax);
    this.aside = new AsideCommands(
      clients.clientsMax,
      (view, offset) => this.tryCommand(view, offset),
      () => zone.counters[COUNTER.commandsStale]++,
    );
  }

  /** Takes main's words, then at most commandsPerTick commands; what is left waits for the next tick. */
  drain(): void {
    const { words, commands, limits } = this.options;
    this.late.retry();
    this.notices.retry();
    this.options.cells?.letJoin((record) => this.takeWord(record, 0));
    for (let left = words.readable(); left > 0; left--) {
      copyOut(words, this.scratch);
      this.takeWord(this.scratch, 0);
    }
    this.takeAttaching();
    this.early.retry(this.options.zone.tick, this.isOpen);
    if (!this.isOpen) {
      return; // a restored zone does not know its clients yet: their commands wait in the ring, in order
    }
    const { commandsPerTick } = limits;
    const taken = this.aside.take(commandsPerTick, this.options.zone.tick);
    const readable = commands.readable();
    const count = Math.min(readable, commandsPerTick - taken);
    for (let i = 0; i < count; i++) {
      copyOut(commands, this.scratch);
      this.takeCommand(this.scratch, 0);
    }
  }

  /** A record that another zone sent after its client. */
  takeForwarded(view: DataView, offset: number): void {
    if (view.getUint16(offset + R.COMMAND_KIND, true) >= GAME_KIND_MIN) {
      this.takeCommand(view, offset);
    } else {
      this.takeWord(view, offset);
    }
  }

  private takeWord(view: DataView, offset: number): void {
    const kind = view.getUint16(offset + R.COMMAND_KIND, true);
    const client = view.getInt32(offset + R.COMMAND_CLIENT, true);
    const epoch = view.getInt32(offset + R.COMMAND_EPOCH, true);
    if (this.options.cells?.holdsBack(kind, client, view, offset)) return;
    if (kind === R.TO_ZONE_JOIN) {
      this.join(client, epoch, 0, view, offset);
    } else if (kind === R.TO_ZONE_ATTACH) {
      this.attachCount++;
      this.attaching.push({ record: copyRecord(view, offset), tick: this.options.zone.tick });
    } else if (kind === R.TO_ZONE_ATTACHED_ALL) {
      if (this.attachCount < view.getUint32(offset + R.COMMAND_SEQ, true)) {
        return; // the others were named to a thread that was lost meanwhile: main names all of them again
      }
      this.takeAttaching();
      for (const row of listUnattached(this.options.zone, this.options.replicator.rowOfClient)) this.despawn(row);
      this.isOpen = true;
    } else if (!this.isHere(client, epoch)) {
      if (this.forwardTo[client] !== 0 || kind === R.TO_ZONE_RESYNC) this.follow(client, kind, view, offset);
      else this.early.add(view, offset, this.options.zone.tick);
    } else if (kind === R.TO_ZONE_LEAVE) {
      this.leave(client);
    } else if (kind === R.TO_ZONE_RESUME) {
      this.resume(client, epoch, view, offset);
    } else if (kind === R.TO_ZONE_GRANT) {
      this.grants.apply(client, this.options.replicator.rowOfClient[client], view, offset + R.COMMAND_PAYLOAD);
    } else if (kind === R.TO_ZONE_RESYNC) {
      this.options.replicator.forget(client);
    }
  }

  /** Behind those of the same client that wait already. */
  private takeCommand(view: DataView, offset: number): void {
    const client = view.getInt32(offset + R.COMMAND_CLIENT, true);
    if (!this.aside.hasSome(client) && this.tryCommand(view, offset) === TAKEN) {
      return;
    }
    const { zone } = this.options;
    if (!this.aside.add(view, offset, zone.tick)) {
      zone.counters[COUNTER.commandsOverloaded]++;
      const seq = view.getUint32(offset + R.COMMAND_SEQ, true);
      this.reject(client, seq, view.getUint16(offset + R.COMMAND_KIND, true), RejectCode.Overloaded);
    }
  }

  private tryCommand(view: DataView, offset: number): number {
    const { zone, limits } = this.options;
    const client = view.getInt32(offset + R.COMMAND_CLIENT, true);
    const kind = view.getUint16(offset + R.COMMAND_KIND, true);
    if (!this.isHere(client, view.getInt32(offset + R.COMMAND_EPOCH, true))) {
      if (this.forwardTo[client] === 0) {
        return NOT_HERE;
      }
      this.follow(client, kind, view, offset);
      return TAKEN;
    }
    const turn = this.options.clients.state[client * C.CLIENT_STATE_WORDS + C.CLIENT_TURN];
    if (view.getUint8(offset + R.COMMAND_TURN) !== turn) {
      zone.counters[COUNTER.commandsStale]++;
      return TAKEN; // said by a connection that another one has replaced
    }
    if (!this.rates.count(client, limits.commandsPerClientTick)) {
      return NOT_NOW;
    }
    this.apply(client, kind, view, offset);
    return TAKEN;
  }

  private takeAttaching(): void {
    if (this.attaching.length === 0) return;
    const { zone } = this.options;
    const waiting = this.attaching;
    this.attaching = [];
    for (const entry of waiting) {
      const { record } = entry;
      const client = record.getInt32(R.COMMAND_CLIENT, true);
      const epoch = record.getInt32(R.COMMAND_EPOCH, true);
      if (this.attach(client, epoch, record)) {
        continue;
      }
      if (zone.tick - entry.tick >= ARRIVAL_TICKS_MAX) {
        this.giveUpAttaching(client, epoch, record);
      } else {
        this.attaching.push(entry);
      }
    }
  }

  /** A client that main named and whose entity has not come. */
  private giveUpAttaching(client: number, epoch: number, record: DataView): void {
    if (record.getInt32(R.COMMAND_PAYLOAD + 16, true) === 0) {
      this.joinAgain(client, epoch, record); // it had joined in a tick that was never committed
      return;
    }
    this.refuse(client, epoch, 0, 0, RejectCode.NotAlive); // absent: nobody needs another one
  }

  /** Main will not speak of this client again, so whatever of it comes from now on goes. */
  private refuse(client: number, epoch: number, hop: number, turn: number, code: number): void {
    if (this.options.clients.isPassedOn(client, epoch)) return; // nor does it wait for an answer
    this.beginClient(client, epoch, hop, 1, turn);
    this.notices.tell(client, R.FROM_ZONE_REFUSED, code, 0, 0);
    this.options.clients.end(client, epoch);
  }

  private joinAgain(client: number, epoch: number, record: DataView): void {
    this.join(client, epoch, record.getInt32(R.COMMAND_PAYLOAD + 12, true), record, 0);
  }

  /** A word whose client has not come. */
  private giveUp(record: DataView): void {
    const client = record.getInt32(R.COMMAND_CLIENT, true);
    const epoch = record.getInt32(R.COMMAND_EPOCH, true);
    const kind = record.getUint16(R.COMMAND_KIND, true);
    if (kind === R.TO_ZONE_RESUME) {
      this.joinAgain(client, epoch, record);
      return;
    }
    this.options.zone.counters[COUNTER.commandsStale]++;
    if (kind === R.TO_ZONE_LEAVE) this.options.clients.end(client, epoch); // its entity may wait for room here
    if (kind === R.TO_ZONE_GRANT) {
      this.grants.answer(client, record, R.COMMAND_PAYLOAD, RejectCode.NotJoined);
    }
  }

  /** The client's entity has come to this zone. */
  arrived(client: number, row: number): void {
    const { replicator, zone, clients } = this.options;
    const epoch = zone.engine.ownerEpoch[row];
    const isDoubled = this.isHere(client, epoch) && replicator.rowOfClient[client] >= 0; // it was waited for too long
    if (isDoubled || !clients.hasHolder(client) || clients.isPassedOn(client, epoch)) {
      this.despawn(row); // its client has left meanwhile, or its index has another holder, or nobody is waited for
      return;
    }
    if (replicator.isAttached(client) && !this.isHere(client, epoch)) this.leave(client); // a former holder
    this.forwardTo[client] = 0;
    replicator.attach(client, row);
    replicator.doubtAll(client);
  }

  /** The client's entity is about to go; what comes for it here follows it. */
  departing(client: number, epoch: number, target: number): void {
    const { clients, replicator } = this.options;
    if (clients.isHolder(client, epoch)) {
      clients.state[client * C.CLIENT_STATE_WORDS + C.CLIENT_HOP]++;
    }
    replicator.detach(client);
    this.forwardTo[client] = target + 1;
  }

  /** Tells main where the client's commands go from now on. */
  departed(client: number, epoch: number, target: number): void {
    const { frames, clients } = this.options;
    if (!clients.isHolder(client, epoch)) return;
    this.notices.tell(client, R.FROM_ZONE_MOVED, target, 0, 0);
    frames.publish();
    if (!this.options.replicator.isAttached(client)) {
      this.forwardTo[client] = target + 1; // after a restore only this says that the client is not to be waited for
    }
  }

  private isHere(client: number, epoch: number): boolean {
    const { replicator } = this.options;
    return replicator.isAttached(client) && replicator.epochOfClient[client] === epoch;
  }

  private apply(client: number, kind: number, view: DataView, offset: number): void {
    const { zone, clients, replicator } = this.options;
    const seq = view.getUint32(offset + R.COMMAND_SEQ, true);
    const slot = kind - GAME_KIND_MIN;
    if (seq <= clients.state[client * C.CLIENT_STATE_WORDS + C.CLIENT_APPLIED_SEQUENCE] >>> 0) {
      // It was held up in a zone that its client has left, and a later one came straight here: the later one stands.
      this.reject(client, seq, kind, RejectCode.BadSequence);
      return;
    }
    const definition = this.definitions[slot];
    if (definition === undefined) {
      this.reject(client, seq, kind, RejectCode.UnknownKind);
      return;
    }
    if (definition.ratePerSecond !== undefined && !this.rates.spend(client, slot, definition.ratePerSecond)) {
      this.reject(client, seq, kind, RejectCode.RateLimited);
      return;
    }
    const row = replicator.rowOfClient[client];
    const code = row < 0 ? RejectCode.NotAlive : this.applyTo(row, kind, definition, view, offset);
    if (code !== RejectCode.None) {
      this.reject(client, seq, kind, code);
      return;
    }
    clients.state[client * C.CLIENT_STATE_WORDS + C.CLIENT_APPLIED_SEQUENCE] = seq;
    zone.counters[COUNTER.commandsApplied]++;
  }

  private applyTo(row: number, kind: number, definition: CommandDefinition, view: DataView, offset: number): number {
    const { zone, journal } = this.options;
    const payload = offset + R.COMMAND_PAYLOAD;
    journal?.command(row, kind, view, payload, view.getUint8(offset + R.COMMAND_BYTES));
    return definition.apply(zone, row, view, payload);
  }

  private join(client: number, epoch: number, hop: number, view: DataView, offset: number): void {
    const { zone } = this.options;
    const payload = offset + R.COMMAND_PAYLOAD;
    this.freeIndex(client);
    const x = view.getFloat32(payload + 4, true);
    const y = view.getFloat32(payload + 8, true);
    this.options.journal?.join(client, epoch, x, y);
    const row = zone.game.spawnPlayer(zone, x, y);
    const updateHz = view.getUint32(payload, true);
    this.enter(client, epoch, hop, updateHz, view.getUint8(offset + R.COMMAND_TURN), row);
  }

  /** A player comes in as it was stored. */
  takeStored(view: DataView, offset: number): void {
    const client = view.getInt32(offset + R.ARRIVAL_CLIENT, true);
    this.freeIndex(client);
    this.options.journal?.stored(view, offset, arrivalRecordBytes(this.options.zone.game.fields));
    const row = spawnArrival(this.options.zone, view, offset);
    const updateHz = view.getUint32(offset + R.ARRIVAL_UPDATE_HZ, true);
    const turn = view.getUint32(offset + R.ARRIVAL_TURN, true);
    this.enter(client, view.getInt32(offset + R.ARRIVAL_EPOCH, true), 0, updateHz, turn, row);
  }

  /** The index has a new holder; its former one's leave is still on its way or was lost. */
  private freeIndex(client: number): void {
    if (this.options.replicator.isAttached(client)) {
      this.leave(client);
    }
  }

  /** -1: there was no room for the entity. */
  private enter(client: number, epoch: number, hop: number, updateHz: number, turn: number, row: number): void {
    const { zone, replicator } = this.options;
    if (row < 0) {
      zone.counters[COUNTER.joinsRefused]++;
      this.refuse(client, epoch, hop, turn, RejectCode.ServerFull);
      return;
    }
    zone.owner[row] = client + 1;
    zone.engine.ownerEpoch[row] = epoch;
    this.forwardTo[client] = 0;
    this.beginClient(client, epoch, hop, updateHz, turn);
    replicator.attach(client, row);
    zone.counters[COUNTER.clientsJoined]++;
    this.notices.tell(client, R.FROM_ZONE_JOINED, zone.wireIdOf(row), zone.engine.key[row], 0);
  }

  /** The client is back by another connection, which knows nothing yet and counts its messages anew. */
  private resume(client: number, epoch: number, view: DataView, offset: number): void {
    const { zone, clients, replicator } = this.options;
    const row = replicator.rowOfClient[client];
    if (row < 0) {
      this.join(client, epoch, clients.state[client * C.CLIENT_STATE_WORDS + C.CLIENT_HOP], view, offset);
      return;
    }
    const updateHz = view.getUint32(offset + R.COMMAND_PAYLOAD, true);
    clients.beginAgain(client, updateHz, view.getUint8(offset + R.COMMAND_TURN));
    this.notices.tell(client, R.FROM_ZONE_JOINED, zone.wireIdOf(row), zone.engine.key[row], 0);
  }

  /** False: its entity is not here, which may be because it is on its way here. */
  private attach(client: number, epoch: number, record: DataView): boolean {
    const { zone, replicator, clients } = this.options;
    if (this.forwardTo[client] !== 0) {
      return true; // it has gone on since this thread began, and is taken up where it arrives
    }
    const row = findOwned(zone, client, epoch);
    if (clients.isPassedOn(client, epoch)) {
      if (row >= 0) this.despawn(row); // it has left, and that word is behind this one
      return true;
    }
    if (row < 0) return false;
    const hop = record.getInt32(R.COMMAND_PAYLOAD + 12, true);
    const updateHz = record.getUint32(R.COMMAND_PAYLOAD, true);
    clients.takeUp(client, epoch, hop, updateHz, record.getUint8(R.COMMAND_TURN));
    replicator.attach(client, row);
    // The dead thread may have committed the join and not said so. Who knows already does not mind.
    this.notices.tell(client, R.FROM_ZONE_JOINED, zone.wireIdOf(row), zone.engine.key[row], 0);
    return true;
  }

  private despawn(row: number): void {
    this.options.journal?.despawn(row);
    this.options.zone.despawn(row);
  }

  private leave(client: number): void {
    const { replicator } = this.options;
    const row = replicator.rowOfClient[client];
    replicator.detach(client);
    if (row >= 0) {
      this.despawn(row);
    }
  }

  private beginClient(client: number, epoch: number, hop: number, updateHz: number, turn: number): void {
    this.options.clients.begin(client, epoch, hop, updateHz, turn);
    this.options.replicator.forget(client);
  }

  /** The client is not here: its command goes after it, or is of a client that is gone. */
  private follow(client: number, kind: number, view: DataView, offset: number): void {
    const { zone, handoff } = this.options;
    const target = this.forwardTo[client] - 1;
    if (target < 0) {
      zone.counters[COUNTER.commandsStale]++;
      return;
    }
    if (handoff.forwardCommand(view, offset, target)) {
      zone.counters[COUNTER.commandsForwarded]++;
    } else if (kind >= GAME_KIND_MIN) {
      this.reject(client, view.getUint32(offset + R.COMMAND_SEQ, true), kind, RejectCode.QueueFull);
    } else {
      this.late.add(view, offset, target);
    }
  }

  private reject(client: number, seq: number, kind: number, code: number): void {
    this.options.zone.counters[COUNTER.commandsRejected]++;
    this.notices.tell(client, R.FROM_ZONE_REJECT, seq, kind, code);
  }
}
