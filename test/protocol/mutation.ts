// Damage for well-formed bytes, so that a fuzz test gets past the first check and into the depths.

const INTERESTING = [
  0, 1, 2, 3, 4, 7, 8, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0x8000, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xffffffff,
];

/** A damaged copy; rarely an undamaged one. */
export function mutate(random: () => number, bytes: Uint8Array): Uint8Array {
  let mutated: Uint8Array = bytes.slice();
  const strokes = 1 + Math.floor(random() * 4);
  for (let stroke = 0; stroke < strokes; stroke++) mutated = damageOnce(random, mutated);
  return mutated;
}

export function randomBytes(random: () => number, bytesMax: number): Uint8Array {
  return Uint8Array.from({ length: Math.floor(random() * (bytesMax + 1)) }, () => Math.floor(random() * 256));
}

function damageOnce(random: () => number, bytes: Uint8Array): Uint8Array {
  if (bytes.length === 0) return randomBytes(random, 16);
  const at = Math.floor(random() * bytes.length);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const value = INTERESTING[Math.floor(random() * INTERESTING.length)];
  switch (Math.floor(random() * 7)) {
    case 0:
      bytes[at] ^= 1 << Math.floor(random() * 8);
      return bytes;
    case 1:
      bytes[at] = Math.floor(random() * 256);
      return bytes;
    case 2:
      if (at + 2 <= bytes.length) view.setUint16(at, value, true);
      return bytes;
    case 3:
      if (at + 4 <= bytes.length) view.setUint32(at, value, true);
      return bytes;
    case 4:
      return bytes.slice(0, at);
    case 5:
      return concatBytes(bytes, randomBytes(random, 16));
    default:
      return concatBytes(bytes.slice(0, at), bytes.slice(Math.min(bytes.length, at + Math.floor(random() * 8))));
  }
}

export function concatBytes(...parts: Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}
