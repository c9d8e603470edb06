// Zones that count, and a journal writer over them, in one thread: each tick a zone adds its tick to a sum in its globals
// and says so to its ring, as a tick thread does before it commits.

import type { JournalRecord } from '../../../src/durability/journal/journal-file.js';
import { listSessions, readSegment } from '../../../src/durability/journal/journal-reader.js';
import { type JournalOptions, JournalWriter } from '../../../src/durability/journal/journal-writer.js';
import { recordsAfter } from '../../../src/durability/recovery/journal-recovery.js';
import { decodeZone, type WorldIdentity, type ZoneSnapshot } from '../../../src/durability/snapshots/zone-snapshot.js';
import { JOURNAL_RECORD } from '../../../src/memory/records/journal-records.js';
import { ByteRing } from '../../../src/memory/rings/byte-ring.js';
import { IoCounters } from '../../../src/memory/tables/io-counters.js';
import { LIVE_BLOCK, WorldBuffer } from '../../../src/memory/world/world-buffer.js';
import { layOutWorld, SCALAR_JOURNALED, SCALAR_TICK } from '../../../src/memory/world/world-layout.js';

const LAYOUT = layOutWorld([{ name: 'alive', type: 'u8', role: 'alive' }], 64);
const RING_BYTES = 4096;
export const SEGMENT_MS = 60000;
export const KEEP_MS = 300000;

export class JournalStage {
  readonly counters = new IoCounters(IoCounters.create());
  readonly lines: string[] = [];
  readonly worlds: WorldBuffer[];
  readonly ringBuffers: SharedArrayBuffer[];
  readonly producers: ByteRing[];
  writer: JournalWriter;
  nowMs = Date.now();

  constructor(
    readonly folder: string,
    zones = 2,
    private readonly options: Partial<JournalOptions> = {},
    private readonly epoch = 7,
  ) {
    this.worlds = Array.from({ length: zones }, (_, zone) => new WorldBuffer(WorldBuffer.create(LAYOUT, zone), LAYOUT));
    this.ringBuffers = this.worlds.map(() => ByteRing.create(RING_BYTES));
    this.producers = this.ringBuffers.map((buffer) => new ByteRing(buffer));
    for (const world of this.worlds) world.commit();
    this.writer = this.createWriter();
  }

  /** As another I/O thread would: it knows nothing but what is in shared memory and on the disk. */
  createWriter(): JournalWriter {
    const { file } = (this.writer ?? {}) as unknown as { file?: { close(): Promise<void> } };
    void file?.close(); // a thread that ends takes its open files along
    this.writer = new JournalWriter({
      folder: this.folder,
      epoch: this.epoch,
      worlds: this.worlds,
      rings: this.ringBuffers.map((buffer) => new ByteRing(buffer)),
      shape: { game: 'counting', zoneCount: this.worlds.length, rowCapacity: 64 } as WorldIdentity,
      session: { epoch: this.epoch },
      segmentMs: SEGMENT_MS,
      keepMs: KEEP_MS,
      hashEveryTicks: 10,
      wallMs: () => this.nowMs,
      counters: this.counters,
      say: (line) => this.lines.push(line),
      ...this.options,
    });
    return this.writer;
  }

  /** A tick of one zone. `dies`: after its record is published and before it commits; its thread is another one from then on. */
  tick(zone: number, { dies = false, payload = 0 } = {}): void {
    const world = this.worlds[zone];
    const live = world.blocks[LIVE_BLOCK];
    const tick = live.scalars[SCALAR_TICK] + 1;
    const record = Buffer.alloc(16 + payload);
    record.writeInt32LE(live.scalars[SCALAR_JOURNALED] + 1, 0);
    record.writeInt32LE(tick, 4);
    // What a thread that dies had drawn is not what its successor draws.
    const value = dies ? -1 : tick;
    record.writeDoubleLE(value, 8);
    live.scalars[SCALAR_TICK] = tick;
    live.scalars[SCALAR_JOURNALED]++;
    live.globals[0] += value;
    const ring = this.producers[zone];
    const offset = ring.claim(JOURNAL_RECORD, record.length);
    if (offset >= 0) {
      ring.bytes.set(record, offset);
      ring.commit(record.length);
      ring.publish();
    }
    if (dies) {
      world.restore();
      this.producers[zone] = new ByteRing(this.ringBuffers[zone]);
    } else {
      world.commit();
    }
  }

  tickAll(count: number): void {
    for (let i = 0; i < count; i++) for (const zone of this.worlds.keys()) this.tick(zone);
  }

  run(ms = 50): Promise<void> {
    this.nowMs += ms;
    return this.writer.run(this.nowMs);
  }

  get segments(): string[] {
    return listSessions(this.folder).find(({ epoch }) => epoch === this.epoch)?.segments ?? [];
  }

  /** What comes of the newest segment that begins with every zone: tick and sum of each, as a recovery finds them. */
  recover(skipSegments = 0): { tick: number; sum: number; isTrue: boolean }[] {
    const session = listSessions(this.folder).find(({ epoch }) => epoch === this.epoch);
    if (session === undefined) return [];
    const segments = session.segments.map((name) => readSegment(session, name));
    const whole = segments.findLastIndex(
      ({ bases }, index) => index < segments.length - skipSegments && bases.length === this.worlds.length,
    );
    const bases: ZoneSnapshot[] = segments[whole].bases.map((bytes) => decodeZone(bytes));
    const records: JournalRecord[] = segments.slice(whole).flatMap((segment) => segment.records);
    return bases.map(({ scalars, globals, header }) => {
      const mine = records.filter(({ zone }) => zone === header.zone);
      const chain = recordsAfter(mine, scalars[SCALAR_JOURNALED]);
      const sum = chain.reduce((total, { bytes }) => total + bytes.readDoubleLE(8), globals[0]);
      const tick = chain.at(-1)?.tick ?? header.tick;
      return { tick, sum, isTrue: sum === (tick * (tick + 1)) / 2 };
    });
  }
}
