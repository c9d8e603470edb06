// Where to draw entities between frames: a little in the past, so that there is nearly always a frame on either side.
//
// Samples carry server time (the frame's tick), which runs evenly even when frames arrive unevenly. What is drawn at a
// local time is the place that the entity had `delayMs` before, on the server's clock.

import { type EntityState, type EntityUpdate, type FrameDelta, wasSent } from '../protocol/fb/entity-decoder.js';
import { CLOCK_JUMP_MS, SAMPLE_GAP_MS_MAX, SAMPLES_MAX } from './limits.js';

const SAMPLES_MASK = SAMPLES_MAX - 1;
/** A frame counts for this part of the clock's estimate; the first ones for more, as in a plain average. */
const CLOCK_SMOOTHING = 0.02;

export interface Place {
  x: number;
  y: number;
  /** Set where the Interpolator was told which field is the height. */
  height?: number;
}

class Track {
  readonly timeMs = new Float64Array(SAMPLES_MAX);
  readonly x = new Float32Array(SAMPLES_MAX);
  readonly y = new Float32Array(SAMPLES_MAX);
  /** Undefined: entities have no height. */
  private readonly height: Float32Array | undefined;
  /** Samples ever added. */
  count = 0;

  constructor(hasHeight: boolean) {
    this.height = hasHeight ? new Float32Array(SAMPLES_MAX) : undefined;
  }

  add(timeMs: number, x: number, y: number, height: number): void {
    const at = this.count & SAMPLES_MASK;
    this.timeMs[at] = timeMs;
    this.x[at] = x;
    this.y[at] = y;
    if (this.height !== undefined) this.height[at] = height;
    this.count++;
  }

  /** The place at a time: before the first sample it is that of the first, after the last that of the last. */
  placeAt(timeMs: number, out: Place): void {
    const oldest = Math.max(0, this.count - SAMPLES_MAX);
    let later = this.count - 1;
    while (later > oldest && this.timeMs[(later - 1) & SAMPLES_MASK] >= timeMs) later--;
    const target = later & SAMPLES_MASK;
    const source = later > oldest ? (later - 1) & SAMPLES_MASK : target;
    const endMs = this.timeMs[target];
    const startMs = Math.max(this.timeMs[source], endMs - SAMPLE_GAP_MS_MAX);
    const part = endMs > startMs ? Math.min(1, Math.max(0, (timeMs - startMs) / (endMs - startMs))) : 1;
    out.x = this.x[source] + (this.x[target] - this.x[source]) * part;
    out.y = this.y[source] + (this.y[target] - this.y[source]) * part;
    const { height } = this;
    if (height !== undefined) out.height = height[source] + (height[target] - height[source]) * part;
  }
}

export class Interpolator {
  private readonly tracks = new Map<number, Track>();
  private readonly tickMs: number;
  /** Local time minus server time, of frames on average. */
  private offsetMs = 0;
  private offsetCount = 0;

  constructor(
    tickHz: number,
    public delayMs = 100,
    /** The number of the field that is an entity's height, see TesseraClient.fieldIndex; -1 for none. */
    private readonly heightField = -1,
  ) {
    this.tickMs = 1000 / tickHz;
  }

  /** To be told of every frame, after it was applied. */
  observe(tick: number, nowMs: number, delta: FrameDelta, entities: ReadonlyMap<number, EntityState>): void {
    const serverMs = tick * this.tickMs;
    this.followClock(nowMs - serverMs);
    for (const id of delta.left) this.tracks.delete(id);
    for (const id of delta.entered) {
      // It is new here, or has been put somewhere else: it does not glide from where it was.
      const track = new Track(this.heightField >= 0);
      this.tracks.set(id, track);
      this.addSample(track, serverMs, entities.get(id));
    }
    for (const update of delta.updated) {
      const track = this.tracks.get(update.id);
      if (track === undefined) continue;
      if (update.moved || this.hasRisen(update)) this.addSample(track, serverMs, entities.get(update.id));
    }
  }

  /** False when nothing is known of this entity. */
  place(id: number, nowMs: number, out: Place): boolean {
    const track = this.tracks.get(id);
    if (track === undefined) return false;
    track.placeAt(nowMs - this.offsetMs - this.delayMs, out);
    return true;
  }

  private hasRisen(update: EntityUpdate): boolean {
    return this.heightField >= 0 && wasSent(update, this.heightField);
  }

  private addSample(track: Track, serverMs: number, entity: EntityState | undefined): void {
    if (entity === undefined) return;
    const height = this.heightField < 0 ? 0 : Number(entity.fields[this.heightField]);
    track.add(serverMs, entity.x, entity.y, height);
  }

  private followClock(offsetMs: number): void {
    const change = offsetMs - this.offsetMs;
    if (Math.abs(change) > CLOCK_JUMP_MS) this.offsetCount = 0;
    this.offsetCount++;
    this.offsetMs += change * Math.max(CLOCK_SMOOTHING, 1 / this.offsetCount);
  }
}
