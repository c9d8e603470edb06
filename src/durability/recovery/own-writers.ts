// Tells the snapshots that this data folder's own servers wrote from those of a copy of the folder. A copy has the same
// world id, so each server adds its random token to `writers` in world.json before it stores anything, and every snapshot
// names the token of its writer. A writer that the folder does not list ran on a copy, and the two worlds have parted: a
// state of it must not replace a journal or a snapshot of our own, however new it is.

export interface WrittenHeader {
  writer?: string | number;
  /** The session that took it. */
  epoch?: string | number;
  tick: number;
}

export class OwnWriters {
  /** The highest session of a copy that was met: ours have to be beyond it, as ids of events are made of it. */
  copyEpoch = 0;
  private readonly own: ReadonlySet<string>;
  private readonly met = new Map<string, { where: string; header: WrittenHeader }>();
  private areCopiesTaken = false;

  constructor(
    private readonly data: string,
    writers: readonly string[],
  ) {
    this.own = new Set(writers);
  }

  /** Whether to pass over this snapshot. One that names nobody, or a folder that lists nobody, proves nothing. */
  passesOver(where: string, header: WrittenHeader): boolean {
    const writer = String(header.writer ?? '');
    if (this.own.size === 0 || writer === '' || this.own.has(writer)) return false;
    const key = `${where} ${writer}`;
    const before = this.met.get(key);
    if (before === undefined || before.header.tick < header.tick) this.met.set(key, { where, header });
    this.copyEpoch = Math.max(this.copyEpoch, Number(header.epoch ?? 0));
    return !this.areCopiesTaken;
  }

  /** Where the folder has nothing of its own for some zone, a copy's state is better than a new world. */
  takeCopies(): boolean {
    if (this.met.size === 0) return false;
    this.areCopiesTaken = true;
    return true;
  }

  /** What the operator must hear. */
  lines(): string[] {
    const { data } = this;
    const outcome = this.areCopiesTaken
      ? `it is taken up, as ${data} does not have every zone itself`
      : `it is passed over for what ${data} wrote itself`;
    return [...this.met.values()].map(
      ({ where, header }) =>
        `${where} has a snapshot of tick ${header.tick} that a server on a copy of ${data} wrote (session ${header.epoch ?? 'unknown'}): ${outcome}`,
    );
  }
}
