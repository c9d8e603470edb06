// Which connections are let in at all, before anything of them is read: so many per address, and so many that have not
// said yet what they want.

import type { Socket } from 'node:net';
import { DROP_CONNECTION_ADDRESS, DROP_CONNECTION_PENDING, type NetCounters } from '../gateway/net-counters.js';
import { HANDSHAKES_PENDING_MIN, HTTP_PER_ADDRESS } from '../limits.js';

interface AddressUse {
  connections: number;
  webSockets: number;
}

export class Admission {
  private readonly addresses = new Map<string, AddressUse>();
  private readonly waiting = new Set<Socket>();
  private readonly pendingMax: number;
  private perAddressMax: number;
  private readonly counters: NetCounters;

  constructor(clientsMax: number, perAddressMax: number, counters: NetCounters) {
    this.pendingMax = Math.max(HANDSHAKES_PENDING_MIN, clientsMax);
    this.perAddressMax = perAddressMax;
    this.counters = counters;
  }

  /** Who is in already stays in. */
  setPerAddress(perAddressMax: number): void {
    this.perAddressMax = perAddressMax;
  }

  /** Connections that are not WebSockets. */
  get pending(): number {
    return this.waiting.size;
  }

  /** Takes a connection in, or destroys it. */
  connect(socket: Socket): void {
    const address = socket.remoteAddress;
    if (address === undefined) {
      // Gone before it was looked at.
      socket.destroy();
      return;
    }
    if (this.waiting.size >= this.pendingMax) {
      this.refuse(socket, DROP_CONNECTION_PENDING);
      return;
    }
    const use = this.useOf(address);
    if (use.connections >= this.perAddressMax + HTTP_PER_ADDRESS) {
      this.refuse(socket, DROP_CONNECTION_ADDRESS);
      return;
    }
    use.connections += 1;
    this.waiting.add(socket);
    socket.once('close', () => {
      this.waiting.delete(socket);
      use.connections -= 1;
      if (use.connections === 0) this.addresses.delete(address);
    });
  }

  /** False: this address has all the WebSockets it may have. */
  upgrade(socket: Socket): boolean {
    const address = socket.remoteAddress;
    if (address === undefined) return false;
    const use = this.useOf(address);
    if (use.webSockets >= this.perAddressMax) {
      this.counters.drops[DROP_CONNECTION_ADDRESS] += 1;
      return false;
    }
    use.webSockets += 1;
    this.waiting.delete(socket);
    socket.once('close', () => {
      use.webSockets -= 1;
    });
    return true;
  }

  private refuse(socket: Socket, reason: number): void {
    this.counters.drops[reason] += 1;
    socket.destroy();
  }

  private useOf(address: string): AddressUse {
    let use = this.addresses.get(address);
    if (use === undefined) {
      use = { connections: 0, webSockets: 0 };
      this.addresses.set(address, use);
    }
    return use;
  }
}
