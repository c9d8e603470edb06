// When each part of the I/O thread works: the event rings and the journal many times a second, snapshots and checkpoints
// every few seconds. While no event comes, the event rings are looked into together with the journal's: two timers would
// wake the thread twice.

import { nowMs, wallMs } from '../../base/clock.js';
import type { Settings } from '../../config/settings.js';
import { IO_BEAT_MS } from '../../durability/events/limits.js';
import { IO_QUIET_BEAT_MS, IO_QUIET_BEATS } from '../limits.js';
import type { IoParts } from './io-parts.js';

type Periods = Pick<Settings, 'hotSnapshotMs' | 'coldSnapshotMs'>;

export class IoBeats {
  private readonly timers: NodeJS.Timeout[];
  /** Undefined: the journal's beat looks into the event rings too. */
  private pumping: NodeJS.Timeout | undefined;
  private quietBeats = 0;
  private snapshotTimers: NodeJS.Timeout[];
  private periods: Periods;
  private isStopped = false;
  /** The journal's beat is often enough for event rings that are quiet. */
  private isShared = false;

  constructor(
    private readonly parts: Pick<
      IoParts,
      'counters' | 'pump' | 'cells' | 'journal' | 'checkpointer' | 'snapshotter' | 'playerSnapshotter'
    >,
    settings: Pick<Settings, 'hotSnapshotMs' | 'coldSnapshotMs' | 'journalFlushMs' | 'checkpointMs'>,
  ) {
    const { hotSnapshotMs, coldSnapshotMs, journalFlushMs, checkpointMs } = settings;
    const { cells, journal, checkpointer } = parts;
    this.pumping = setTimeout(() => this.pump(), IO_BEAT_MS);
    this.timers = [];
    if (cells !== undefined) this.timers.push(setInterval(() => cells.run(), IO_BEAT_MS));
    if (journal !== undefined) {
      // Twice within the time that may be lost: what was written last is never older than that.
      const beatMs = Math.max(1, journalFlushMs / 2);
      this.isShared = beatMs <= IO_QUIET_BEAT_MS;
      this.timers.push(setInterval(() => this.beatJournal(journal), beatMs));
    }
    if (checkpointer !== undefined) this.timers.push(setInterval(() => checkpointer.take(), checkpointMs));
    this.periods = { hotSnapshotMs, coldSnapshotMs };
    this.snapshotTimers = this.beginSnapshots();
  }

  /** A period that is under way begins anew, so periods that did not change are left alone. */
  changePeriods({ hotSnapshotMs, coldSnapshotMs }: Periods): void {
    const isSame = hotSnapshotMs === this.periods.hotSnapshotMs && coldSnapshotMs === this.periods.coldSnapshotMs;
    if (isSame || this.isStopped) return;
    this.periods = { hotSnapshotMs, coldSnapshotMs };
    for (const timer of this.snapshotTimers) clearInterval(timer);
    this.snapshotTimers = this.beginSnapshots();
  }

  stop(): void {
    this.isStopped = true;
    clearTimeout(this.pumping);
    for (const timer of [...this.timers, ...this.snapshotTimers]) clearInterval(timer);
  }

  /** Often while events come, seldom while none do. */
  private pump(): void {
    const { pump, counters } = this.parts;
    const readBefore = counters.get('eventsRead');
    pump.run(nowMs());
    const isQuiet =
      counters.get('eventsRead') === readBefore &&
      counters.get('eventsWaiting') === 0 &&
      counters.get('spoolEvents') === 0;
    this.quietBeats = isQuiet ? this.quietBeats + 1 : 0;
    const isLongQuiet = this.quietBeats >= IO_QUIET_BEATS;
    this.pumping =
      isLongQuiet && this.isShared
        ? undefined
        : setTimeout(() => this.pump(), isLongQuiet ? IO_QUIET_BEAT_MS : IO_BEAT_MS);
  }

  private beatJournal(journal: NonNullable<IoParts['journal']>): void {
    if (this.pumping === undefined) this.pump();
    void journal.run(nowMs());
  }

  private beginSnapshots(): NodeJS.Timeout[] {
    const { snapshotter, playerSnapshotter } = this.parts;
    const { hotSnapshotMs, coldSnapshotMs } = this.periods;
    return [
      setInterval(() => void snapshotter.takeHot(wallMs()), hotSnapshotMs),
      setInterval(() => void playerSnapshotter.take(wallMs()), hotSnapshotMs),
      setInterval(() => void snapshotter.takeCold(wallMs()), coldSnapshotMs),
    ];
  }
}
