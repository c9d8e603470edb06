// Entity records, written from the description in WIRE.md and apart from the server's own encoder.

import type { FieldForm } from '../../src/protocol/fb/server-frame.js';

export interface EntityRecord {
  id: number;
  /** Absent: the position is not sent. x and y are counts of the quantum; of a low form only the low bits are written. */
  position?: { form: 1 | 2; x: number; y: number } | { form: 3; kind: number; x: number; y: number };
  /** Raw values by field index. */
  raw?: ReadonlyMap<number, number>;
}

/** Ids must rise. */
export function writeRecords(fields: readonly FieldForm[], records: readonly EntityRecord[]): Uint8Array {
  const bytes: number[] = [];
  let previousId = 0;
  for (const record of records) {
    pushVarint(bytes, record.id - previousId);
    previousId = record.id;
    pushVarint(bytes, maskOf(record));
    pushPosition(bytes, record);
    fields.forEach((field, index) => {
      const raw = record.raw?.get(index);
      if (raw !== undefined) pushRaw(bytes, field.type, raw);
    });
  }
  return Uint8Array.from(bytes);
}

/** A game may have more fields than a number has bits. */
function maskOf(record: EntityRecord): bigint {
  let mask = BigInt(record.position?.form ?? 0);
  for (const index of record.raw?.keys() ?? []) mask |= 1n << BigInt(2 + index);
  return mask;
}

function pushPosition(bytes: number[], { position }: EntityRecord): void {
  if (position === undefined) return;
  if (position.form === 3) bytes.push(position.kind);
  const type = position.form === 1 ? 'u8' : position.form === 2 ? 'u16' : 'u32';
  pushRaw(bytes, type, position.x);
  pushRaw(bytes, type, position.y);
}

function pushRaw(bytes: number[], type: string, raw: number): void {
  const view = new DataView(new ArrayBuffer(4));
  if (type === 'f32') view.setFloat32(0, raw, true);
  else view.setUint32(0, raw, true);
  const count = type.endsWith('8') ? 1 : type.endsWith('16') ? 2 : 4;
  for (let index = 0; index < count; index++) bytes.push(view.getUint8(index));
}

export function pushVarint(bytes: number[], value: number | bigint): void {
  let rest = BigInt(value);
  while (rest >= 0x80n) {
    bytes.push(Number(rest % 0x80n) | 0x80);
    rest /= 0x80n;
  }
  bytes.push(Number(rest));
}
