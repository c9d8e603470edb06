import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EVENT_TYPES_MAX } from '../../../src/memory/limits.js';
import { IO_COUNTERS, IO_GAUGES, IoCounters } from '../../../src/memory/tables/io-counters.js';
import { LiveLimits } from '../../../src/memory/tables/live-limits.js';
import { COUNTER, COUNTER_COUNT, COUNTERS } from '../../../src/memory/tables/zone-counters.js';

test('counters of the I/O thread are read by name, by whoever attaches, and share no place', () => {
  const written = new IoCounters(IoCounters.create());
  for (const [index, name] of IO_COUNTERS.entries()) written.set(name, index + 1);
  written.eventTypes.fill(-1);
  written.eventTypesDropped.fill(-2);
  const read = new IoCounters(written.buffer);
  for (const [index, name] of IO_COUNTERS.entries()) assert.equal(read.get(name), index + 1, name);
  assert.ok(read.eventTypes.length === EVENT_TYPES_MAX && read.eventTypes.every((value) => value === -1));
  assert.ok(read.eventTypesDropped.length === EVENT_TYPES_MAX && read.eventTypesDropped.every((value) => value === -2));
  const parts = [
    read.values,
    read.eventTypes,
    read.eventTypesDropped,
    read.eventLosses,
    read.hotTakenMs,
    read.coldTakenMs,
  ];
  let end = 0;
  for (const part of parts) {
    assert.equal(part.byteOffset, end, 'one behind the other');
    end += part.byteLength;
  }
  assert.equal(read.buffer.byteLength, end);
  written.add('eventsRead', 4);
  written.add('eventsRead', 5);
  assert.equal(read.get('eventsRead'), 10);
});

test('every counter has one name and one place, and every gauge is a counter', () => {
  assert.equal(new Set(IO_COUNTERS).size, IO_COUNTERS.length);
  assert.equal(new Set(COUNTERS).size, COUNTERS.length);
  assert.ok([...IO_GAUGES].every((name) => IO_COUNTERS.includes(name)));
  assert.deepEqual(
    COUNTERS.map((name) => COUNTER[name]),
    COUNTERS.map((_, index) => index),
  );
  assert.ok(COUNTERS.length <= COUNTER_COUNT);
});

test('limits that main sets are read by whoever attaches, each as itself', () => {
  const buffer = LiveLimits.create({ commandsPerTick: 1, commandsPerClientTick: 2, bytesPerSecond: 3 });
  const read = new LiveLimits(buffer);
  assert.deepEqual([read.commandsPerTick, read.commandsPerClientTick, read.bytesPerSecond], [1, 2, 3]);
  new LiveLimits(buffer).set({ commandsPerTick: 40, commandsPerClientTick: 50, bytesPerSecond: 2097152 });
  assert.deepEqual([read.commandsPerTick, read.commandsPerClientTick, read.bytesPerSecond], [40, 50, 2097152]);
});
