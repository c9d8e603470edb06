// The built server for a drill, with what the drill asks it. It may be killed before it is ready, and its data stays.

import { ServerProcess } from '../../../bench/server-process.js';

export interface DrillHealth {
  zones: { tick: number; entities: number }[];
  recovery: { source: string; snapshotTick: number; journalTick: number | null; ms: number; skipped: string[] };
}

export class DrillServer extends ServerProcess {
  /** Events that the log has acknowledged since the server began; undefined when it does not answer any more. */
  async eventsAppended(): Promise<number | undefined> {
    try {
      return Number(/^tessera_io_events_appended_total (\d+)/m.exec(await this.metrics())?.[1] ?? 0);
    } catch {
      return undefined;
    }
  }
}
