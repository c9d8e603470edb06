// Reads snapshots as a stranger would, from the drawings at the heads of zone-snapshot.ts, cell-snapshot.ts and
// player-snapshot.ts alone. Nothing here may import code of the product, or the drawings are not what is tested.

import { createHash } from 'node:crypto';
import { brotliDecompressSync } from 'node:zlib';
import { unpack } from 'msgpackr';

type Reader = (bytes: Buffer, at: number) => number;
const READERS: Record<string, [number, Reader]> = {
  u8: [1, (bytes, at) => bytes.readUInt8(at)],
  i8: [1, (bytes, at) => bytes.readInt8(at)],
  u16: [2, (bytes, at) => bytes.readUInt16LE(at)],
  i16: [2, (bytes, at) => bytes.readInt16LE(at)],
  u32: [4, (bytes, at) => bytes.readUInt32LE(at)],
  i32: [4, (bytes, at) => bytes.readInt32LE(at)],
  f32: [4, (bytes, at) => bytes.readFloatLE(at)],
  f64: [8, (bytes, at) => bytes.readDoubleLE(at)],
};

interface Header {
  compression: string;
  bodyBytes: number;
  rows: number;
  mirrorFirst: number;
  mirrors: number;
  ids: number;
  rowCapacity: number;
  columns: { name: string; type: string; role?: string }[];
  cells?: { count: number; queueRecords: number; queueRecordBytes: number };
}

export interface StrangeEntity {
  row: number;
  isMirror: boolean;
  /** As events and checkpoints call it. */
  name: string;
  zoneOfBirth: number;
  values: Record<string, number>;
}

export interface StrangeZone {
  header: Header;
  tick: number;
  scalars: number[];
  globals: number[];
  marks: number[];
  entities: StrangeEntity[];
  idColumns: Record<string, number[]>;
  cells: { version: number; state: number; since: number; taken: number }[];
  queue: Buffer[];
}

export function readZoneAsStranger(bytes: Buffer): StrangeZone {
  const headerBytes = bytes.readUInt32LE(0);
  const sum = createHash('sha256').update(bytes.subarray(36)).digest();
  if (!sum.equals(bytes.subarray(4, 36))) throw new Error('the sum is another one');
  const header = JSON.parse(bytes.toString('utf8', 36, 36 + headerBytes)) as Header;
  const stored = bytes.subarray(36 + headerBytes);
  const body = header.compression === 'none' ? stored : brotliDecompressSync(stored);
  if (body.length !== header.bodyBytes) throw new Error('the body has another length');
  let at = 0;
  const take = (type: string, count: number): number[] => {
    const [size, read] = READERS[type];
    const values = Array.from({ length: count }, (_, i) => read(body, at + i * size));
    at += count * size;
    return values;
  };
  const [scalars, globals, marks] = [take('i32', 64), take('f64', 64), take('i32', 64)];
  const byRow: Record<string, number[]> = {};
  const idColumns: Record<string, number[]> = {};
  for (const { name, type, role } of header.columns) {
    if (role === 'id') idColumns[name] = take(type, header.ids);
    else byRow[name] = take(type, header.rows + header.mirrors);
  }
  const { count = 0, queueRecords = 0, queueRecordBytes = 0 } = header.cells ?? {};
  const [version, state, since, taken] = ['f64', 'i32', 'i32', 'i32'].map((type) => take(type, count));
  const queue = Array.from({ length: queueRecords }, (_, i) =>
    body.subarray(at + i * queueRecordBytes, at + (i + 1) * queueRecordBytes),
  );
  at += queueRecords * queueRecordBytes;
  if (at !== body.length) throw new Error(`${body.length - at} bytes are left`);
  const entities: StrangeEntity[] = [];
  for (let i = 0; i < header.rows + header.mirrors; i++) {
    if (byRow.alive[i] === 0) continue;
    const id = byRow.key[i] & 0x7fffff;
    entities.push({
      row: i < header.rows ? i : header.mirrorFirst + i - header.rows,
      isMirror: i >= header.rows,
      name: `${id}.${byRow.key[i] >>> 23}`,
      zoneOfBirth: Math.floor(id / header.rowCapacity),
      values: Object.fromEntries(Object.entries(byRow).map(([name, values]) => [name, values[i]])),
    });
  }
  const cells = version.map((_, i) => ({ version: version[i], state: state[i], since: since[i], taken: taken[i] }));
  return { header, tick: scalars[0], scalars, globals, marks, entities, idColumns, cells, queue };
}

export function readPlayerAsStranger(value: Buffer): Record<string, unknown> {
  const { checksum, body } = unpack(value) as { checksum: number; body: Buffer };
  let crc = 0xffffffff;
  for (const byte of body) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  if ((crc ^ 0xffffffff) >>> 0 !== checksum) throw new Error('the sum is another one');
  return unpack(body) as Record<string, unknown>;
}
