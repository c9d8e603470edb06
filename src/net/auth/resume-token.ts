// What a client is given when it joins, and shows to come back to its entity: who it is and where it was, signed. Whoever
// has the secret can make and check them, so servers that share it accept each other's.
//
//   0           1          17         33          49        53           57         61            67
//   | form u8   | world    | player   | session   | key u32 | client u32 | generation u32 | issued, ms u48 | HMAC-SHA256 |
//                 16 bytes   16 bytes   16 bytes
//
// All of it as base64url: 132 characters.

import { createHmac, timingSafeEqual } from 'node:crypto';
import { assert } from '../../base/assert.js';
import { isUuid } from '../../base/uuid.js';
import { RESUME_TOKEN_MS, TOKEN_BYTES_MAX } from '../../protocol/limits.js';
import { TOKEN_SKEW_MS } from '../limits.js';

const FORM = 1;
const ID_BYTES = 16;
const BODY_BYTES = 67;
const SIGNATURE_BYTES = 32;
const TOKEN_BYTES = BODY_BYTES + SIGNATURE_BYTES;
const TOKEN_CHARACTERS = Math.ceil((TOKEN_BYTES * 4) / 3);

assert(TOKEN_CHARACTERS <= TOKEN_BYTES_MAX, 'a resume token fits a Join', TOKEN_CHARACTERS);

export interface ResumeClaims {
  worldId: string;
  playerId: string;
  sessionId: string;
  /** The entity, its client's index and that one's generation. */
  key: number;
  client: number;
  generation: number;
  /** Of the wall clock. */
  issuedMs: number;
}

export class TokenMint {
  /** `secret` is any number of bytes; `now` is the wall clock. */
  constructor(
    private readonly secret: Uint8Array,
    private readonly now: () => number,
  ) {}

  sign(claims: ResumeClaims): string {
    const bytes = Buffer.alloc(TOKEN_BYTES);
    bytes[0] = FORM;
    [claims.worldId, claims.playerId, claims.sessionId].forEach((id, index) => {
      assert(isUuid(id), 'ids in a token are UUIDs', id);
      bytes.write(id.replaceAll('-', ''), 1 + index * ID_BYTES, 'hex');
    });
    bytes.writeUInt32LE(claims.key, 49);
    bytes.writeUInt32LE(claims.client, 53);
    bytes.writeUInt32LE(claims.generation, 57);
    bytes.writeUIntLE(claims.issuedMs, 61, 6);
    this.signatureOf(bytes).copy(bytes, BODY_BYTES);
    return bytes.toString('base64url');
  }

  /** Undefined: not one of ours, altered, too old, or from too far in the future. */
  verify(token: string): ResumeClaims | undefined {
    if (token.length !== TOKEN_CHARACTERS) return undefined;
    const bytes = Buffer.from(token, 'base64url');
    // The decoder skips what is not base64url, and spare bits of the last character can be anything.
    if (bytes.length !== TOKEN_BYTES || bytes.toString('base64url') !== token) return undefined;
    if (!timingSafeEqual(this.signatureOf(bytes), bytes.subarray(BODY_BYTES)) || bytes[0] !== FORM) return undefined;
    const issuedMs = bytes.readUIntLE(61, 6);
    const ageMs = this.now() - issuedMs;
    if (ageMs > RESUME_TOKEN_MS || ageMs < -TOKEN_SKEW_MS) return undefined;
    return {
      worldId: readId(bytes, 1),
      playerId: readId(bytes, 1 + ID_BYTES),
      sessionId: readId(bytes, 1 + 2 * ID_BYTES),
      key: bytes.readUInt32LE(49),
      client: bytes.readUInt32LE(53),
      generation: bytes.readUInt32LE(57),
      issuedMs,
    };
  }

  private signatureOf(bytes: Buffer): Buffer {
    return createHmac('sha256', this.secret).update(bytes.subarray(0, BODY_BYTES)).digest();
  }
}

function readId(bytes: Buffer, offset: number): string {
  const hex = bytes.toString('hex', offset, offset + ID_BYTES);
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
