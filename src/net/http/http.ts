// Owner of fastify, and of the one port: pages for people, the pages for machines, and the way in for WebSockets.

import type { IncomingMessage } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { Readable } from 'node:stream';
import { type FastifyInstance, fastify } from 'fastify';
import type { Admission } from '../auth/admission.js';
import type { NetCounters } from '../gateway/net-counters.js';
import {
  ACCEPT_BACKLOG,
  HANDSHAKE_HEADER_BYTES_MAX,
  HANDSHAKE_TIMEOUT_MS,
  HTTP_BODY_BYTES_MAX,
  HTTP_CHECK_INTERVAL_MS,
  HTTP_KEEP_ALIVE_TIMEOUT_MS,
  HTTP_PIECE_BYTES,
  HTTP_REQUEST_TIMEOUT_MS,
} from '../limits.js';
import type { Metrics } from './metrics.js';
import { RequestGates } from './request-gate.js';
import { loadStaticFiles } from './static-files.js';

export const GAME_PATH = '/ws/game';

export interface Readiness {
  ready: boolean;
  reasons: string[];
}

export interface HttpOptions {
  host: string;
  port: number;
  /** A folder to serve in place of the built-in page, or empty. */
  web: string;
  admission: Admission;
  counters: NetCounters;
  metrics: Metrics;
  health(): object;
  ready(): Readiness;
  /** The system could not hand over a connection that it had accepted. */
  acceptFailed(error: Error): void;
  /** A socket that asked to be upgraded at GAME_PATH. */
  upgrade(request: IncomingMessage, socket: Socket, head: Buffer): void;
}

export class HttpServer {
  private readonly app: FastifyInstance;
  private readonly options: HttpOptions;
  private readonly gates: RequestGates;

  constructor(options: HttpOptions) {
    this.options = options;
    this.gates = new RequestGates(options.counters);
    this.app = fastify({
      logger: false,
      bodyLimit: HTTP_BODY_BYTES_MAX,
      requestTimeout: HTTP_REQUEST_TIMEOUT_MS,
      connectionTimeout: HTTP_REQUEST_TIMEOUT_MS,
      keepAliveTimeout: HTTP_KEEP_ALIVE_TIMEOUT_MS,
      forceCloseConnections: true,
      http: {
        maxHeaderSize: HANDSHAKE_HEADER_BYTES_MAX,
        headersTimeout: HANDSHAKE_TIMEOUT_MS,
        connectionsCheckingInterval: HTTP_CHECK_INTERVAL_MS,
      },
    });
    this.addPages();
    const { server } = this.app;
    server.on('connection', (socket: Socket) => {
      options.admission.connect(socket);
      this.gates.attach(socket);
    });
    server.prependListener('request', (request, response) => this.gates.begin(request, response));
    // By itself, Node answers what is expected of it and unknown behind the back of the gate.
    server.on('checkExpectation', (request, response) => server.emit('request', request, response));
    server.on('upgrade', (request, socket, head) => this.upgrade(request, socket as Socket, head));
  }

  async listen(): Promise<{ port: number }> {
    const { host, port, acceptFailed } = this.options;
    // For this one name fastify would open a second server of its own, which knows nothing of admission.
    await this.app.listen({ host: host === 'localhost' ? '127.0.0.1' : host, port, backlog: ACCEPT_BACKLOG });
    this.app.server.on('error', acceptFailed);
    return { port: (this.app.server.address() as AddressInfo).port };
  }

  async close(): Promise<void> {
    await this.app.close();
  }

  private addPages(): void {
    const { metrics, health, ready } = this.options;
    const files = loadStaticFiles(this.options.web);
    this.app.addHook('onSend', async (_request, reply) => {
      reply.header('cache-control', 'no-cache').header('x-content-type-options', 'nosniff');
    });
    this.app.get('/healthz', async () => health());
    this.app.get('/readyz', async (_request, reply) => {
      const readiness = ready();
      return reply.code(readiness.ready ? 200 : 503).send(readiness);
    });
    this.app.get('/metrics', async (_request, reply) => {
      const text = await metrics.text();
      return reply.type(metrics.contentType).send(text);
    });
    this.app.get(GAME_PATH, async (_request, reply) => {
      return reply.code(426).header('upgrade', 'websocket').type('text/plain').send('This is a WebSocket address.\n');
    });
    this.app.get('/*', async (request, reply) => {
      const file = files.get(request.url.split('?', 1)[0]);
      if (file === undefined) return reply.callNotFound();
      if (file.isShared) reply.header('access-control-allow-origin', '*');
      reply.type(file.type);
      if (file.body.length <= HTTP_PIECE_BYTES) return reply.send(file.body);
      return reply.header('content-length', file.body.length).send(Readable.from(piecesOf(file.body)));
    });
    this.app.setNotFoundHandler(async (_request, reply) => reply.code(404).type('text/plain').send('Not found.\n'));
    this.app.setErrorHandler(async (error: { statusCode?: number }, _request, reply) => {
      const status = error.statusCode ?? 500;
      return reply
        .code(status)
        .type('text/plain')
        .send(status < 500 ? 'Bad request.\n' : 'Something failed here.\n');
    });
  }

  private upgrade(request: IncomingMessage, socket: Socket, head: Buffer): void {
    // From here on the socket is no longer the HTTP server's, and an error that nobody listens for ends the process.
    socket.on('error', () => socket.destroy());
    const rest = Buffer.concat([head, this.gates.detach(socket)]);
    if ((request.url ?? '').split('?', 1)[0] === GAME_PATH) this.options.upgrade(request, socket, rest);
    else refuseUpgrade(socket, '404 Not Found', `WebSockets are at ${GAME_PATH}.`);
  }
}

function* piecesOf(body: Buffer): Generator<Buffer> {
  for (let start = 0; start < body.length; start += HTTP_PIECE_BYTES) {
    yield body.subarray(start, start + HTTP_PIECE_BYTES);
  }
}

/** Answers a request for an upgrade with plain HTTP, and ends the connection. */
export function refuseUpgrade(socket: Socket, status: string, text: string): void {
  const body = `${text}\n`;
  const head = [
    `HTTP/1.1 ${status}`,
    'Connection: close',
    'Content-Type: text/plain; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy());
}
