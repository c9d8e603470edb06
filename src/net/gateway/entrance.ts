// From a Join to a place in the world: who may come in, and as whom. A client with a token goes on with its own entity
// where that is still here, else with what is stored of its player, else as a newcomer.

import type { Settings } from '../../config/settings.js';
import type { Identity } from '../../game/life.js';
import { RejectCode } from '../../game/reject-codes.js';
import type { JoinFields, Watch } from '../../protocol/fb/client-message.js';
import type { BanList } from '../auth/bans.js';
import { type Identify, identifyByToken } from '../auth/identity.js';
import type { ResumeClaims } from '../auth/resume-token.js';
import { CloseCode } from './close-codes.js';
import type { Outbox } from './outbox.js';
import type { Resumption } from './resumption.js';
import { SESSION_ABSENT, SESSION_CONNECTING, SESSION_JOINING, type SessionTable } from './session.js';
import type { StoredPlayer, WorldPort } from './world-port.js';

/** Who may come in: RejectCode.None, or why not. */
export type Admit = (name: string, token: string) => RejectCode;

export interface EntranceOptions {
  sessions: SessionTable;
  world: WorldPort;
  outbox: Outbox;
  admit: Admit;
  /** Absent: whoever is gone has left. */
  resumption?: Resumption | undefined;
  bans: BanList;
  /** Who a client is. Default: the player of its token, or a new one. */
  identify?: Identify | undefined;
}

/** What the gateway does with a client that cannot stay, and with an absent one whose seat is needed. */
export interface Doorkeeper {
  close(client: number, code: number, reason: string): void;
  dismiss(client: number): void;
}

export class Entrance {
  /** Frames per second that a client asked for when it joined. */
  readonly updateHz: Uint8Array;

  constructor(
    private readonly options: EntranceOptions,
    /** As they are now. */
    private readonly settings: Readonly<Pick<Settings, 'tickHz' | 'updateHz' | 'spectators'>>,
    private readonly doorkeeper: Doorkeeper,
  ) {
    this.updateHz = new Uint8Array(options.sessions.capacity);
  }

  join(client: number, join: JoinFields): RejectCode {
    const { settings } = this;
    const { sessions, resumption, bans, admit, identify = identifyByToken } = this.options;
    if (bans.hasName(join.name)) return RejectCode.Banned;
    const claims = resumption?.read(join.token);
    const admitted = claims === undefined ? admit(join.name, join.token) : RejectCode.None;
    if (admitted !== RejectCode.None) return admitted;
    const frameHz = join.updateHz === 0 ? settings.updateHz : Math.min(join.updateHz, settings.tickHz);
    sessions.name[client] = join.name;
    if (join.watch !== undefined) return this.watch(client, join.watch, frameHz);
    const kept = claims === undefined ? undefined : resumption?.find(claims);
    const identity = identify(join, claims);
    if (claims !== undefined && kept !== undefined) {
      this.comeBack(client, kept, claims, identity, frameHz);
      return RejectCode.None;
    }
    const seat = this.takeSeat(client);
    if (seat === -1) return RejectCode.ServerFull;
    this.updateHz[seat] = frameHz;
    resumption?.enter(seat, identity.playerId);
    const stored = claims && resumption?.findStored(claims);
    if (stored !== undefined) {
      sessions.setState(seat, SESSION_JOINING);
      void this.joinStored(seat, stored, identity);
      return RejectCode.None;
    }
    const isTaken = this.enter(seat, undefined, identity);
    if (isTaken || seat === client) return isTaken ? RejectCode.None : RejectCode.ServerFull;
    this.turnAway(seat);
    return RejectCode.None;
  }

  /** A spectator has a seat of the world's, and never that of a player who may come back. It is not waited for either. */
  private watch(client: number, watch: Watch, frameHz: number): RejectCode {
    const { sessions, world } = this.options;
    const { spectators } = this.settings;
    if (spectators === 0) return RejectCode.NoSpectators;
    if (sessions.spectators >= spectators) return RejectCode.ServerFull;
    if (client >= sessions.seats && sessions.freeSeats === 0) return RejectCode.ServerFull;
    const seat = this.takeSeat(client);
    this.updateHz[seat] = frameHz;
    // The world may answer before watch() returns.
    sessions.setState(seat, SESSION_JOINING);
    sessions.setSpectator(seat, true);
    const code = world.watch(seat, sessions.generation[seat], frameHz, watch);
    if (code === RejectCode.None) {
      this.tellCongestion(seat);
      return code;
    }
    sessions.setSpectator(seat, false);
    sessions.setState(seat, SESSION_CONNECTING);
    if (seat === client) return code;
    this.turnAway(seat);
    return RejectCode.None;
  }

  private comeBack(source: number, client: number, claims: ResumeClaims, identity: Identity, frameHz: number): void {
    const { sessions, resumption, world, outbox } = this.options;
    const wasCongested = outbox.isCongested(client);
    if (resumption?.comeBack(source, client, claims) === false) {
      // The world knows nothing of the former connection but this.
      const isCongested = outbox.isCongested(client);
      if (isCongested !== wasCongested) world.setCongested(client, isCongested);
      return;
    }
    this.updateHz[client] = frameHz;
    if (world.resume(client, sessions.generation[client], frameHz, identity)) this.tellCongestion(client);
    else this.turnAway(client);
  }

  /** What is stored comes, or does not, within a bounded time; the client may have gone meanwhile. */
  private async joinStored(
    client: number,
    stored: Promise<StoredPlayer | undefined>,
    identity: Identity,
  ): Promise<void> {
    const { sessions } = this.options;
    const generation = sessions.generation[client];
    const player = await stored;
    if (!sessions.holds(client, generation) || sessions.state[client] !== SESSION_JOINING) return;
    if (!this.enter(client, player, identity)) this.turnAway(client);
  }

  private enter(client: number, player: StoredPlayer | undefined, identity: Identity): boolean {
    const { sessions, world, resumption } = this.options;
    const generation = sessions.generation[client];
    // The world may answer before join() returns.
    sessions.setState(client, SESSION_JOINING);
    const isTaken =
      player === undefined
        ? world.join(client, generation, this.updateHz[client], identity)
        : world.restore(client, generation, this.updateHz[client], player, identity);
    if (!isTaken) {
      sessions.setState(client, SESSION_CONNECTING);
      return false;
    }
    if (player !== undefined) resumption?.noteRestored(client);
    this.tellCongestion(client);
    return true;
  }

  private tellCongestion(client: number): void {
    if (this.options.outbox.isCongested(client)) this.options.world.setCongested(client, true);
  }

  private turnAway(client: number): void {
    this.doorkeeper.close(client, CloseCode.TryAgainLater, 'not let in');
  }

  /** Who came in by the anteroom gets a seat of the world's: a free one, or that of who has been absent longest. */
  private takeSeat(client: number): number {
    const { sessions, outbox } = this.options;
    if (client < sessions.seats) return client;
    if (sessions.freeSeats === 0 && sessions.counts[SESSION_ABSENT] > 0)
      this.doorkeeper.dismiss(sessions.oldestAbsent());
    const seat = sessions.openSeat();
    if (seat === -1) return -1;
    sessions.reseat(client, seat);
    outbox.swap(client, seat);
    sessions.release(client);
    return seat;
  }
}
