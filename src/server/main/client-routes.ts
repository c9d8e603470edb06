// What main knows of each client's way: the zone that has its entity, and what a zone is told with each word of it.

export class ClientRoutes {
  /** -1: no zone has it. */
  readonly zone: Int32Array;
  readonly generation: Int32Array;
  readonly crossings: Int32Array;
  readonly updateHz: Int32Array;
  /** Of its connection, as the zone knows it. Wraps at 256, as the record's does. */
  readonly connection: Uint8Array;
  /** Commands of that connection that were put into rings. Wraps, as the record's does. */
  readonly number: Uint16Array;

  constructor(readonly clientsMax: number) {
    this.zone = new Int32Array(clientsMax).fill(-1);
    this.generation = new Int32Array(clientsMax);
    this.crossings = new Int32Array(clientsMax);
    this.updateHz = new Int32Array(clientsMax);
    this.connection = new Uint8Array(clientsMax);
    this.number = new Uint16Array(clientsMax);
  }

  begin(client: number, generation: number, zone: number, updateHz: number): void {
    this.zone[client] = zone;
    this.generation[client] = generation;
    this.crossings[client] = 0;
    this.updateHz[client] = updateHz;
    this.number[client] = 0;
  }

  /** It has another connection. */
  nextTurn(client: number): number {
    this.number[client] = 0;
    return ++this.connection[client];
  }

  end(client: number): void {
    this.zone[client] = -1;
  }

  /** False: a word of an older move, or the same one again. */
  move(client: number, crossings: number, zone: number): boolean {
    if (crossings <= this.crossings[client]) return false;
    this.crossings[client] = crossings;
    this.zone[client] = zone;
    return true;
  }

  /** @hot Whether a zone has it, and for this holder of its index. */
  isRouted(client: number, generation: number): boolean {
    return this.zone[client] >= 0 && this.generation[client] === generation;
  }
}
