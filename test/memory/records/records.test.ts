import assert from 'node:assert/strict';
import { test } from 'node:test';
import { COMMAND_HEADER_BYTES, COMMAND_RECORD_BYTES, EVENT_RECORD_BYTES } from '../../../src/memory/limits.js';
import * as J from '../../../src/memory/records/journal-records.js';
import * as R from '../../../src/memory/records/thread-records.js';

function numbersOf(module: object, prefix: string, except: readonly string[] = []): number[] {
  return Object.entries(module)
    .filter(([name]) => name.startsWith(prefix) && !except.includes(name))
    .map(([, value]) => value as number);
}

function assertApart(fields: readonly (readonly [number, number])[], limit: number): void {
  let end = 0;
  for (const [offset, bytes] of fields) {
    assert.ok(offset >= end && offset % bytes === 0, `${bytes} bytes at ${offset}`);
    end = offset + bytes;
  }
  assert.ok(end <= limit, `${end} bytes of ${limit}`);
}

test('kinds that share a ring differ, and those of main to a zone stay below the kinds of a game', () => {
  for (const kinds of [
    numbersOf(R, 'TO_ZONE_'),
    numbersOf(R, 'FROM_ZONE_'),
    [R.HANDOFF_ENTITY, R.HANDOFF_COMMAND, R.HANDOFF_ID, R.HANDOFF_PLAYER],
    numbersOf(J, 'ENTRY_'),
  ]) {
    assert.ok(kinds.length >= 4);
    assert.equal(new Set(kinds).size, kinds.length);
    assert.ok(kinds.every((kind) => kind > 0 && kind < 256));
  }
});

test('fields of a record do not overlap and are aligned', () => {
  const command = [
    [R.COMMAND_CLIENT, 2],
    [R.COMMAND_NUMBER, 2],
    [R.COMMAND_GENERATION, 4],
    [R.COMMAND_SEQ, 4],
    [R.COMMAND_KIND, 2],
    [R.COMMAND_BYTES, 1],
    [R.COMMAND_CONNECTION, 1],
  ] as const;
  assertApart(command, R.COMMAND_PAYLOAD);
  assert.equal(R.COMMAND_PAYLOAD, COMMAND_HEADER_BYTES);
  const grant = [
    [R.GRANT_INDEX, 4],
    [R.GRANT_REQUEST, 4],
    [R.GRANT_AMOUNT, 8],
  ] as const;
  assertApart(grant, R.GRANT_BYTES);
  assert.ok(COMMAND_HEADER_BYTES + R.GRANT_BYTES <= COMMAND_RECORD_BYTES);
  const event = [
    [R.EVENT_TYPE, 2],
    [R.EVENT_ZONE, 2],
    [R.EVENT_TICK, 4],
    [R.EVENT_ENTITY, 4],
    [R.EVENT_OTHER, 4],
    [R.EVENT_A, 8],
    [R.EVENT_B, 8],
    [R.EVENT_POSITION, 4],
  ] as const;
  assertApart(event, EVENT_RECORD_BYTES);
  const arrival = [
    [R.HANDOFF_KIND, 4],
    [R.HANDOFF_TICK, 4],
    [R.ARRIVAL_CLIENT, 4],
    [R.ARRIVAL_GENERATION, 4],
    [R.ARRIVAL_UPDATE_HZ, 4],
    [R.ARRIVAL_CONNECTION, 4],
  ] as const;
  assertApart(arrival, R.ARRIVAL_VALUES);
});
