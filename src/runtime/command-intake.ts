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
import type { CommandDefinition } from '../sim/game.js';
import type { Handoff } from '../sim/handoff.js';
import type { EngineZone } from '../sim/zone.js';
import type { ZoneJournal } from '../sim/zone-journal.js';
import { GrantIntake } from './grant-intake.js';
import { MainNotices } from './main-notices.js';
import {
  ARRIVAL_TICKS_MAX,
  copyOut,
  copyRecord,
  createRecord,
  EarlyWords,
  type WaitingRecord,
} from './waiting-records.js';

/** Commands that wait for a later tick: half a second of 2,000 clients at 30 per second is 30,000. */
const ASIDE_MAX = 32768;

/** What became of a command that was to be taken. */
const TAKEN = 0;
/** Its client is not here: it may be on its way here, or gone. */
const NOT_HERE = 1;
/** Its client has had its share of this tick. */
const NOT_NOW = 2;

export interface IntakeOptions {
  zone: EngineZone;
  /** Main's own words, all of them taken in every tick before any command. */
  words: RecordRing;
  commands: RecordRing;
  frames: ByteRing;
  clients: C.ClientTable;
  replicator: Replicator;
  handoff: Handoff;
  limits: Pick<Limits, 'commandsPerTick' | 'commandsPerClientTick'>;
  journal: ZoneJournal | undefined;
}

export class CommandIntake {
  private readonly definitions: (CommandDefinition | undefined)[] = [];
  /** By client: the tick of the last command and how many there were in it. */
  private readonly countTick: Int32Array;
  private readonly count: Uint16Array;
  /** By client and command: what it may still send of it, and the tick at which that was so. */
  private readonly tokens: Float32Array;
  private readonly tokensTick: Int32Array;
  /** By client: zone + 1 to which its entity has gone from here. */
  private readonly forwardTo: Uint8Array;
  private readonly scratch = createRecord();
  /** Words of main that must not be lost and found no room on their way. */
  private readonly waiting: { record: DataView; target: number }[] = [];
  private readonly notices: MainNotices;
  private readonly grants: GrantIntake;
  /** Commands that wait for a later tick, in the order in which they came, and how many of them each client has. */
  private aside: WaitingRecord[] = [];
  private readonly asideCount: Uint16Array;
  private readonly blockedTick: Int32Array;
  /** Words about clients whose entities may be on their way here. */
  private readonly early = new EarlyWords({
    isFound: (client, epoch) => this.forwardTo[client] !== 0 || this.isHere(client, epoch),
    take: (record) => this.takeWord(record, 0),
    giveUp: (record) => this.giveUp(record),
  });
  /** Clients that main named and whose entities may be on their way here. */
  private attaching: WaitingRecord[] = [];
  /** Main has named all clients of this zone. */
  private isOpen = false;

  constructor(private readonly options: IntakeOptions) {
    const { zone, clients } = options;
    this.notices = new MainNotices(options.frames, clients);
    this.grants = new GrantIntake(zone, this.notices, options.journal);
    for (const command of zone.game.commands) {
      this.definitions[command.kind - GAME_KIND_MIN] = command as CommandDefinition;
    }
    const slots = clients.clientsMax * this.definitions.length;
    this.countTick = new Int32Array(clients.clientsMax);
    this.count = new Uint16Array(clients.clientsMax);
    this.tokens = new Float32Array(slots);
    this.tokensTick = new Int32Array(slots);
    this.forwardTo = new Uint8Array(clients.clientsMax);
    this.asideCount = new Uint16Array(clients.clientsMax);
    this.blockedTick = new Int32Array(clients.clientsMax);
  }

  /** Takes main's words, then at most commandsPerTick commands; what is left waits for the next tick. */
  drain(): void {
    const { words, commands, limits } = this.options;
    this.retry();
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
    const taken = this.takeAside(commandsPerTick);
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
    if (kind === R.TO_ZONE_JOIN) {
      this.join(client, epoch, view, offset + R.COMMAND_PAYLOAD);
    } else if (kind === R.TO_ZONE_ATTACH) {
      this.attaching.push({ record: copyRecord(view, offset), tick: this.options.zone.tick });
    } else if (kind === R.TO_ZONE_ATTACHED_ALL) {
      this.takeAttaching();
      this.dropUnattached();
      this.isOpen = true;
    } else if (!this.isHere(client, epoch)) {
      if (this.forwardTo[client] !== 0 || kind === R.TO_ZONE_RESYNC) this.follow(client, kind, view, offset);
      else this.early.add(view, offset, this.options.zone.tick);
    } else if (kind === R.TO_ZONE_LEAVE) {
      this.leave(client);
    } else if (kind === R.TO_ZONE_GRANT) {
      this.grants.apply(client, this.options.replicator.rowOfClient[client], view, offset + R.COMMAND_PAYLOAD);
    } else if (kind === R.TO_ZONE_RESYNC) {
      this.options.replicator.forget(client);
    }
  }

  /** Behind those of the same client that wait already. */
  private takeCommand(view: DataView, offset: number): void {
    const client = view.getInt32(offset + R.COMMAND_CLIENT, true);
    if (this.asideCount[client] === 0 && this.tryCommand(view, offset) === TAKEN) {
      return;
    }
    if (this.aside.length >= ASIDE_MAX) {
      const { zone } = this.options;
      zone.counters[COUNTER.commandsOverloaded]++;
      const seq = view.getUint32(offset + R.COMMAND_SEQ, true);
      this.reject(client, seq, view.getUint16(offset + R.COMMAND_KIND, true), RejectCode.Overloaded);
      return;
    }
    this.asideCount[client]++;
    this.aside.push({ record: copyRecord(view, offset), tick: this.options.zone.tick });
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
    if (this.countTick[client] !== zone.tick) {
      this.countTick[client] = zone.tick;
      this.count[client] = 0;
    }
    if (this.count[client] >= limits.commandsPerClientTick) {
      return NOT_NOW;
    }
    this.count[client]++;
    this.apply(client, kind, view, offset);
    return TAKEN;
  }

  /** What waits, in its order and client by client; returns how many were taken. */
  private takeAside(most: number): number {
    if (this.aside.length === 0) {
      return 0;
    }
    const { zone } = this.options;
    const waiting = this.aside;
    this.aside = [];
    let taken = 0;
    for (const entry of waiting) {
      const client = entry.record.getInt32(R.COMMAND_CLIENT, true);
      if (taken >= most || this.blockedTick[client] === zone.tick) {
        this.aside.push(entry);
        continue;
      }
      const outcome = this.tryCommand(entry.record, 0);
      if (outcome === TAKEN) {
        this.asideCount[client]--;
        taken++;
      } else if (outcome === NOT_HERE && zone.tick - entry.tick >= ARRIVAL_TICKS_MAX) {
        this.asideCount[client]--;
        zone.counters[COUNTER.commandsStale]++;
      } else {
        this.blockedTick[client] = zone.tick;
        this.aside.push(entry);
      }
    }
    return taken;
  }

  private takeAttaching(): void {
    if (this.attaching.length === 0) {
      return;
    }
    const { zone } = this.options;
    const waiting = this.attaching;
    this.attaching = [];
    for (const entry of waiting) {
      const { record } = entry;
      const client = record.getInt32(R.COMMAND_CLIENT, true);
      const epoch = record.getInt32(R.COMMAND_EPOCH, true);
      if (this.attach(client, epoch, record, R.COMMAND_PAYLOAD)) {
        continue;
      }
      if (zone.tick - entry.tick >= ARRIVAL_TICKS_MAX) {
        this.join(client, epoch, record, R.COMMAND_PAYLOAD); // it had joined in a tick that was never committed
      } else {
        this.attaching.push(entry);
      }
    }
  }

  /** A word whose client has not come. */
  private giveUp(record: DataView): void {
    this.options.zone.counters[COUNTER.commandsStale]++;
    if (record.getUint16(R.COMMAND_KIND, true) === R.TO_ZONE_GRANT) {
      this.grants.answer(record.getInt32(R.COMMAND_CLIENT, true), record, R.COMMAND_PAYLOAD, RejectCode.NotJoined);
    }
  }

  /** The client's entity has come to this zone. */
  arrived(client: number, row: number): void {
    const { replicator } = this.options;
    this.forwardTo[client] = 0;
    replicator.attach(client, row);
    replicator.doubtAll(client);
  }

  /** The client's entity is about to go; what comes for it here follows it. */
  departing(client: number, target: number): void {
    const { clients, replicator } = this.options;
    clients.state[client * C.CLIENT_STATE_WORDS + C.CLIENT_HOP]++;
    replicator.detach(client);
    this.forwardTo[client] = target + 1;
  }

  /** Tells main where the client's commands go from now on. */
  departed(client: number, target: number): void {
    const { frames } = this.options;
    this.notices.tell(client, R.FROM_ZONE_MOVED, target, 0, 0);
    frames.publish();
  }

  private isHere(client: number, epoch: number): boolean {
    const { clients, replicator } = this.options;
    return replicator.isAttached(client) && clients.state[client * C.CLIENT_STATE_WORDS + C.CLIENT_EPOCH] === epoch;
  }

  private apply(client: number, kind: number, view: DataView, offset: number): void {
    const { zone, clients, replicator } = this.options;
    const seq = view.getUint32(offset + R.COMMAND_SEQ, true);
    const slot = kind - GAME_KIND_MIN;
    const definition = this.definitions[slot];
    if (definition === undefined) {
      this.reject(client, seq, kind, RejectCode.UnknownKind);
      return;
    }
    if (definition.ratePerSecond !== undefined && !this.spend(client, slot, definition.ratePerSecond)) {
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
    journal?.command(row, kind, view, payload, view.getUint16(offset + R.COMMAND_BYTES, true));
    return definition.apply(zone, row, view, payload);
  }

  /** A bucket of one second's worth, filled by game time. */
  private spend(client: number, slot: number, ratePerSecond: number): boolean {
    const { zone } = this.options;
    const at = client * this.definitions.length + slot;
    const refilled = this.tokens[at] + (zone.tick - this.tokensTick[at]) * zone.dt * ratePerSecond;
    const tokens = Math.min(refilled, ratePerSecond);
    this.tokensTick[at] = zone.tick;
    this.tokens[at] = tokens < 1 ? tokens : tokens - 1;
    return tokens >= 1;
  }

  private join(client: number, epoch: number, view: DataView, payload: number): void {
    const { zone, replicator } = this.options;
    if (replicator.isAttached(client)) {
      this.leave(client); // the index has a new holder; its former one's leave is still on its way or was lost
    }
    const x = view.getFloat32(payload + 4, true);
    const y = view.getFloat32(payload + 8, true);
    this.options.journal?.join(client, epoch, x, y);
    const row = zone.game.spawnPlayer(zone, x, y);
    if (row < 0) {
      zone.counters[COUNTER.joinsRefused]++;
      this.beginClient(client, epoch, 0, 1);
      this.notices.tell(client, R.FROM_ZONE_REFUSED, RejectCode.ServerFull, 0, 0);
      return;
    }
    this.own(client, epoch, row);
    this.beginClient(client, epoch, 0, view.getUint32(payload, true));
    replicator.attach(client, row);
    zone.counters[COUNTER.clientsJoined]++;
    this.notices.tell(client, R.FROM_ZONE_JOINED, zone.wireIdOf(row), 0, 0);
  }

  /** False: its entity is not here, which may be because it is on its way here. */
  private attach(client: number, epoch: number, view: DataView, payload: number): boolean {
    const { replicator, clients } = this.options;
    if (this.forwardTo[client] !== 0) {
      return true; // it has gone on since this thread began, and is taken up where it arrives
    }
    const row = this.findOwned(client, epoch);
    if (row < 0) {
      return false;
    }
    const at = client * C.CLIENT_STATE_WORDS;
    clients.state[at + C.CLIENT_HOP] = view.getInt32(payload + 12, true);
    // What the dead thread made and did not publish is not on its way.
    clients.state[at + C.CLIENT_FRAMES_MADE] = Atomics.load(clients.delivered, client); // main's count
    replicator.attach(client, row);
    replicator.forget(client);
    return true;
  }

  private findOwned(client: number, epoch: number): number {
    const { zone } = this.options;
    for (let row = 0; row < zone.rowLimit; row++) {
      if (zone.alive[row] !== 0 && zone.owner[row] === client + 1 && zone.engine.ownerEpoch[row] === epoch) {
        return row;
      }
    }
    return -1;
  }

  private dropUnattached(): void {
    const { zone, replicator } = this.options;
    for (let row = 0; row < zone.rowLimit; row++) {
      if (zone.alive[row] !== 0 && zone.owner[row] !== 0 && replicator.rowOfClient[zone.owner[row] - 1] !== row) {
        this.despawn(row);
      }
    }
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

  private own(client: number, epoch: number, row: number): void {
    const { zone } = this.options;
    zone.owner[row] = client + 1;
    zone.engine.ownerEpoch[row] = epoch;
    this.forwardTo[client] = 0;
  }

  private beginClient(client: number, epoch: number, hop: number, updateHz: number): void {
    const { clients, replicator } = this.options;
    const at = client * C.CLIENT_STATE_WORDS;
    clients.state.fill(0, at, at + C.CLIENT_STATE_WORDS);
    clients.state[at + C.CLIENT_EPOCH] = epoch;
    clients.state[at + C.CLIENT_HOP] = hop;
    clients.state[at + C.CLIENT_UPDATE_HZ] = updateHz;
    clients.state[at + C.CLIENT_FRAMES_MADE] = Atomics.load(clients.delivered, client); // main's count goes on
    replicator.forget(client);
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
      this.waiting.push({ record: copyRecord(view, offset), target });
    }
  }

  private retry(): void {
    while (this.waiting.length > 0) {
      const { record, target } = this.waiting[0];
      if (!this.options.handoff.forwardCommand(record, 0, target)) {
        break;
      }
      this.waiting.shift();
    }
    this.notices.retry();
  }

  private reject(client: number, seq: number, kind: number, code: number): void {
    this.options.zone.counters[COUNTER.commandsRejected]++;
    this.notices.tell(client, R.FROM_ZONE_REJECT, seq, kind, code);
  }
}
