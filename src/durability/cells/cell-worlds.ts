// Worlds that have records of cells in a store, and which of them nobody goes on with: those that this folder has given up,
// and those of folders that are no more, which show by not having been begun for a month while others were.
//
//  table `cell-worlds`  '<world's id>'  {seenAtMs}, MessagePack: when a server last said that it goes on with that world
//
// A world whose row is missing, because a server was killed before it wrote it, counts as seen when it is found.

import { formatPlain, parseTrusted } from '../../protocol/plain/plain-codec.js';
import type { ColdStore } from '../../stores/store-ports.js';
import { CELLS_TABLE } from './cell-store.js';
import {
  CELL_WORLDS_DROPPED_PER_CALL,
  CELL_WORLDS_KEPT,
  CELL_WORLDS_KEPT_MS,
  CELL_WORLDS_PAGE_KEYS,
  CELL_WORLDS_PAGE_ROWS,
} from './limits.js';

const CELL_WORLDS_TABLE = 'cell-worlds';
const DAY_MS = 24 * 3600 * 1000;

export interface CellWorldsOptions {
  store: ColdStore;
  worldId: string;
  /** That this folder has given up. */
  earlierWorlds: readonly string[];
  /** Whether worlds that nobody goes on with may be told from those that live elsewhere. */
  mayDrop: () => boolean;
  /** The wall clock. */
  now: () => number;
}

export class CellWorlds {
  private readonly givenUp: string[];
  private noteAtMs = Number.NEGATIVE_INFINITY;
  private searchAtMs = Number.NEGATIVE_INFINITY;

  constructor(private readonly options: CellWorldsOptions) {
    this.givenUp = [...options.earlierWorlds];
  }

  /** Says once a day that this world lives. */
  async note(): Promise<void> {
    const nowMs = this.options.now();
    if (nowMs < this.noteAtMs) return;
    await this.see([this.options.worldId], nowMs);
    this.noteAtMs = nowMs + DAY_MS;
  }

  /** Some records of a world that nobody goes on with. Resolves with how many went; 0: there are no more of that one. */
  async dropSome(): Promise<number> {
    const { store, mayDrop, now } = this.options;
    if (now() >= this.searchAtMs && mayDrop()) await this.search(now());
    if (this.givenUp.length === 0) return 0;
    const [world] = this.givenUp;
    const keys = await store.scanKeys(CELLS_TABLE, `${world}/`, '', CELL_WORLDS_DROPPED_PER_CALL);
    await store.deleteRows(CELLS_TABLE, keys);
    if (keys.length === 0) {
      await store.deleteRows(CELL_WORLDS_TABLE, [world]);
      this.givenUp.shift();
    }
    return keys.length;
  }

  private async search(nowMs: number): Promise<void> {
    const { worldId } = this.options;
    const seen = await this.listSeen();
    const unknown = (await this.listStored()).filter((world) => !seen.has(world));
    await this.see(unknown, nowMs);
    const others = [...seen].filter(([world]) => world !== worldId).sort(([, one], [, other]) => other - one);
    for (const [world, seenAtMs] of others.slice(CELL_WORLDS_KEPT - 1)) {
      if (nowMs - seenAtMs > CELL_WORLDS_KEPT_MS && !this.givenUp.includes(world)) this.givenUp.push(world);
    }
    this.searchAtMs = nowMs + DAY_MS;
  }

  private async see(worlds: readonly string[], seenAtMs: number): Promise<void> {
    const value = formatPlain('msgpack', { seenAtMs }) as Uint8Array;
    await this.options.store.putRows(
      CELL_WORLDS_TABLE,
      worlds.map((key) => ({ key, value })),
    );
  }

  private async listSeen(): Promise<Map<string, number>> {
    const seen = new Map<string, number>();
    for (let afterKey = ''; ; ) {
      const rows = await this.options.store.scanRows(CELL_WORLDS_TABLE, '', afterKey, CELL_WORLDS_PAGE_ROWS);
      for (const { key, value } of rows)
        seen.set(key, (parseTrusted('msgpack', value) as { seenAtMs: number }).seenAtMs);
      if (rows.length < CELL_WORLDS_PAGE_ROWS) return seen;
      afterKey = rows[rows.length - 1].key;
    }
  }

  /** By a few keys of each: whatever else one has is skipped. */
  private async listStored(): Promise<string[]> {
    const worlds = new Set<string>();
    for (let afterKey = ''; ; ) {
      const keys = await this.options.store.scanKeys(CELLS_TABLE, '', afterKey, CELL_WORLDS_PAGE_KEYS);
      for (const key of keys) worlds.add(worldOfKey(key));
      if (keys.length < CELL_WORLDS_PAGE_KEYS) return [...worlds];
      // U+10FFFF sorts above all other characters.
      afterKey = `${worldOfKey(keys[keys.length - 1])}/\u{10ffff}`;
    }
  }
}

function worldOfKey(key: string): string {
  return key.slice(0, key.indexOf('/'));
}
