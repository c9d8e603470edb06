// Spreads inputs evenly over time: not one burst per interval, but at every call as many as have become due since the
// last one, each for the next client in turn.

/** After a stall at most this much is made up for; what is older is skipped and counted. */
const CATCH_UP_MS_MAX = 50;

export class Pacer {
  private readonly perMs: number;
  private readonly clientCount: number;
  private startedMs: number;
  private issued = 0;
  private next = 0;
  skipped = 0;
  latenessMsMax = 0;
  private calledMs: number;

  constructor(clientCount: number, perSecond: number, nowMs: number) {
    this.clientCount = clientCount;
    this.perMs = (clientCount * perSecond) / 1000;
    this.startedMs = nowMs;
    this.calledMs = nowMs;
  }

  /** How many inputs are due now; each is then taken with nextClient(). */
  due(nowMs: number): number {
    this.latenessMsMax = Math.max(this.latenessMsMax, nowMs - this.calledMs);
    this.calledMs = nowMs;
    let due = Math.floor((nowMs - this.startedMs) * this.perMs) - this.issued;
    const most = Math.ceil(CATCH_UP_MS_MAX * this.perMs);
    if (due > most) {
      this.skipped += due - most;
      this.issued += due - most;
      due = most;
    }
    this.issued += due;
    return due;
  }

  nextClient(): number {
    const client = this.next;
    this.next = client + 1 === this.clientCount ? 0 : client + 1;
    return client;
  }

  clearCounts(): void {
    this.skipped = 0;
    this.latenessMsMax = 0;
  }
}
