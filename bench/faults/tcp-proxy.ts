// A TCP proxy that makes a network bad on purpose: late, silent, cut, gone. Tests and benches share it.

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

/** Takes what has come of a connection's answers, and gives what goes on to the client. */
export type Rewriter = (bytes: Buffer) => Buffer;
type RewriterFactory = () => Rewriter;

interface Way {
  isBlocked(): boolean;
  delayMs(): number;
  rewrite?: Rewriter;
}

interface Pair {
  client: net.Socket;
  server: net.Socket;
}

export class TcpProxy {
  readonly #server: net.Server;
  readonly #pairs = new Set<Pair>();
  #targetPort: number;
  mode: ProxyMode = 'open';
  /** Each piece of bytes waits for this long, in order, each way ... */
  delayMs = 0;
  /** ... and answers for this long besides. */
  answerDelayMs = 0;
  connections = 0;
  #port = 0;
  #moving: Promise<void> = Promise.resolve();
  readonly #openRewriter: RewriterFactory | undefined;

  private constructor(targetPort: number, openRewriter: RewriterFactory | undefined) {
    this.#targetPort = targetPort;
    this.#openRewriter = openRewriter;
    this.#server = net.createServer((client) => this.#accept(client));
  }

  static async open(targetPort: number, port = 0, openRewriter?: RewriterFactory): Promise<TcpProxy> {
    const proxy = new TcpProxy(targetPort, openRewriter);
    proxy.#port = port;
    await proxy.#listen();
    proxy.#port = (proxy.#server.address() as net.AddressInfo).port;
    return proxy;
  }

  /** The same for its whole life. */
  get port(): number {
    return this.#port;
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

  /** Nobody listens any more, as when the process behind the port has ended: connections are refused. */
  shut(): Promise<void> {
    return this.#move(async () => {
      if (!this.#server.listening) return;
      this.cut();
      await new Promise<void>((resolve) => this.#server.close(() => resolve()));
    });
  }

  /** Listens again, on the same port. */
  reopen(): Promise<void> {
    return this.#move(async () => {
      if (!this.#server.listening) await this.#listen();
    });
  }

  async close(): Promise<void> {
    this.mode = 'refusing';
    await this.shut();
  }

  /** One after the other, in the order of the calls. */
  #move(work: () => Promise<void>): Promise<void> {
    this.#moving = this.#moving.then(work);
    return this.#moving;
  }

  #listen(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(this.#port, '127.0.0.1', () => {
        this.#server.off('error', reject);
        resolve();
      });
    });
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
    const rewrite = this.#openRewriter?.() ?? ((bytes: Buffer): Buffer => bytes);
    this.#pump(client, server, { isBlocked: () => this.mode === 'silent', delayMs: () => this.delayMs });
    this.#pump(server, client, {
      isBlocked: () => this.mode === 'silent' || this.mode === 'mute',
      delayMs: () => this.delayMs + this.answerDelayMs,
      rewrite,
    });
    const forget = () => {
      if (client.closed && server.closed) this.#pairs.delete(pair);
    };
    client.once('close', forget);
    server.once('close', forget);
  }

  #pump(from: net.Socket, to: net.Socket, { isBlocked, delayMs, rewrite }: Way): void {
    let last: Promise<void> = Promise.resolve();
    from.on('data', (data) => {
      if (isBlocked()) return;
      const bytes = rewrite?.(data) ?? data;
      if (bytes.length === 0) return;
      const dueMs = performance.now() + delayMs();
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
