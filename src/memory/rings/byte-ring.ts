// Ring of variable-size records between two threads. One producer, one consumer; bytes drawn in ring-layout.ts.
//
// Producer: claim() room for the largest size that the payload may have, write it in place, commit() its real size, go on
// with the next, then publish() all of them at once. Full is an answer (-1), not an error: the caller counts the drop.
// Consumer: next() moves to the next record and fills kind, offset and payloadBytes; release() gives back all records up to
// and including that one.
//
// A payload is never split. If the room before the end is too short for a claim, a skip record fills it and the claim goes
// to the front; next() passes skip records by itself. One record takes at most half of the ring, so that a claim always
// succeeds on an empty ring, wherever the counters stand.
//
// What a thread has committed but not published, or read but not released, exists only in that thread's object. A thread
// that replaces a dead one makes a new ByteRing on the same buffer: unpublished records were never visible and their room is
// claimed again; unreleased records are read again.

import { assert } from '../../base/assert.js';
import {
  BYTE_RING_MAGIC,
  BYTES_AT,
  byteRingBytes,
  HEAD_INDEX,
  KIND_AT,
  LENGTH_INDEX,
  MAGIC_INDEX,
  RECORD_ALIGN_BYTES,
  RECORD_HEADER_BYTES,
  RING_OFFSET,
  SKIP_KIND,
  TAIL_INDEX,
} from './ring-layout.js';

const ALIGN_MASK = RECORD_ALIGN_BYTES - 1;
const BYTES_INDEX = BYTES_AT / 4;
const KIND_INDEX = KIND_AT / 4;
const NO_CLAIM = -1;

export class ByteRing {
  readonly bytes: Uint8Array<SharedArrayBuffer>;
  readonly view: DataView<SharedArrayBuffer>;
  readonly ringBytes: number;
  /** The largest payload one claim can ask for. */
  readonly payloadBytesMax: number;
  private readonly i32: Int32Array<SharedArrayBuffer>;
  private readonly mask: number;
  // Producer's own. The consumer's head is read again only when this copy says full.
  private committed: number;
  private published: number;
  private headCached: number;
  private claimKind = 0;
  private claimBytesMax = NO_CLAIM;
  private claimSkipBytes = 0;
  // Consumer's own. The producer's tail is read again only when this copy says empty.
  private cursor: number;
  private tailCached: number;
  /** The record that next() moved to: its kind, the byte offset of its payload, and the payload's size. */
  kind = 0;
  offset = 0;
  payloadBytes = 0;

  static create(ringBytes: number): SharedArrayBuffer {
    const buffer = new SharedArrayBuffer(byteRingBytes(ringBytes));
    const i32 = new Int32Array(buffer);
    i32[LENGTH_INDEX] = ringBytes;
    i32[MAGIC_INDEX] = BYTE_RING_MAGIC;
    return buffer;
  }

  constructor(buffer: SharedArrayBuffer) {
    this.bytes = new Uint8Array(buffer);
    this.view = new DataView(buffer);
    this.i32 = new Int32Array(buffer);
    assert(this.i32[MAGIC_INDEX] === BYTE_RING_MAGIC, 'the buffer holds a byte ring', this.i32[MAGIC_INDEX]);
    this.ringBytes = this.i32[LENGTH_INDEX];
    assert(
      buffer.byteLength === byteRingBytes(this.ringBytes),
      'the buffer is as long as its header says',
      buffer.byteLength,
    );
    this.payloadBytesMax = this.ringBytes / 2 - RECORD_HEADER_BYTES;
    this.mask = this.ringBytes - 1;
    this.cursor = Atomics.load(this.i32, HEAD_INDEX); // acquire: bytes before it are free to write
    this.headCached = this.cursor;
    this.committed = Atomics.load(this.i32, TAIL_INDEX); // acquire: records before it are whole
    this.published = this.committed;
    this.tailCached = this.committed;
  }

  /**
   * @hot Producer. Byte offset where a payload of at most bytesMax can be written, or -1 when there is no room for it. A
   * claim that was not committed is forgotten.
   */
  claim(kind: number, bytesMax: number): number {
    assert(kind >= 0, 'negative kinds belong to the ring', kind);
    assert(bytesMax >= 0 && bytesMax <= this.payloadBytesMax, 'one record takes at most half of the ring', bytesMax);
    const recordBytes = recordBytesFor(bytesMax);
    const position = this.committed & this.mask;
    const bytesToEnd = this.ringBytes - position;
    const skipBytes = recordBytes <= bytesToEnd ? 0 : bytesToEnd;
    this.claimBytesMax = NO_CLAIM;
    if (skipBytes + recordBytes > this.ringBytes - ((this.committed - this.headCached) | 0)) {
      if (skipBytes + recordBytes > this.freeBytes()) return -1;
    }
    this.claimKind = kind;
    this.claimBytesMax = bytesMax;
    this.claimSkipBytes = skipBytes;
    return (skipBytes === 0 ? RING_OFFSET + position : RING_OFFSET) + RECORD_HEADER_BYTES;
  }

  /** @hot Producer. Fixes the size of the last claim's payload; the record waits for publish(). */
  commit(bytes: number): void {
    assert(bytes >= 0 && bytes <= this.claimBytesMax, 'a commit fits its claim', bytes);
    // Headers are written here and not by claim(), so that a forgotten claim leaves no skip record behind.
    if (this.claimSkipBytes > 0) {
      this.writeHeader(this.claimSkipBytes - RECORD_HEADER_BYTES, SKIP_KIND);
      this.committed = (this.committed + this.claimSkipBytes) | 0;
    }
    this.writeHeader(bytes, this.claimKind);
    this.committed = (this.committed + recordBytesFor(bytes)) | 0;
    this.claimBytesMax = NO_CLAIM;
  }

  /** @hot Producer. All records committed so far become readable, in order. */
  publish(): void {
    if (this.committed === this.published) return;
    this.published = this.committed;
    Atomics.store(this.i32, TAIL_INDEX, this.committed); // publish: the records below it are whole
  }

  /** @hot Consumer. Moves to the next unread record; false when there is none yet. */
  next(): boolean {
    if (this.cursor === this.tailCached) {
      this.tailCached = Atomics.load(this.i32, TAIL_INDEX); // acquire: the records below it are whole
      if (this.cursor === this.tailCached) return false;
    }
    let headerIndex = (RING_OFFSET + (this.cursor & this.mask)) >> 2;
    if (this.i32[headerIndex + KIND_INDEX] === SKIP_KIND) {
      // The record that the skip made room for was published with it and stands at the front.
      this.cursor = (this.cursor + RECORD_HEADER_BYTES + this.i32[headerIndex + BYTES_INDEX]) | 0;
      headerIndex = RING_OFFSET >> 2;
    }
    this.payloadBytes = this.i32[headerIndex + BYTES_INDEX];
    this.kind = this.i32[headerIndex + KIND_INDEX];
    this.offset = (headerIndex << 2) + RECORD_HEADER_BYTES;
    this.cursor = (this.cursor + recordBytesFor(this.payloadBytes)) | 0;
    return true;
  }

  /** @hot Consumer. Gives back the current record and all before it: their bytes must not be read any more. */
  release(): void {
    Atomics.store(this.i32, HEAD_INDEX, this.cursor); // release: the bytes before it may be overwritten
  }

  /** Either side. Bytes published and not yet released, headers and skips included. */
  readableBytes(): number {
    const tail = Atomics.load(this.i32, TAIL_INDEX); // acquire: the records below it are whole
    return (tail - Atomics.load(this.i32, HEAD_INDEX)) | 0; // acquire: the bytes before it are free
  }

  /** @hot Producer. Bytes that are neither committed nor waiting for the consumer; records pay for their headers here. */
  freeBytes(): number {
    this.headCached = Atomics.load(this.i32, HEAD_INDEX); // acquire: the consumer has done with the bytes before it
    return this.ringBytes - ((this.committed - this.headCached) | 0);
  }

  private writeHeader(bytes: number, kind: number): void {
    const headerIndex = (RING_OFFSET + (this.committed & this.mask)) >> 2;
    this.i32[headerIndex + BYTES_INDEX] = bytes;
    this.i32[headerIndex + KIND_INDEX] = kind;
  }
}

/** What a payload takes of the ring: its header, itself, its padding. */
function recordBytesFor(payloadBytes: number): number {
  return (RECORD_HEADER_BYTES + payloadBytes + ALIGN_MASK) & ~ALIGN_MASK;
}
