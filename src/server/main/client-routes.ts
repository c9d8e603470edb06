// What main knows of each client's way: the zone that has its entity, and what a zone is told with each word of it.

export class ClientRoutes {
  /** -1: no zone has it. */
  readonly zone: Int32Array;
  readonly epoch: Int32Array;
  readonly hop: Int32Array;
  readonly updateHz: Int32Array;
  /** Of its connection, as the zone knows it. Wraps at 256, as the record's does. */
  readonly turn: Uint8Array;
  /** Commands of that connection that were put into rings. Wraps, as the record's does. */
  readonly nth: Uint16Array;

  constructor(readonly clientsMax: number) {
    this.zone = new Int32Array(clientsMax).fill(-1);
    this.epoch = new Int32Array(clientsMax);
    this.hop = new Int32Array(clientsMax);
    this.updateHz = new Int32Array(clientsMax);
    this.turn = new Uint8Array(clientsMax);
    this.nth = new Uint16Array(clientsMax);
  }

  begin(client: number, epoch: number, zone: number, updateHz: number): void {
    this.zone[client] = zone;
    this.epoch[client] = epoch;
    this.hop[client] = 0;
    this.updateHz[client] = updateHz;
    this.nth[client] = 0;
  }

  /** It has another connection. */
  nextTurn(client: number): number {
    this.nth[client] = 0;
    return ++this.turn[client];
  }

  end(client: number): void {
    this.zone[client] = -1;
  }

  /** False: a word of an older move, or the same one again. */
  move(client: number, hop: number, zone: number): boolean {
    if (hop <= this.hop[client]) return false;
    this.hop[client] = hop;
    this.zone[client] = zone;
    return true;
  }

  /** @hot Whether a zone has it, and for this holder of its index. */
  isRouted(client: number, epoch: number): boolean {
    return this.zone[client] >= 0 && this.epoch[client] === epoch;
  }
}
