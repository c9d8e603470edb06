// The records that the ring bench moves: eight words that follow from the record's number.

export const RECORD_BYTES = 32;
export const RECORD_WORDS = RECORD_BYTES / 4;
export const BATCH_RECORDS = 64;

/** @hot */
export function writeRecord(i32: Int32Array, index: number, seq: number): void {
  i32[index] = seq;
  i32[index + 1] = Math.imul(seq, 0x9e3779b1);
  i32[index + 2] = seq ^ 0x5bd1e995;
  i32[index + 3] = (seq << 7) | (seq >>> 25);
  i32[index + 4] = ~seq;
  i32[index + 5] = (seq + 0x27d4eb2f) | 0;
  i32[index + 6] = Math.imul(seq, 0x85ebca6b);
  i32[index + 7] = seq >>> 3;
}

/** @hot Folds a record into the checksum; the order of records matters. */
export function readRecord(i32: Int32Array, index: number, checksum: number): number {
  const low = i32[index] ^ i32[index + 1] ^ i32[index + 2] ^ i32[index + 3];
  const high = i32[index + 4] ^ i32[index + 5] ^ i32[index + 6] ^ i32[index + 7];
  return (Math.imul(checksum, 31) + (low ^ Math.imul(high, 3))) | 0;
}

/** What reading records 0 to records - 1 in order comes to. */
export function checksumOf(records: number): number {
  const i32 = new Int32Array(RECORD_WORDS);
  let checksum = 0;
  for (let seq = 0; seq < records; seq++) {
    writeRecord(i32, 0, seq);
    checksum = readRecord(i32, 0, checksum);
  }
  return checksum;
}
