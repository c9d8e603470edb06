// Ring of fixed-size records between two threads. One producer, one consumer; bytes drawn in ring-layout.ts.
//
// Producer: claim() a record, write it in place, claim more, then publish() them all at once. Full is an answer (-1),
// not an error: the caller counts the drop. Consumer: readable(), read in place at offsetOf(i), then release(n).
// A batch costs one atomic store on either side, however many records it carries.
//
// What a thread has claimed but not published, or read but not released, exists only in that thread's object. A thread
// that replaces a dead one makes a new RecordRing on the same buffer: unpublished records were never visible and are claimed
// again; unreleased records are read again.

import { assert } from '../../base/assert.js';
import {
  HEAD_INDEX,
  LENGTH_INDEX,
  MAGIC_INDEX,
  RECORD_BYTES_INDEX,
  RECORD_RING_MAGIC,
  RING_OFFSET,
  recordRingBytes,
  TAIL_INDEX,
} from './ring-layout.js';

export class RecordRing {
  readonly bytes: Uint8Array<SharedArrayBuffer>;
  readonly view: DataView<SharedArrayBuffer>;
  readonly i32: Int32Array<SharedArrayBuffer>;
  readonly capacity: number;
  readonly recordBytes: number;
  private readonly mask: number;
  // Producer's own. The consumer's head is read again only when this copy says full.
  private claimed: number;
  private published: number;
  private headCached: number;
  // Consumer's own.
  private head: number;
  private tailCached: number;

  static create(capacity: number, recordBytes: number): SharedArrayBuffer {
    const buffer = new SharedArrayBuffer(recordRingBytes(capacity, recordBytes));
    const i32 = new Int32Array(buffer);
    i32[LENGTH_INDEX] = capacity;
    i32[RECORD_BYTES_INDEX] = recordBytes;
    i32[MAGIC_INDEX] = RECORD_RING_MAGIC;
    return buffer;
  }

  constructor(buffer: SharedArrayBuffer) {
    this.bytes = new Uint8Array(buffer);
    this.view = new DataView(buffer);
    this.i32 = new Int32Array(buffer);
    assert(this.i32[MAGIC_INDEX] === RECORD_RING_MAGIC, 'the buffer holds a record ring', this.i32[MAGIC_INDEX]);
    this.capacity = this.i32[LENGTH_INDEX];
    this.recordBytes = this.i32[RECORD_BYTES_INDEX];
    assert(
      buffer.byteLength === recordRingBytes(this.capacity, this.recordBytes),
      'the buffer is as long as its header says',
      buffer.byteLength,
    );
    this.mask = this.capacity - 1;
    this.head = Atomics.load(this.i32, HEAD_INDEX); // acquire: records before it are free to write
    this.headCached = this.head;
    this.claimed = Atomics.load(this.i32, TAIL_INDEX); // acquire: records before it are written
    this.published = this.claimed;
    this.tailCached = this.claimed;
  }

  /** @hot Producer. Byte offset of the next free record, or -1 when the ring is full. */
  claim(): number {
    const claimed = this.claimed;
    if (((claimed - this.headCached) | 0) >= this.capacity) {
      this.headCached = Atomics.load(this.i32, HEAD_INDEX); // acquire: the consumer has done with what it gave back
      if (((claimed - this.headCached) | 0) >= this.capacity) return -1;
    }
    this.claimed = (claimed + 1) | 0;
    return RING_OFFSET + Math.imul(claimed & this.mask, this.recordBytes);
  }

  /** @hot Producer. All records claimed so far become readable, in the order of their claims. */
  publish(): void {
    if (this.claimed === this.published) return;
    this.published = this.claimed;
    Atomics.store(this.i32, TAIL_INDEX, this.claimed); // publish: the records below it are whole
  }

  /**
   * Producer that takes over a dead one's side, before it claims. The dead one had claimed and filled records up to `claimed`,
   * and told a third party so: they become readable. Returns how many were not yet.
   */
  publishUpTo(claimed: number): number {
    const count = (claimed - this.claimed) | 0;
    if (count <= 0) return 0;
    assert(((claimed - this.consumed()) | 0) <= this.capacity, 'no more was claimed than the ring holds', count);
    this.claimed = claimed;
    this.publish();
    return count;
  }

  /** Producer. Records claimed since the ring was made, published or not: where the last claim stands, plus one. */
  claimedCount(): number {
    return this.claimed;
  }

  /** @hot Consumer. Unread records. Asked once per batch, so it always looks at the producer's true tail. */
  readable(): number {
    this.tailCached = Atomics.load(this.i32, TAIL_INDEX); // acquire: the records below it are whole
    return (this.tailCached - this.head) | 0;
  }

  /** @hot Consumer. Byte offset of the i-th unread record, for i below what readable() last answered. */
  offsetOf(i: number): number {
    return RING_OFFSET + Math.imul((this.head + i) & this.mask, this.recordBytes);
  }

  /** @hot Consumer. Gives the first n unread records back to the producer; offsetOf counts on from there. */
  release(n: number): void {
    assert(n >= 0 && n <= ((this.tailCached - this.head) | 0), 'only what was readable is released', n);
    this.head = (this.head + n) | 0;
    Atomics.store(this.i32, HEAD_INDEX, this.head); // release: the records before it may be overwritten
  }

  /** Either side. Records published since the ring was made; wraps past 2^31. */
  written(): number {
    return Atomics.load(this.i32, TAIL_INDEX); // acquire: the records below it are whole
  }

  /** Either side. Records released since the ring was made; wraps past 2^31. */
  consumed(): number {
    return Atomics.load(this.i32, HEAD_INDEX); // acquire: the consumer has done with the records before it
  }
}
