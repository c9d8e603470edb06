// The game's commands in a zone: each is applied in its client's order, sent after a client that has gone on, kept for a
// later tick, or rejected with a code.
//
// Where a client crosses a border, its later commands come straight here, while earlier ones may still be on their way from
// the zone that it has left. Main counts each client's commands, so a gap shows, and what is behind it waits for some ticks.

import type { CommandDefinition } from '../../game/definition.js';
import { RejectCode } from '../../game/reject-codes.js';
import * as R from '../../memory/records/thread-records.js';
import * as C from '../../memory/tables/client-table.js';
import type { Limits } from '../../memory/tables/live-limits.js';
import { COUNTER } from '../../memory/tables/zone-counters.js';
import { GAME_KIND_MIN } from '../../protocol/limits.js';
import type { DepartedClients } from '../borders/departed-clients.js';
import type { ZoneJournal } from '../replay/zone-journal.js';
import { throwFault } from '../zone/game-fault.js';
import type { MainNotices } from '../zone/main-notices.js';
import type { EngineZone } from '../zone/zone.js';
import { CommandRates } from './command-rates.js';
import { WaitingCommands } from './waiting-commands.js';
import { NOT_HERE, NOT_NOW, TAKEN } from './waiting-records.js';
import type { ZoneClients } from './zone-clients.js';

export interface ClientCommandsOptions {
  zone: EngineZone;
  clients: C.ClientTable;
  limits: Pick<Limits, 'commandsPerClientTick'>;
  journal: ZoneJournal | undefined;
}

export class ClientCommands {
  private readonly definitions: (CommandDefinition | undefined)[] = [];
  private readonly rates: CommandRates;
  private readonly waiting: WaitingCommands;
  // What is looked at for every command, at one step.
  private readonly zone: EngineZone;
  private readonly clients: C.ClientTable;
  private readonly state: Int32Array;

  constructor(
    private readonly options: ClientCommandsOptions,
    private readonly present: ZoneClients,
    private readonly departed: DepartedClients,
    private readonly notices: MainNotices,
  ) {
    const { zone, clients } = options;
    this.zone = zone;
    this.clients = clients;
    this.state = clients.state;
    for (const command of zone.game.commands) {
      this.definitions[command.kind - GAME_KIND_MIN] = command as CommandDefinition;
    }
    this.rates = new CommandRates(zone, clients.clientsMax, this.definitions.length);
    this.waiting = new WaitingCommands(
      clients.clientsMax,
      (view, offset, isOverdue) => this.attempt(view, offset, isOverdue),
      () => zone.counters[COUNTER.commandsStale]++,
    );
  }

  /** Those that wait for a later tick. Returns how many were taken. */
  takeWaiting(most: number): number {
    return this.waiting.take(most, this.zone.tick);
  }

  /** What belongs behind or in front of others of the same client that wait goes to them. */
  take(view: DataView, offset: number): void {
    const client = view.getUint16(offset + R.COMMAND_CLIENT, true);
    if (!this.waiting.hasSome(client) && this.attempt(view, offset, false) === TAKEN) {
      return;
    }
    const { zone } = this;
    if (!this.waiting.add(view, offset, zone.tick)) {
      zone.counters[COUNTER.commandsOverloaded]++;
      const seq = view.getUint32(offset + R.COMMAND_SEQ, true);
      this.reject(client, seq, view.getUint16(offset + R.COMMAND_KIND, true), RejectCode.Overloaded);
    }
  }

  private attempt(view: DataView, offset: number, isOverdue: boolean): number {
    const { state, zone } = this;
    const client = view.getUint16(offset + R.COMMAND_CLIENT, true);
    const kind = view.getUint16(offset + R.COMMAND_KIND, true);
    if (!this.present.isHere(client, view.getInt32(offset + R.COMMAND_GENERATION, true))) {
      if (!this.departed.has(client)) {
        return NOT_HERE;
      }
      if (!this.departed.follow(client, kind, view, offset)) {
        this.reject(client, view.getUint32(offset + R.COMMAND_SEQ, true), kind, RejectCode.QueueFull);
      }
      return TAKEN;
    }
    const at = client * C.CLIENT_STATE_WORDS;
    if (view.getUint8(offset + R.COMMAND_CONNECTION) !== state[at + C.CLIENT_CONNECTION]) {
      zone.counters[COUNTER.commandsStale]++;
      return TAKEN; // said by a connection that another one has replaced
    }
    const number = view.getUint16(offset + R.COMMAND_NUMBER, true);
    const gap = ((number - state[at + C.CLIENT_NUMBER] - 1) << 16) >> 16; // how many are missing; negative: it comes late itself
    if (gap > 0 && !isOverdue) {
      return NOT_NOW;
    }
    if (!this.rates.count(client, this.options.limits.commandsPerClientTick)) {
      return NOT_NOW;
    }
    if (gap >= 0) {
      state[at + C.CLIENT_NUMBER] = number;
    }
    this.apply(client, kind, view, offset);
    return TAKEN;
  }

  private apply(client: number, kind: number, view: DataView, offset: number): void {
    const { zone } = this;
    const seq = view.getUint32(offset + R.COMMAND_SEQ, true);
    const slot = kind - GAME_KIND_MIN;
    if (seq <= this.state[client * C.CLIENT_STATE_WORDS + C.CLIENT_APPLIED_SEQUENCE] >>> 0) {
      // It was held up for longer than later ones wait: they stand, and the client has done nothing wrong.
      this.reject(client, seq, kind, RejectCode.QueueFull);
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
    const row = this.present.rowOf(client);
    const code = row < 0 ? RejectCode.NotAlive : this.applyTo(row, kind, definition, view, offset);
    if (code !== RejectCode.None) {
      this.reject(client, seq, kind, code);
      return;
    }
    this.clients.apply(client, seq, zone.tick);
    zone.counters[COUNTER.commandsApplied]++;
  }

  private applyTo(row: number, kind: number, definition: CommandDefinition, view: DataView, offset: number): number {
    const payload = offset + R.COMMAND_PAYLOAD;
    this.options.journal?.command(row, kind, view, payload, view.getUint8(offset + R.COMMAND_BYTES));
    try {
      return definition.apply(this.zone, row, view, payload);
    } catch (error) {
      throwFault(this.zone, `command '${definition.name}'`, error);
    }
  }

  private reject(client: number, seq: number, kind: number, code: number): void {
    this.zone.counters[COUNTER.commandsRejected]++;
    this.notices.tell(client, R.FROM_ZONE_REJECT, seq, kind, code);
  }
}
