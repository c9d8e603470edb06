// Throws random and mutated messages at the gateway, in process and over sockets. What must hold after every single one:
// nothing throws; it was counted once, as accepted or rejected or too late; and what reached the world is a valid command
// of a session that the world has let in, with a rising number. A failure prints how to run it again.
//
//   node dist/test/fuzz/gateway-fuzz.js --count 1000000 --seed 1
//   node dist/test/fuzz/gateway-fuzz.js --sockets 500 --seed 1

import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Packr } from 'msgpackr';
import { createRandom } from '../../src/base/chance.js';
import type { Identity } from '../../src/game/life.js';
import { RejectCode } from '../../src/game/reject-codes.js';
import { DROP_AFTER_CLOSE } from '../../src/net/gateway/net-counters.js';
import { HOLD_BACKLOG, HOLD_LATE_PONG } from '../../src/net/gateway/outbox.js';
import { SESSION_CONNECTING } from '../../src/net/gateway/session.js';
import { encodeJoin, encodeLeave, encodePing, encodeResync } from '../../src/protocol/fb/client-message.js';
import { CommandLayouts, encodeCommand } from '../../src/protocol/fb/command-layout.js';
import { openFrame } from '../../src/protocol/fb/server-frame.js';
import { CLIENT_MESSAGE_BYTES_MAX } from '../../src/protocol/limits.js';
import type { Encoding } from '../../src/protocol/subprotocols.js';
import { AIM, EchoWorld, echoGame, MOVE } from '../net/echo-world.js';
import { createInProcess, type InProcess, type KeptConnection } from '../net/in-process.js';
import { BINARY, frameBytes, PING, PONG, RawClient, TEXT, upgradeRequest } from '../net/raw-client.js';
import { startNet, until } from '../net/start-net.js';

const SESSIONS = 24;
const ENCODINGS: readonly Encoding[] = ['fb', 'fb', 'json', 'msgpack'];
/** Far above what the sessions of a run hold, far below what a leak per message would come to. */
const HEAP_GROWTH_BYTES_MAX = 16 * 1024 * 1024;
/** The first eighth of a run is left for caches and compiled code to settle. */
const SETTLING_SHARE = 8;

const packr = new Packr({ useRecords: false });
const layouts = new CommandLayouts(echoGame.commands);

export interface FuzzResult {
  messages: number;
  accepted: number;
  rejected: number;
  tooLate: number;
  commands: number;
  sessions: number;
  heapGrowthBytes: number;
  /** Of everything that reached the world: two runs with one seed agree. */
  checksum: number;
}

/** Checks what reaches it by rules of its own, not by those of the code under test. */
class CheckingWorld extends EchoWorld {
  checksum = 0;
  private readonly lastSeq = new Map<number, number>();
  /** Joins that wait for an answer: client and generation. */
  readonly waiting: [number, number][] = [];

  override join(client: number, generation: number, updateHz: number, identity: Identity): boolean {
    assert.ok(Number.isInteger(updateHz) && updateHz >= 1 && updateHz <= 60, `updateHz ${updateHz}`);
    assert.ok(!this.clients.has(client), `client ${client} joins twice`);
    this.answersJoins = false;
    if (!super.join(client, generation, updateHz, identity)) return false;
    this.lastSeq.set(client, 0);
    this.waiting.push([client, generation]);
    return true;
  }

  override command(
    client: number,
    generation: number,
    seq: number,
    kind: number,
    bytes: Uint8Array,
    start: number,
    limit: number,
  ): boolean {
    assert.ok(!this.isWaiting(client, generation), `client ${client} commands before it is let in`);
    assert.ok(seq > this.lastSeq.get(client)! && seq <= 0xffffffff, `seq ${seq}`);
    this.lastSeq.set(client, seq);
    const view = new DataView(bytes.buffer, bytes.byteOffset + start, limit - start);
    if (kind === MOVE) checkMove(view);
    else if (kind === AIM) checkAim(view);
    else assert.fail(`kind ${kind}`);
    for (let at = start; at < limit; at++) this.checksum = (Math.imul(this.checksum, 31) + bytes[at]) | 0;
    return super.command(client, generation, seq, kind, bytes, start, limit);
  }

  /** Lets the oldest that waits in, or not. */
  answerJoin(letsIn: boolean): void {
    const next = this.waiting.shift();
    if (next === undefined) return;
    const [client, generation] = next;
    if (letsIn) {
      this.sink.joined(client, generation, 1000 + client, 1000 + client);
      return;
    }
    if (this.clients.get(client)?.generation === generation) this.clients.delete(client);
    this.sink.refused(client, generation, RejectCode.ServerFull);
  }

  drop(client: number, generation: number): void {
    this.clients.delete(client);
    this.sink.dropped(client, generation, 1, 'dropped');
  }

  private isWaiting(client: number, generation: number): boolean {
    return this.waiting.some(
      ([waitingClient, waitingEpoch]) => waitingClient === client && waitingEpoch === generation,
    );
  }
}

function checkMove(view: DataView): void {
  assert.equal(view.byteLength, 4);
  assert.ok(view.getInt8(0) >= -127 && view.getInt8(1) >= -127);
  assert.equal(view.getUint16(2, true), 0);
}

function checkAim(view: DataView): void {
  assert.equal(view.byteLength, 8);
  const angle = view.getFloat32(0, true);
  assert.ok(angle >= 0 && angle <= 6.31);
  assert.ok(view.getUint8(4) >= 1 && view.getUint8(4) <= 10);
  assert.deepEqual([view.getUint8(5), view.getUint8(6), view.getUint8(7)], [0, 0, 0]);
}

interface FuzzedClient {
  connection: KeptConnection;
  encoding: Encoding;
  seq: number;
}

class GatewayFuzzer {
  readonly net: InProcess<CheckingWorld>;
  private readonly random: () => number;
  private readonly clients: FuzzedClient[] = [];
  private sessionCount = 0;
  messageCount = 0;

  constructor(seed: number) {
    this.random = createRandom(seed);
    this.net = createInProcess(new CheckingWorld(), SESSIONS, { messagesPerSecond: 200 });
  }

  step(): void {
    const dice = this.random();
    if (dice < 0.01 || this.clients.length === 0) this.openClient();
    else if (dice < 0.016) this.endClient();
    else if (dice < 0.12) this.stirWorld();
    else if (dice < 0.16) this.stirTime();
    else this.sendMessage();
  }

  result(): Omit<FuzzResult, 'heapGrowthBytes'> {
    const { counters, world } = this.net;
    return {
      messages: this.messageCount,
      accepted: counters.accepted[0],
      rejected: this.rejectedCount(),
      tooLate: counters.drops[DROP_AFTER_CLOSE],
      commands: world.commandCount,
      sessions: this.sessionCount,
      checksum: world.checksum,
    };
  }

  private integer(limit: number): number {
    return Math.floor(this.random() * limit);
  }

  private pick<T>(items: readonly T[]): T {
    return items[this.integer(items.length)];
  }

  private openClient(): void {
    const encoding = this.pick(ENCODINGS);
    const connection = this.net.connect(encoding);
    if (connection.client === -1) {
      assert.equal(this.net.sessions.used, SESSIONS);
      return;
    }
    this.sessionCount += 1;
    this.clients.push({ connection, encoding, seq: 0 });
  }

  private endClient(): void {
    const [client] = this.clients.splice(this.integer(this.clients.length), 1);
    this.net.gateway.end(client.connection.client, 1006);
  }

  private stirWorld(): void {
    const { world, gateway, sessions } = this.net;
    const { client } = this.pick(this.clients).connection;
    const dice = this.random();
    world.ringIsFull = this.random() < 0.02;
    world.isFull = this.random() < 0.02;
    if (dice < 0.5) world.answerJoin(this.random() < 0.95);
    else if (dice < 0.6) world.step();
    else if (dice < 0.65) world.frame(client);
    else if (dice < 0.7) world.reject(client, this.integer(100), MOVE);
    else if (dice < 0.71 && world.clients.has(client)) world.drop(client, sessions.generation[client]);
    else if (dice < 0.85) gateway.hold(client, this.pick([HOLD_BACKLOG, HOLD_LATE_PONG]));
    else gateway.unhold(client, this.pick([HOLD_BACKLOG, HOLD_LATE_PONG]));
  }

  private stirTime(): void {
    this.net.clock[0] += this.random() < 0.01 ? 2000 : this.random() * 200;
    this.net.gateway.beat(this.random() < 0.9);
    // What was told to go goes, after a while.
    for (let index = this.clients.length - 1; index >= 0; index--) {
      const { connection } = this.clients[index];
      if (connection.closeCode === 0 || this.random() < 0.5) continue;
      this.net.gateway.end(connection.client, connection.closeCode);
      this.clients.splice(index, 1);
    }
  }

  private sendMessage(): void {
    const client = this.pick(this.clients);
    const message = client.encoding === 'fb' ? this.makeBinary(client) : this.makePlain(client);
    const before = this.countedTotal();
    this.messageCount += 1;
    this.net.gateway.receive(client.connection.client, message);
    assert.equal(this.countedTotal() - before, 1, 'a message is counted once');
    this.checkAnswers(client);
  }

  private rejectedCount(): number {
    return this.net.counters.rejects.reduce((sum, count) => sum + count, 0);
  }

  private countedTotal(): number {
    return this.net.counters.accepted[0] + this.rejectedCount() + this.net.counters.drops[DROP_AFTER_CLOSE];
  }

  /** Whatever the server says is a message of the client's own protocol. */
  private checkAnswers({ connection, encoding }: FuzzedClient): void {
    for (const message of connection.messages.splice(0)) {
      if (encoding === 'json') JSON.parse(message as string);
      else if (encoding === 'fb') assert.ok(openFrame(message as Uint8Array) !== null);
      else assert.ok(message instanceof Uint8Array);
    }
  }

  // --- messages ---

  private makeBinary(client: FuzzedClient): Uint8Array {
    const valid = this.makeValid(client);
    const dice = this.random();
    if (dice < 0.45) return valid;
    if (dice < 0.6) return this.flipBits(valid);
    if (dice < 0.7) return valid.subarray(0, this.integer(valid.length + 1));
    if (dice < 0.78) return this.splice(valid, this.makeValid(client));
    if (dice < 0.86) return this.writeWord(valid);
    if (dice < 0.92) return this.splice(valid, this.randomBytes(64));
    return this.randomBytes(this.random() < 0.1 ? 2 * CLIENT_MESSAGE_BYTES_MAX : 40);
  }

  private hasAsked(client: FuzzedClient): boolean {
    return this.net.sessions.state[client.connection.client] !== SESSION_CONNECTING;
  }

  private nextSeq(client: FuzzedClient): number {
    const dice = this.random();
    if (dice < 0.9) client.seq += 1 + this.integer(3);
    else if (dice < 0.905) return 0xffffffff;
    else if (dice < 0.95) return this.integer(client.seq + 2);
    return client.seq;
  }

  private makeValid(client: FuzzedClient): Uint8Array {
    const seq = this.nextSeq(client);
    const dice = this.random();
    const joinShare = this.hasAsked(client) ? 0.02 : 0.8;
    if (this.random() < joinShare) return encodeJoin(this.makeJoin(), this.random() < 0.5 ? 0 : seq);
    if (dice < 0.6) return encodeCommand(layouts.find(MOVE)!, this.makeMove(), seq);
    if (dice < 0.8) return encodeCommand(layouts.find(AIM)!, this.makeAim(), seq);
    if (dice < 0.9) return encodePing(seq, this.integer(2 ** 32));
    if (dice < 0.995) return encodeResync(seq);
    return encodeLeave(seq);
  }

  private makeMove() {
    return { x: this.integer(255) - 127, y: this.integer(255) - 127 };
  }

  private makeAim() {
    return { angle: this.random() * 6.2, power: 1 + this.integer(10) };
  }

  private makeJoin() {
    return {
      name: this.pick(['', 'x', 'guest', 'Zoë', '\u0000', 'n'.repeat(40), '\u{1f600}'.repeat(6)]),
      token: this.random() < 0.95 ? '' : 't'.repeat(this.integer(800)),
      updateHz: this.integer(256),
    };
  }

  private flipBits(bytes: Uint8Array): Uint8Array {
    const flipped = bytes.slice();
    for (let count = 1 + this.integer(4); count > 0 && flipped.length > 0; count--) {
      flipped[this.integer(flipped.length)] ^= 1 << this.integer(8);
    }
    return flipped;
  }

  /** An extreme number in some place: offsets and lengths are what parsers stumble over. */
  private writeWord(bytes: Uint8Array): Uint8Array {
    const written = bytes.slice();
    if (written.length < 4) return written;
    const at = this.integer(written.length - 3);
    const word = this.pick([0, 1, 4, 0x7fffffff, 0x80000000, 0xffffffff, 0x7fc00000, 0xff800000, written.length]);
    new DataView(written.buffer).setUint32(at, word, true);
    return written;
  }

  private splice(head: Uint8Array, tail: Uint8Array): Uint8Array {
    return Buffer.concat([
      head.subarray(0, this.integer(head.length + 1)),
      tail.subarray(this.integer(tail.length + 1)),
    ]);
  }

  private randomBytes(limit: number): Uint8Array {
    return Uint8Array.from({ length: this.integer(limit) }, () => this.integer(256));
  }

  private makePlain(client: FuzzedClient): Uint8Array {
    const object = this.makeObject(client);
    const bytes = client.encoding === 'json' ? Buffer.from(JSON.stringify(object)) : packr.pack(object);
    const dice = this.random();
    if (dice < 0.6) return bytes;
    if (dice < 0.75) return this.flipBits(bytes);
    if (dice < 0.82) return bytes.subarray(0, this.integer(bytes.length + 1));
    if (dice < 0.88) return Buffer.from('['.repeat(this.integer(1100)));
    if (dice < 0.94) return this.splice(bytes, this.randomBytes(64));
    return this.randomBytes(this.random() < 0.1 ? 2 * CLIENT_MESSAGE_BYTES_MAX : 40);
  }

  private makeObject(client: FuzzedClient): Record<string, unknown> {
    const seq = this.nextSeq(client);
    if (!this.hasAsked(client) && this.random() < 0.8) return { type: 'join', ...this.makeJoin() };
    const object: Record<string, unknown> = this.pick([
      { type: 'join', ...this.makeJoin() },
      { type: 'move', seq, ...this.makeMove() },
      { type: 'move', seq, ...this.makeMove() },
      { type: 'aim', seq, ...this.makeAim() },
      { type: 'ping', seq, clientTime: this.integer(2 ** 32) },
      { type: 'resync', seq },
      { type: this.pick(['', 'leave', 'toString', '__proto__', 'move ']), seq },
    ]);
    if (this.random() < 0.25)
      object[this.pick(['type', 'seq', 'x', 'power', 'name', 'constructor', 'other'])] = this.makeValue();
    return object;
  }

  private makeValue(): unknown {
    return this.pick<unknown>([
      null,
      true,
      -1,
      0,
      0.5,
      1e308,
      -0,
      2 ** 32,
      2 ** 53,
      '',
      'x'.repeat(300),
      [],
      {},
      [[[[]]]],
      { a: { b: 1 } },
    ]);
  }
}

/** Collects garbage first, where that can be had. */
function usedHeap(): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  return process.memoryUsage().heapUsed;
}

export function fuzzGateway(seed: number, count: number): FuzzResult {
  const fuzzer = new GatewayFuzzer(seed);
  const settled = Math.floor(count / SETTLING_SHARE);
  let heapBefore = 0;
  let heapGrowthBytes = 0;
  try {
    while (fuzzer.messageCount < settled) fuzzer.step();
    heapBefore = usedHeap();
    while (fuzzer.messageCount < count) fuzzer.step();
    heapGrowthBytes = usedHeap() - heapBefore;
    assert.ok(heapGrowthBytes < HEAP_GROWTH_BYTES_MAX, `the heap grew by ${heapGrowthBytes} bytes`);
  } catch (error) {
    const again = `node dist/test/fuzz/gateway-fuzz.js --count ${count} --seed ${seed}`;
    throw new Error(`at message ${fuzzer.messageCount} of seed ${seed}; again with: ${again}`, { cause: error });
  }
  return { ...fuzzer.result(), heapGrowthBytes };
}

/** Random bytes on real sockets: before, inside of, and instead of a handshake. Returns how many ended in a close frame. */
export async function fuzzSockets(seed: number, count: number): Promise<{ closed: number; messages: number }> {
  const random = createRandom(seed);
  const integer = (limit: number) => Math.floor(random() * limit);
  const randomBytes = (limit: number) => Buffer.from(Array.from({ length: integer(limit) }, () => integer(256)));
  const running = await startNet({ clientsMax: 64, joinTimeoutMs: 60_000 });
  running.stepEvery(10);
  const valid = [encodeJoin({ name: 'g', token: '', updateHz: 0 }), encodePing(1, 1), encodeResync(2)];
  const makeFrame = (isText: boolean) => {
    const payload = random() < 0.7 ? valid[integer(valid.length)] : randomBytes(200);
    const whole = frameBytes(payload, {
      opcode: random() < 0.95 ? (isText ? TEXT : BINARY) : [PING, PONG, 0, integer(16)][integer(4)],
      fin: random() < 0.97,
      masked: random() < 0.995,
      rsv: random() < 0.005 ? integer(8) : 0,
      statedBytes: random() < 0.01 ? integer(2 ** 31) : payload.length,
    });
    if (random() < 0.02) whole[integer(whole.length)] ^= 1 << integer(8);
    return random() < 0.01 ? whole.subarray(0, integer(whole.length)) : whole;
  };
  let closed = 0;
  const useClient = async () => {
    const client = new RawClient(running.port);
    const protocol = ['tessera.fb.1', 'tessera.fb.1', 'tessera.msgpack.1', 'tessera.json.1'][integer(4)];
    const request = Buffer.from(upgradeRequest('/ws/game', [`Sec-WebSocket-Protocol: ${protocol}`]));
    if (random() < 0.1) request[integer(request.length)] ^= 1 << integer(8);
    client.write(request);
    for (let frames = integer(30); frames > 0 && !client.isGone; frames--) {
      client.write(makeFrame(protocol === 'tessera.json.1'));
      if (random() < 0.2) await new Promise((resolve) => setImmediate(resolve));
    }
    if (random() < 0.3) client.socket.resetAndDestroy();
    else client.socket.end();
    await client.gone();
    if (client.closeCode !== 0) closed += 1;
  };
  try {
    for (let done = 0; done < count; done += 20) {
      await Promise.all(Array.from({ length: Math.min(20, count - done) }, useClient));
    }
    await until('all sessions to end', () => running.net.stats.connections === 0);
    assert.equal(running.world.clients.size, 0);
    return { closed, messages: running.net.stats.packetsIn };
  } catch (error) {
    const again = `node dist/test/fuzz/gateway-fuzz.js --sockets ${count} --seed ${seed}`;
    throw new Error(`over sockets; again with: ${again}`, { cause: error });
  } finally {
    await running.stop();
  }
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      count: { type: 'string' },
      sockets: { type: 'string' },
      seed: { type: 'string', default: '1' },
    },
  });
  const seed = Number(values.seed);
  const start = performance.now();
  if (values.sockets !== undefined) console.log(await fuzzSockets(seed, Number(values.sockets)));
  if (values.sockets === undefined || values.count !== undefined) {
    console.log(fuzzGateway(seed, Number(values.count ?? 1_000_000)));
  }
  console.log(`${((performance.now() - start) / 1000).toFixed(1)} s`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
