import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fuzzGateway, fuzzSockets } from './gateway-fuzz.js';

test('random and mutated messages are each accepted or rejected, and nothing else reaches the world', () => {
  const result = fuzzGateway(20240607, 60_000);
  assert.equal(result.accepted + result.rejected + result.tooLate >= result.messages, true);
  // The run is worth something only if much of it got far.
  assert.ok(result.commands > 1000, `${result.commands} commands reached the world`);
  assert.ok(result.sessions > 100, `${result.sessions} sessions`);
});

test('a seed gives the same run again', () => {
  const { heapGrowthBytes: _, ...first } = fuzzGateway(5, 5000);
  const { heapGrowthBytes: __, ...second } = fuzzGateway(5, 5000);
  assert.deepEqual(first, second);
});

test('random bytes on sockets end connections, not the server', async () => {
  const { messages } = await fuzzSockets(7, 200);
  assert.ok(messages > 200, `${messages} messages were read`);
});
