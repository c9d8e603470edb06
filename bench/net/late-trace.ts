// Where the time of one round trip went, put together from what the client and the server's threads have noted.
//
//   client writes | socket | main reads | waits for a tick | tick | ring, main wakes | main writes | socket | client reads
//
// All times are milliseconds by the machine's clock, which all processes share.

/** Where the hooks write to: a name to which each thread adds its number. */
export const LATE_FILE_VARIABLE = 'LATE_TRACE_FILE';

export const PARTS = ['to main', 'wait for tick', 'tick', 'to main again', 'write', 'to client'] as const;

/** What the client saw of one input. */
export interface ClientTrip {
  seq: number;
  sentMs: number;
  receivedMs: number;
  /** Of the frame that acknowledged it. */
  tick: number;
}

export interface Trip {
  seq: number;
  tick: number;
  totalMs: number;
  /** In the order of PARTS. */
  parts: number[];
}

export interface ServerNotes {
  /** By sequence number: when main read the input. */
  readMs: Map<number, number>;
  /** The first frame with each acknowledgement: when main took it from its ring, and when it was written. */
  frames: { ack: number; takenMs: number; writtenMs: number }[];
  /** By number; of several tick threads each has its own. */
  ticks: Map<number, { startMs: number; endMs: number }[]>;
}

export function readNotes(texts: readonly string[]): ServerNotes {
  const notes: ServerNotes = { readMs: new Map(), frames: [], ticks: new Map() };
  for (const line of texts.flatMap((text) => text.split('\n'))) {
    const [word, number, first, second] = line.split(' ');
    if (word === 'in') notes.readMs.set(Number(number), Number(first));
    if (word === 'out') {
      const ack = Number(number);
      if (notes.frames.at(-1)?.ack !== ack) {
        notes.frames.push({ ack, takenMs: Number(first), writtenMs: Number(second) });
      }
    }
    if (word === 'tick') {
      const ticks = notes.ticks.get(Number(number)) ?? [];
      ticks.push({ startMs: Number(first), endMs: Number(second) });
      notes.ticks.set(Number(number), ticks);
    }
  }
  return notes;
}

/** Trips of which every part is known. A tick is that of the thread whose end is the last before main took the frame. */
export function joinTrips(trips: readonly ClientTrip[], notes: ServerNotes): Trip[] {
  const joined: Trip[] = [];
  let at = 0;
  for (const { seq, sentMs, receivedMs, tick } of trips) {
    while (at < notes.frames.length && notes.frames[at].ack < seq) at++;
    const frame = notes.frames[at];
    const readMs = notes.readMs.get(seq);
    const run = notes.ticks
      .get(tick)
      ?.filter(({ startMs }) => startMs <= (frame?.takenMs ?? 0))
      .sort((a, b) => b.endMs - a.endMs)[0];
    if (frame === undefined || readMs === undefined || run === undefined) continue;
    // An input that came in the middle of the tick that took it waited for nothing; main may take a frame before the end.
    const startMs = Math.max(readMs, run.startMs);
    const endMs = Math.min(Math.max(startMs, run.endMs), frame.takenMs);
    // Main may be put aside when the bytes have gone and it has not yet noted so.
    const writtenMs = Math.min(frame.writtenMs, receivedMs);
    const times = [sentMs, readMs, startMs, endMs, frame.takenMs, writtenMs, receivedMs];
    const parts = PARTS.map((_, i) => times[i + 1] - times[i]);
    joined.push({ seq, tick, totalMs: receivedMs - sentMs, parts });
  }
  return joined;
}
