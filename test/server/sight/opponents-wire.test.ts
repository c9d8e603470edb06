// What masks hide, read on the wire of a real server: every byte that an opponent's socket gets, in each encoding.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { WebSocket } from 'ws';
import { describeCommands } from '../../../src/game/describe-commands.js';
import { encodeJoin } from '../../../src/protocol/fb/client-message.js';
import { CommandLayouts, encodeCommand } from '../../../src/protocol/fb/command-layout.js';
import { EntityDecoder } from '../../../src/protocol/fb/entity-decoder.js';
import { openFrame, readLeaves, readWelcome } from '../../../src/protocol/fb/server-frame.js';
import { formatPlain, parseTrusted } from '../../../src/protocol/plain/plain-codec.js';
import { type Encoding, SUBPROTOCOLS } from '../../../src/protocol/subprotocols.js';
import { startServer } from '../../server.js';

/** Numbers that nothing else on the wire is. The places are whole quanta of 1/32. */
const SECRET = 0xa1b2c3d4;
const GHOST_X = 61.28125;
const GHOST_Y = 70.71875;
const QUANTA = 32;

const GAME = `export default {
  name: 'ghosts', version: 1, kinds: ['player', 'beacon', 'ghost'], visibility: 'masks',
  fields: { secret: { type: 'u32', wire: {} }, beat: { type: 'u8', wire: {} } },
  commands: { See: { payload: { bits: { type: 'u32' } }, apply(zone, row, { bits }) { zone.sees[row] = bits; } } },
  systems: [{ name: 'beat', run(zone) {
    for (let row = 0; row < zone.rowLimit; row++) if (zone.alive[row] !== 0 && zone.kind[row] > 0) zone.columns.beat[row]++;
  } }],
  populate(zone) {
    zone.spawn(1, 64, 64);
    const ghost = zone.spawn(2, ${GHOST_X}, ${GHOST_Y});
    zone.columns.secret[ghost] = ${SECRET};
    zone.shownTo[ghost] = 2;
  },
  spawnPlayer: (zone) => zone.spawn(0, 66, 66),
};`;

const layouts = new CommandLayouts(describeCommands({ See: { payload: { bits: { type: 'u32' } } } }));

interface Entity {
  id: number;
  kind?: string;
}

/** One client, and what its socket got since it was last asked. */
class Reader {
  messages: Buffer[] = [];
  readonly kinds = new Map<number, string>();
  leaves: number[] = [];
  isWelcome = false;
  private decoder: EntityDecoder | undefined;
  private seq = 0;
  private readonly socket: WebSocket;

  constructor(
    url: string,
    private readonly encoding: Encoding,
    protocol: string,
  ) {
    this.socket = new WebSocket(url, protocol);
    this.socket.on('open', () =>
      this.say('join', encodeJoin({ name: 'spy', token: '', updateHz: 0 }), { name: 'spy' }),
    );
    this.socket.on('message', (data: Buffer) => this.take(data));
  }

  see(bits: number): void {
    const seq = ++this.seq;
    this.say('See', encodeCommand(layouts.findByName('See')!, { bits }, seq), { seq, bits });
  }

  close(): void {
    this.socket.terminate();
  }

  /** Whether any of the messages has the bytes of the ghost's field, or of its place. */
  holdsGhost(): { secret: boolean; place: boolean } {
    const numbers = (values: number[]) =>
      this.messages.some((message) => values.some((value) => this.holds(message, value)));
    return {
      secret: numbers([SECRET]),
      place: numbers(this.encoding === 'fb' ? [GHOST_X * QUANTA, GHOST_Y * QUANTA] : [GHOST_X, GHOST_Y]),
    };
  }

  private holds(message: Buffer, value: number): boolean {
    if (this.encoding === 'json') return message.includes(String(value));
    if (this.encoding === 'msgpack')
      return message.includes(Buffer.from(formatPlain('msgpack', [value]).slice(1) as Uint8Array));
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(value);
    return message.includes(bytes);
  }

  private say(type: string, bytes: Uint8Array, plain: object): void {
    this.socket.send(this.encoding === 'fb' ? bytes : formatPlain(this.encoding, { type, ...plain }));
  }

  private take(message: Buffer): void {
    this.messages.push(message);
    if (this.encoding === 'fb') {
      const frame = openFrame(message)!;
      const welcome = readWelcome(frame);
      if (welcome !== null) {
        this.isWelcome = true;
        this.decoder = new EntityDecoder(welcome.fields, welcome.quantum, welcome.kinds, welcome.kindFields);
      }
      this.leaves.push(...readLeaves(frame));
      this.decoder?.apply(frame);
      for (const { id, kind } of this.decoder?.entities.values() ?? []) this.kinds.set(id, this.decoder!.kinds[kind]);
      return;
    }
    const plain = parseTrusted(this.encoding, message) as { welcome?: object; leaves?: number[]; entities?: Entity[] };
    if (plain.welcome !== undefined) this.isWelcome = true;
    this.leaves.push(...(plain.leaves ?? []));
    for (const { id, kind } of plain.entities ?? []) if (kind !== undefined) this.kinds.set(id, kind);
  }
}

test('no byte of what masks hide reaches an opponent, in any encoding, until it is shown and after it is hidden', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'tessera-sight-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, 'ghosts.mjs'), GAME);
  const flags = ['--game', join(folder, 'ghosts.mjs'), '--zones', '1x1', '--world', '128x128', '--bots', '0'];
  const server = await startServer(flags);
  t.after(() => server.stop());
  for (const { name, encoding } of SUBPROTOCOLS) {
    const reader = new Reader(server.wsUrl, encoding, name);
    t.after(() => reader.close());
    const seen = (kind: string) => [...reader.kinds.values()].includes(kind);
    await server.until(`${name}: a welcome and frames`, () => reader.isWelcome && reader.messages.length > 30);
    assert.ok(seen('beacon') && !seen('ghost'), `${name}: it sees the beacon only`);
    assert.deepEqual(reader.holdsGhost(), { secret: false, place: false }, `${name}: before it is shown`);

    reader.see(3);
    await server.until(`${name}: the ghost is seen`, () => seen('ghost'));
    assert.deepEqual(reader.holdsGhost(), { secret: true, place: true }, `${name}: what is searched for can be found`);
    const [ghostId] = [...reader.kinds].find(([, kind]) => kind === 'ghost')!;
    assert.ok(!reader.leaves.includes(ghostId));

    reader.see(1);
    await server.until(`${name}: the ghost leaves`, () => reader.leaves.includes(ghostId));
    reader.messages = [];
    reader.leaves = [];
    reader.kinds.clear();
    await server.until(`${name}: more frames`, () => reader.messages.length > 30);
    if (encoding === 'fb') assert.ok(!reader.kinds.has(ghostId));
    assert.deepEqual(reader.holdsGhost(), { secret: false, place: false }, `${name}: after it is hidden`);
    assert.deepEqual(reader.leaves, [], `${name}: nor is it told of it again`);
  }
});
