// The same minute of play, stored at every change and stored by checkpoints: how often each goes to the database. Time is
// that of the game, 60 ticks being a second however fast they run. At the end, what the store holds is read back and must
// be the world's last state, whichever way it came there.

import { randomUUID } from 'node:crypto';
import { assert } from '../../src/base/assert.js';
import { createRandom } from '../../src/base/chance.js';
import { DEFAULTS } from '../../src/config/settings.js';
import { planCheckpoints } from '../../src/durability/checkpoints/checkpoint-plan.js';
import { Checkpointer, type CheckpointPlan } from '../../src/durability/checkpoints/checkpointer.js';
import { type EntityState, scanEntities } from '../../src/durability/checkpoints/entity-rows.js';
import { keyOfName } from '../../src/durability/entity-name.js';
import { IoCounters } from '../../src/memory/tables/io-counters.js';
import { WorldBuffer } from '../../src/memory/world/world-buffer.js';
import { type BenchModule, type BenchOptions, type BenchRow, foldChecksum } from '../bench.js';
import { HeadlessWorld } from '../engine/headless-world.js';
import { type CountedStore, chooseStores, type StoreChoice } from './counted-store.js';
import { readLasting, WRITE_THROUGH_RULE, WriteThrough } from './write-through.js';

interface Scene {
  players: number;
  bots: number;
  seconds: number;
  checkpointMs: number;
}

const SCENE: Scene = { players: 500, bots: 500, seconds: 60, checkpointMs: DEFAULTS.checkpointMs };
const SMALL_SCENE: Scene = { players: 20, bots: 20, seconds: 3, checkpointMs: 1000 };
const TURNS_EVERY_TICKS = 15;
const SHOOTS_EVERY_TICKS = 30;
/** The last tick is the first at whose end nobody is on the way between two zones. */
const EXTRA_TICKS_MAX = 600;

type Keeper = { tick(isLast: boolean): Promise<void>; describe(): string; world(): string };
type MakeKeeper = (worlds: readonly WorldBuffer[], plan: CheckpointPlan, store: CountedStore, scene: Scene) => Keeper;

export const bench: BenchModule = {
  name: 'persistence',
  summary: 'database operations per second of play, stored at every change and by checkpoints',
  async run(options) {
    const scene = options.small ? SMALL_SCENE : SCENE;
    const rows: BenchRow[] = [];
    if (!options.small) console.error(`  ${WRITE_THROUGH_RULE}`);
    for (const store of chooseStores()) rows.push(...(await compare(store, scene, options)));
    return rows;
  },
};

async function compare(store: StoreChoice, scene: Scene, options: BenchOptions): Promise<BenchRow[]> {
  const through = await play(`write-through, ${store.name}`, store, scene, options, writeThrough);
  const checkpoints = await play(`checkpoints, ${store.name}`, store, scene, options, byCheckpoints);
  assert(through.row.checksum === checkpoints.row.checksum, 'both played the same and stored the same', store.name);
  const fewer = (name: 'operations' | 'rows' | 'bytes'): string =>
    `${(100 * (1 - checkpoints.store[name] / through.store[name])).toFixed(2)}% fewer ${name}`;
  checkpoints.row.note += `; ${fewer('operations')}, ${fewer('rows')}, ${fewer('bytes')} than write-through`;
  return [through.row, checkpoints.row];
}

const writeThrough: MakeKeeper = (worlds, plan, { port }) => {
  const world = `bench-${process.pid}-${Math.round(performance.timeOrigin + performance.now())}`;
  const keeper = new WriteThrough(worlds, plan, port, world, DEFAULTS.tickHz);
  return {
    tick: (isLast) => keeper.tick(isLast),
    describe: () => `${keeper.valueWrites} for a value, ${keeper.positionWrites} for a position alone`,
    world: () => world,
  };
};

const byCheckpoints: MakeKeeper = (worlds, plan, { port }, { checkpointMs }) => {
  const counters = new IoCounters(IoCounters.create());
  const say = (line: string): never => {
    throw new Error(line);
  };
  const keeper = new Checkpointer({ worlds, plan, store: port, counters, say });
  const every = Math.round((checkpointMs * DEFAULTS.tickHz) / 1000);
  let ticks = 0;
  return {
    async tick(isLast) {
      if (++ticks % every !== 0 && !isLast) return;
      keeper.take();
      await keeper.settled();
    },
    describe: () => `${counters.get('checkpoints')} checkpoints, one every ${checkpointMs / 1000} s`,
    world: () => keeper.world,
  };
};

async function play(name: string, choice: StoreChoice, scene: Scene, options: BenchOptions, make: MakeKeeper) {
  const session = await choice.open();
  const { counted } = session;
  const world = new HeadlessWorld({
    zoneColumns: 2,
    zoneRows: 2,
    bots: scene.bots,
    clientsMax: scene.players,
    seed: options.seed,
  });
  world.joinAll(scene.players);
  const worlds = world.plan.worlds.map((buffer) => new WorldBuffer(buffer, world.plan.layout));
  const plan = planCheckpoints(world.game, world.settings, {
    worldId: randomUUID(),
    startedAtMs: Date.now(),
  });
  const keeper = make(worlds, plan, counted, scene);
  try {
    const random = createRandom(options.seed);
    const ticks = scene.seconds * world.settings.tickHz;
    let wanted = new Map<string, EntityState>();
    let isLast = false;
    for (let tick = 1; !isLast && tick <= ticks + EXTRA_TICKS_MAX; tick++) {
      stir(world, scene.players, random);
      world.runTick();
      world.deliver();
      wanted = readLasting(worlds, plan);
      isLast = tick >= ticks && wanted.size === scene.players;
      await keeper.tick(isLast);
      if (tick % 600 === 0 && !options.small) console.error(`  ${name}: ${tick / 60} of ${scene.seconds} s played`);
    }
    assert(isLast, 'there comes a tick with every player in a zone', wanted.size);
    const found = new Map<string, EntityState>();
    for await (const row of scanEntities(session.plain, keeper.world(), fail)) found.set(row.entity, row);
    const checksum = sumOf(wanted, plan);
    assert(found.size === wanted.size && sumOf(found, plan) === checksum, 'the store holds the last state', name);
    return { row: describe(name, counted, scene, checksum, keeper.describe()), store: { ...counted } };
  } finally {
    await session.close(keeper.world());
  }
}

function fail(entity: string, reason: string): never {
  throw new Error(`${entity}: ${reason}`);
}

function describe(name: string, counted: CountedStore, { seconds }: Scene, checksum: number, what: string): BenchRow {
  const { operations, rows, bytes, callMs } = counted;
  const sorted = [...callMs].sort((a, b) => a - b);
  const totalMs = sorted.reduce((sum, ms) => sum + ms, 0);
  return {
    name,
    perSecond: operations / seconds,
    meanUs: (1000 * totalMs) / sorted.length,
    p99Us: 1000 * sorted[Math.floor(sorted.length * 0.99)],
    samples: operations,
    checksum,
    note: `${rows} rows, ${bytes} bytes in ${seconds} s; ${what}; the store holds the last state`,
  };
}

/** Over entities in the order of their names: where and when a row was written is not part of it. */
function sumOf(entities: ReadonlyMap<string, EntityState>, { kinds, fields }: CheckpointPlan): number {
  let sum = 0;
  for (const name of [...entities.keys()].sort()) {
    const state = entities.get(name)!;
    sum = foldChecksum(foldChecksum(sum, keyOfName(name) ?? -1), kinds.indexOf(state.kind));
    sum = foldChecksum(foldChecksum(sum, state.positionX), state.positionY);
    for (const field of fields) sum = foldChecksum(sum, state.fields[field] as number);
  }
  return sum;
}

/** Clients turn four times a second and shoot twice. */
function stir(world: HeadlessWorld, players: number, random: () => number): void {
  for (let client = world.tick % TURNS_EVERY_TICKS; client < players; client += TURNS_EVERY_TICKS) {
    world.sendMove(client, Math.floor(random() * 255) - 127, Math.floor(random() * 255) - 127);
  }
  for (let client = world.tick % SHOOTS_EVERY_TICKS; client < players; client += SHOOTS_EVERY_TICKS) {
    world.sendShoot(client, Math.floor(random() * 65536));
  }
}
