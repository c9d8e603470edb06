// Players as they are, one by one, in the hot store: with them a player goes on where the world itself did not, such as on
// another server. With each hot snapshot, from committed blocks, for everyone who plays and whose entity is alive.
//
//   snapshot:player:{playerId}     {worldId, playerId, zone, tick, takenAtMs, key, kind, x, y, fields}
//   snapshot:session:{sessionId}   {client, generation, playerId, sessionId, name, joinedAtMs, worldId, zone, tick, takenAtMs, key}
//
// `fields` has the game's kept fields by name; `kind` is the name of a kind; `key` is as in zone-snapshot.ts. `client` is
// the index of the session's client and `generation` tells it from others that had the index: in the zone, the player's row has
// `owner` client + 1 and `ownerGeneration` generation.
//
// Each value is a MessagePack map {checksum, body}: `body` is binary, the MessagePack map above, and `checksum` is the
// CRC-32 of its bytes (as zlib's).

import { setImmediate as yieldToOthers } from 'node:timers/promises';
import { crc32 } from '../../base/checksum.js';
import { type ComponentForm, hasField } from '../../game/fields/components.js';
import { isStoredValue, readStored, type StoredForm, type StoredValue } from '../../game/fields/stored-value.js';
import type { IoCounters } from '../../memory/tables/io-counters.js';
import type { Block, WorldBuffer } from '../../memory/world/world-buffer.js';
import { SCALAR_ROW_LIMIT, SCALAR_TICK } from '../../memory/world/world-layout.js';
import { formatPlain, parseTrusted } from '../../protocol/plain/plain-codec.js';
import { pause } from '../../stores/deadline.js';
import type { HotEntry, HotStore } from '../../stores/store-ports.js';
import {
  HOT_SNAPSHOT_TTL_MS,
  PLAYER_KEYS_GONE_MAX,
  PLAYERS_ENCODED_AT_ONCE,
  PLAYERS_LAST_LOOK_MS,
  SNAPSHOT_COPY_ATTEMPTS,
} from './limits.js';

export interface PlayerSession {
  client: number;
  generation: number;
  playerId: string;
  sessionId: string;
  name: string;
  joinedAtMs: number;
}

export interface PlayerSnapshot {
  worldId: string;
  playerId: string;
  zone: number;
  tick: number;
  takenAtMs: number;
  key: number;
  kind: string;
  x: number;
  y: number;
  fields: Record<string, StoredValue>;
}

interface Playing {
  session: PlayerSession;
  player: PlayerSnapshot;
}

/** What of a row is stored: the names of the kinds, and the fields that are kept. */
export interface PlayerForm {
  kinds: readonly string[];
  fields: readonly string[];
  /** Of those that are not one number. */
  forms?: Readonly<Record<string, StoredForm>>;
  /** Absent: every kind has every field. */
  components?: ComponentForm;
}

export function playerKey(playerId: string): string {
  return `snapshot:player:${playerId}`;
}

export function sessionKey(sessionId: string): string {
  return `snapshot:session:${sessionId}`;
}

export function seal(map: object): Uint8Array {
  const body = formatPlain('msgpack', map) as Uint8Array;
  return formatPlain('msgpack', { checksum: crc32(body), body }) as Uint8Array;
}

/** Throws with the reason when the bytes are not a whole value. */
export function unseal(bytes: Uint8Array): Record<string, unknown> {
  let outer: { checksum?: unknown; body?: unknown } | null;
  try {
    outer = parseTrusted('msgpack', bytes) as typeof outer;
  } catch {
    throw new Error('it cannot be read');
  }
  if (!(outer?.body instanceof Uint8Array)) throw new Error('it has no body');
  if (outer.checksum !== crc32(outer.body)) throw new Error('its checksum does not match');
  return parseTrusted('msgpack', outer.body) as Record<string, unknown>;
}

/** Throws with the reason when the bytes are no player. */
export function decodePlayer(bytes: Uint8Array): PlayerSnapshot {
  const player = unseal(bytes) as unknown as PlayerSnapshot;
  const { kind, x, y, fields } = player;
  const isSound =
    typeof kind === 'string' &&
    [x, y].every(Number.isFinite) &&
    typeof fields === 'object' &&
    fields !== null &&
    Object.values(fields).every(isStoredValue);
  if (!isSound) throw new Error('it is no player');
  return player;
}

export class PlayerSnapshotter {
  private readonly sessions = new Map<number, PlayerSession>();
  /** Keys of players who have left, until the store has deleted them or they are written again; with the time of leaving. */
  private readonly gone = new Map<string, number>();
  private leaves = 0;
  private isTaking = false;
  private isFailing = false;

  constructor(
    private readonly worlds: readonly WorldBuffer[],
    private readonly worldId: string,
    private readonly form: PlayerForm,
    private readonly hot: HotStore,
    private readonly counters: IoCounters,
    private readonly say: (line: string) => void,
  ) {}

  joined(session: PlayerSession): void {
    this.sessions.set(session.client, session);
    for (const key of keysOf(session)) this.gone.delete(key);
  }

  /** Who has left on purpose is not brought back as it was before; who was waited for in vain may be. */
  left(client: number, generation: number, isForGood: boolean): void {
    const session = this.sessions.get(client);
    if (session?.generation !== generation) return;
    this.sessions.delete(client);
    if (!isForGood) return;
    this.leaves++;
    for (const key of keysOf(session)) {
      this.gone.delete(key); // so that it is the newest
      this.gone.set(key, this.leaves);
    }
    for (const [key] of this.gone) {
      if (this.gone.size <= PLAYER_KEYS_GONE_MAX) break;
      this.gone.delete(key);
    }
    if (!this.isTaking) void this.deleteGone().catch((error: Error) => this.fail(error));
  }

  /** Undefined: nothing is stored. Rejects when the store does not answer, or what it has is not whole. */
  async find(playerId: string): Promise<PlayerSnapshot | undefined> {
    const key = playerKey(playerId);
    const [bytes] = await this.hot.get([key]);
    return bytes && !this.gone.has(key) ? decodePlayer(bytes) : undefined;
  }

  /** One that is still under way when the next is due lets it pass. */
  async take(nowMs: number): Promise<void> {
    if (this.isTaking || (this.sessions.size === 0 && this.gone.size === 0)) return;
    this.isTaking = true;
    try {
      if (this.sessions.size > 0) await this.store(nowMs);
    } catch (error) {
      this.fail(new Error(`players were not stored: ${(error as Error).message}`));
      return;
    } finally {
      this.isTaking = false;
    }
    try {
      await this.deleteGone();
      if (this.isFailing) this.say('players are stored again');
      this.isFailing = false;
    } catch (error) {
      this.fail(error as Error);
    }
  }

  private async store(nowMs: number): Promise<void> {
    const players = this.worlds.flatMap((world) => this.copyZone(world, nowMs));
    await this.hot.set(await encodeAll(players));
    this.counters.add('playerSnapshots', players.length);
  }

  /** Once for all that follow: a store that is away for an hour would fill the log. */
  private fail(error: Error): void {
    this.counters.add('playerFailures', 1);
    if (!this.isFailing) this.say(error.message);
    this.isFailing = true;
  }

  /** The end: one that is under way may be of an earlier tick, so another follows it. */
  async takeLast(now: () => number): Promise<void> {
    while (this.isTaking) await pause(PLAYERS_LAST_LOOK_MS);
    await this.take(now());
  }

  /** Rejects when the store does not; then the keys stay, and go with the next snapshot. */
  private async deleteGone(): Promise<void> {
    const keys = [...this.gone];
    if (keys.length === 0) return;
    try {
      await this.hot.delete(keys.map(([key]) => key));
    } catch (error) {
      throw new Error(`what is stored of players who left was not deleted: ${(error as Error).message}`);
    }
    for (const [key, leave] of keys) if (this.gone.get(key) === leave) this.gone.delete(key);
  }

  /** A row that is committed over while it is read may mix two ticks: then the zone is read again. */
  private copyZone(world: WorldBuffer, nowMs: number): Playing[] {
    for (let attempt = 0; attempt < SNAPSHOT_COPY_ATTEMPTS; attempt++) {
      const held = world.hold();
      const players = this.copyBlock(world.zoneId, world.committed, nowMs);
      if (world.isHeld(held)) return players;
    }
    throw new Error(`zone ${world.zoneId} commits faster than it can be read`);
  }

  private copyBlock(zone: number, block: Block, nowMs: number): Playing[] {
    const { alive, owner, ownerGeneration } = block.columns;
    const players: Playing[] = [];
    for (let row = 0; row < block.scalars[SCALAR_ROW_LIMIT]; row++) {
      if (alive[row] === 0 || owner[row] === 0) continue;
      const session = this.sessions.get(owner[row] - 1);
      if (session?.generation === ownerGeneration[row]) {
        players.push({ session, player: this.copyRow(zone, block, row, session, nowMs) });
      }
    }
    return players;
  }

  private copyRow(zone: number, block: Block, row: number, { playerId }: PlayerSession, nowMs: number): PlayerSnapshot {
    const { columns, scalars } = block;
    const { forms = {}, components } = this.form;
    const fields: Record<string, StoredValue> = {};
    for (const name of this.form.fields) {
      if (hasField(components, columns.kind[row], name)) fields[name] = readStored(columns[name], row, forms[name]);
    }
    return {
      worldId: this.worldId,
      playerId,
      zone,
      tick: scalars[SCALAR_TICK],
      takenAtMs: nowMs,
      key: columns.key[row],
      kind: this.form.kinds[columns.kind[row]] ?? '',
      x: columns.positionX[row],
      y: columns.positionY[row],
      fields,
    };
  }
}

function keysOf({ playerId, sessionId }: PlayerSession): string[] {
  return [playerKey(playerId), sessionKey(sessionId)];
}

/** A few at a time: the journal and the events of this thread do not wait for all of them. */
async function encodeAll(players: readonly Playing[]): Promise<HotEntry[]> {
  const entries: HotEntry[] = [];
  const ttlMs = HOT_SNAPSHOT_TTL_MS;
  for (const [index, { session, player }] of players.entries()) {
    const { worldId, zone, tick, takenAtMs, key } = player;
    const where = { ...session, worldId, zone, tick, takenAtMs, key };
    entries.push({ key: playerKey(player.playerId), value: seal(player), ttlMs });
    entries.push({ key: sessionKey(session.sessionId), value: seal(where), ttlMs });
    if (index % PLAYERS_ENCODED_AT_ONCE === PLAYERS_ENCODED_AT_ONCE - 1) await yieldToOthers();
  }
  return entries;
}
