// Who each client is, by client index: too long for an order, and needed whenever a zone lets its game know of a join. Writer:
// main, before it publishes the order. Readers: the zones, when they take the order. A record belongs to a generation, so a
// reader never takes a later holder of the index for the one it was told of.
//
//  0              4             5              6               8            72        96
//  | generation i32 | id bytes u8 | name bytes u8 | claims bytes u16 | id, UTF-8 | name  | claims, JSON |   352 bytes each
//
// While main writes, the generation is WRITING: a reader looks again, and looks afterwards whether it was held.

import { assert } from '../../base/assert.js';
import { CLAIMS_BYTES_MAX, IDENTITY_READS_MAX, PLAYER_ID_BYTES_MAX } from '../limits.js';

const ID_BYTES_AT = 4;
const NAME_BYTES_AT = 5;
const CLAIMS_BYTES_AT = 6;
const ID_AT = 8;
const NAME_AT = ID_AT + PLAYER_ID_BYTES_MAX;
const NAME_BYTES = 24;
const CLAIMS_AT = NAME_AT + NAME_BYTES;
const RECORD_BYTES = CLAIMS_AT + CLAIMS_BYTES_MAX;
const WRITING = -1;

assert(RECORD_BYTES % 4 === 0, 'generations are aligned', RECORD_BYTES);

export interface IdentityTexts {
  playerId: string;
  name: string;
  /** JSON. */
  claims: string;
}

export class IdentityTable {
  private readonly generations: Int32Array;
  private readonly bytes: Buffer;

  static create(clientsMax: number): SharedArrayBuffer {
    return new SharedArrayBuffer(clientsMax * RECORD_BYTES);
  }

  constructor(buffer: SharedArrayBuffer) {
    this.generations = new Int32Array(buffer);
    this.bytes = Buffer.from(buffer);
  }

  write(client: number, generation: number, { playerId, name, claims }: IdentityTexts): void {
    const start = client * RECORD_BYTES;
    assert(Buffer.byteLength(playerId) <= PLAYER_ID_BYTES_MAX, 'a player id fits', playerId);
    assert(Buffer.byteLength(name) <= NAME_BYTES, 'a name fits', name);
    assert(Buffer.byteLength(claims) <= CLAIMS_BYTES_MAX, 'claims fit', claims.length);
    const { bytes, generations } = this;
    Atomics.store(generations, start >> 2, WRITING); // readers of the former record see that it is no more
    bytes[start + ID_BYTES_AT] = bytes.write(playerId, start + ID_AT);
    bytes[start + NAME_BYTES_AT] = bytes.write(name, start + NAME_AT);
    bytes.writeUInt16LE(bytes.write(claims, start + CLAIMS_AT), start + CLAIMS_BYTES_AT);
    Atomics.store(generations, start >> 2, generation); // publish: the record above is this generation's
  }

  /** Undefined: the index has another holder, or nobody has said who this one is. */
  read(client: number, generation: number): IdentityTexts | undefined {
    const start = client * RECORD_BYTES;
    const { bytes, generations } = this;
    for (let tries = 0; tries < IDENTITY_READS_MAX; tries++) {
      const found = Atomics.load(generations, start >> 2); // acquire: the record of that generation
      if (found === WRITING) continue;
      if (found !== generation) return undefined;
      const claimsBytes = Math.min(bytes.readUInt16LE(start + CLAIMS_BYTES_AT), CLAIMS_BYTES_MAX);
      const texts = {
        playerId: this.textAt(start + ID_AT, bytes[start + ID_BYTES_AT]),
        name: this.textAt(start + NAME_AT, bytes[start + NAME_BYTES_AT]),
        claims: this.textAt(start + CLAIMS_AT, claimsBytes),
      };
      if (Atomics.load(generations, start >> 2) === generation) return texts; // it was held all the while
    }
    return undefined;
  }

  private textAt(start: number, count: number): string {
    return this.bytes.toString('utf8', start, start + count);
  }
}
