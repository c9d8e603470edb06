// A TCP proxy that makes a network bad on purpose: late, silent, cut.

import net from 'node:net';

export type ProxyMode =
  /** Bytes go through. */
  | 'open'
  /** Connections stay, not a byte goes through any more: what a lost route looks like. */
  | 'silent'
  /** What clients send goes through, no answer comes back. */
  | 'mute'
  /** New connections are reset. */
  | 'refusing';

interface Pair {
  client: net.Socket;
  server: net.Socket;
}

export class TcpProxy {
  readonly #server: net.Server;
  readonly #pairs = new Set<Pair>();
  #targetPort: number;
  mode: ProxyMode = 'open';
  /** Each piece of bytes waits for this long, in order, each way. */
  delayMs = 0;
  connections = 0;

  private constructor(targetPort: number) {
    this.#targetPort = targetPort;
    this.#server = net.createServer((client) => this.#accept(client));
  }

  static async open(targetPort: number, port = 0): Promise<TcpProxy> {
    const proxy = new TcpProxy(targetPort);
    await new Promise<void>((resolve, reject) => {
      proxy.#server.once('error', reject);
      proxy.#server.listen(port, '127.0.0.1', resolve);
    });
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as net.AddressInfo).port;
  }

  set targetPort(port: number) {
    this.#targetPort = port;
  }

  /** Resets every connection there is; new ones go on as `mode` says. */
  cut(): void {
    for (const { client, server } of this.#pairs) {
      client.resetAndDestroy();
      server.destroy();
    }
  }

  async close(): Promise<void> {
    this.mode = 'refusing';
    this.cut();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #accept(client: net.Socket): void {
    this.connections++;
    if (this.mode === 'refusing') {
      client.resetAndDestroy();
      return;
    }
    const server = net.connect(this.#targetPort, '127.0.0.1');
    const pair = { client, server };
    this.#pairs.add(pair);
    this.#pump(client, server, () => this.mode === 'silent');
    this.#pump(server, client, () => this.mode === 'silent' || this.mode === 'mute');
    const forget = () => {
      if (client.closed && server.closed) this.#pairs.delete(pair);
    };
    client.once('close', forget);
    server.once('close', forget);
  }

  #pump(from: net.Socket, to: net.Socket, isBlocked: () => boolean): void {
    let last: Promise<void> = Promise.resolve();
    from.on('data', (bytes) => {
      if (isBlocked()) return;
      const dueMs = performance.now() + this.delayMs;
      last = last.then(async () => {
        const waitMs = dueMs - performance.now();
        if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
        if (!isBlocked() && to.writable) to.write(bytes);
      });
    });
    from.on('error', () => to.destroy());
    from.on('close', () => {
      // In silence nobody learns that the other side has gone.
      if (this.mode !== 'silent') void last.then(() => to.destroy());
    });
  }
}
