// Whether an observer gets what an entity tells its team, and whether that was so when the observer last heard of it. Kept
// by row and by client, and not for each pair: the team now, the one before, and the ticks at which they came. Where
// two changes lie since the observer last heard, it is told the entity anew.

/** Of many, by row or by client: the team of each, and its last change. */
class TeamTicks {
  private readonly now: Uint8Array;
  private readonly before: Uint8Array;
  /** When `now` came, and when `before` did. */
  private readonly sinceTick: Int32Array;
  private readonly beforeTick: Int32Array;

  constructor(count: number) {
    this.now = new Uint8Array(count);
    this.before = new Uint8Array(count);
    this.sinceTick = new Int32Array(count).fill(-1);
    this.beforeTick = new Int32Array(count).fill(-1);
  }

  begin(index: number, team: number): void {
    this.now[index] = team;
    this.sinceTick[index] = -1;
    this.beforeTick[index] = -1;
  }

  /** @hot */
  note(index: number, team: number, tick: number): void {
    if (team === this.now[index]) return;
    this.before[index] = this.now[index];
    this.beforeTick[index] = this.sinceTick[index];
    this.now[index] = team;
    this.sinceTick[index] = tick;
  }

  /** @hot */
  teamOf(index: number): number {
    return this.now[index];
  }

  /** @hot The team at the end of a tick; -1: it is not known any more. */
  teamAt(index: number, tick: number): number {
    if (tick >= this.sinceTick[index]) return this.now[index];
    return tick >= this.beforeTick[index] ? this.before[index] : -1;
  }
}

export const MATE = 1;
/** The observer is to be told the entity anew: it has what it gets no longer, or may have. */
export const ANEW = 2;

export class TeamView {
  private readonly rows: TeamTicks;
  private readonly clients: TeamTicks;
  private readonly isKnown: Uint8Array;
  private client = 0;

  constructor(
    private readonly team: Uint8Array,
    clientsMax: number,
  ) {
    this.rows = new TeamTicks(team.length);
    this.clients = new TeamTicks(clientsMax);
    this.isKnown = new Uint8Array(team.length);
  }

  /** The row stands for another entity from now on. */
  reset(row: number): void {
    this.isKnown[row] = 0;
  }

  /** The client is this zone's from now on: nothing is known of what it had before. Row -1: a spectator, of no team. */
  attach(client: number, row: number): void {
    this.clients.begin(client, row < 0 ? 0 : this.team[row]);
  }

  /** @hot Before its frame. Without an entity (row -1) it stays of the team that it was of. */
  look(client: number, row: number, tick: number): void {
    this.client = client;
    if (row >= 0) this.clients.note(client, this.team[row], tick);
  }

  /** @hot How the observer that looks stands to an entity: MATE, ANEW, both, or 0. It last heard of it at `sent`. */
  standing(row: number, sent: number, tick: number): number {
    const { rows, clients, client } = this;
    if (this.isKnown[row] === 0) {
      this.isKnown[row] = 1;
      rows.begin(row, this.team[row]);
    } else {
      rows.note(row, this.team[row], tick);
    }
    const team = rows.teamOf(row);
    const isMate = team !== 0 && team === clients.teamOf(client);
    if (sent < 0) return isMate ? MATE : 0; // it is told all in any case
    const teamThen = rows.teamAt(row, sent);
    const clientThen = clients.teamAt(client, sent);
    const isUnknown = teamThen < 0 || clientThen < 0;
    const wasMate = teamThen !== 0 && teamThen === clientThen;
    return (isMate ? MATE : 0) | (isUnknown || wasMate !== isMate ? ANEW : 0);
  }
}
