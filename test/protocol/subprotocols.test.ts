import assert from 'node:assert/strict';
import { test } from 'node:test';
import { selectSubprotocol } from '../../src/protocol/subprotocols.js';

test('a client that offers no sub-protocol speaks FlatBuffers', () => {
  assert.equal(selectSubprotocol([])?.encoding, 'fb');
});

test('the first known name in the order of the client is taken', () => {
  assert.equal(selectSubprotocol(['tessera.json.1', 'tessera.fb.1'])?.encoding, 'json');
  assert.equal(selectSubprotocol(new Set(['other', 'tessera.msgpack.1']))?.encoding, 'msgpack');
});

test('a client that offers only unknown names is not understood', () => {
  assert.equal(selectSubprotocol(['tessera.fb.2', 'constructor']), null);
});
