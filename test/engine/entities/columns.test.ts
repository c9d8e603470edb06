import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  DEPART_TO_CELL,
  ENGINE_COLUMNS,
  engineColumnsOf,
  specifyColumns,
  TRAVELLING_ENGINE_COLUMNS,
} from '../../../src/engine/entities/columns.js';
import { GENERATION_MASK } from '../../../src/engine/entities/entity-key.js';
import { ZONES_MAX } from '../../../src/engine/limits.js';
import { COLUMN_ARRAYS } from '../../../src/memory/world/column-types.js';
import { LIVE_BLOCK, WorldBuffer } from '../../../src/memory/world/world-buffer.js';
import { layOutWorld } from '../../../src/memory/world/world-layout.js';

test("the engine's columns come first, and the game's follow in its order", () => {
  const columns = specifyColumns({ level: { type: 'u8' }, hp: { type: 'f32' } });
  assert.deepEqual(
    columns.map(({ name }) => name),
    [...ENGINE_COLUMNS.map(({ name }) => name), 'level', 'hp'],
  );
  assert.deepEqual(columns.slice(-2), [
    { name: 'level', type: 'u8' },
    { name: 'hp', type: 'f32' },
  ]);
});

test('a game field may not take the name of an engine column', () => {
  for (const { name } of ENGINE_COLUMNS) {
    assert.throws(() => specifyColumns({ [name]: { type: 'u8' } }), new RegExp(`name of its own: ${name}`));
  }
});

test('engine columns are arrays of the declared types over the block', () => {
  const layout = layOutWorld(specifyColumns({}), 64);
  const engine = engineColumnsOf(new WorldBuffer(WorldBuffer.create(layout, 0), layout).blocks[LIVE_BLOCK]);
  for (const { name, type } of ENGINE_COLUMNS) {
    assert.ok(engine[name] instanceof COLUMN_ARRAYS[type], name);
  }
});

test('only what belongs to the entity travels: not its row, nor the ids of the zone', () => {
  const specs: readonly { name: string; role?: string }[] = ENGINE_COLUMNS;
  const staying = specs.filter(({ name }) => !TRAVELLING_ENGINE_COLUMNS.has(name));
  assert.deepEqual(
    staying.map(({ name, role }) => [name, role]),
    [
      ['alive', 'alive'],
      ['departTo', 'transient'],
      ['departSequence', 'transient'],
      ['idTaken', 'id'],
      ['idGeneration', 'id'],
      ['idFreed', 'id'],
    ],
  );
});

test('the values of columns fit their types', () => {
  assert.ok(ZONES_MAX + 1 <= 255 && DEPART_TO_CELL === 255, 'departTo holds every zone + 1, and the mark of a cell');
  assert.ok(GENERATION_MASK <= 65535, 'idGeneration holds every generation');
});
