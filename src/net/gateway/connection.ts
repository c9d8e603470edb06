/** What a transport gives the gateway for one client. */
export interface Connection {
  /** Where it comes from, as a ban spells it (bans.ts); empty when that is not known. */
  readonly address: string;
  /** Sends one binary frame at bytes[start, limit), memory that will be reused, of at most FRAME_BYTES_MAX bytes. */
  send(bytes: Uint8Array, start: number, limit: number): void;
  /** Sends one message of any size, text as text; the bytes now belong to the connection. */
  sendMessage(message: Uint8Array | string): void;
  /** The connection is that of another index from now on. */
  reseat(client: number): void;
  /** Begins to end the connection. The transport says Gateway.end when it is gone. */
  close(code: number, reason: string): void;
}
