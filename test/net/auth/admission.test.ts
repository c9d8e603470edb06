import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { Admission } from '../../../src/net/auth/admission.js';
import {
  DROP_CONNECTION_ADDRESS,
  DROP_CONNECTION_PENDING,
  NetCounters,
} from '../../../src/net/gateway/net-counters.js';
import { HANDSHAKES_PENDING_MIN, HTTP_PER_ADDRESS } from '../../../src/net/limits.js';

class FakeSocket extends EventEmitter {
  destroyed = false;

  constructor(readonly remoteAddress: string | undefined) {
    super();
  }

  destroy(): void {
    this.destroyed = true;
    this.emit('close');
  }
}

function stage({ clientsMax = 10, perAddressMax = 2 } = {}) {
  const counters = new NetCounters();
  const admission = new Admission(clientsMax, perAddressMax, counters);
  const connect = (address: string | undefined): FakeSocket => {
    const socket = new FakeSocket(address);
    admission.connect(socket as unknown as Socket);
    return socket;
  };
  const upgrade = (socket: FakeSocket): boolean => admission.upgrade(socket as unknown as Socket);
  const drops = (): [address: number, pending: number] => [
    counters.drops[DROP_CONNECTION_ADDRESS],
    counters.drops[DROP_CONNECTION_PENDING],
  ];
  return { admission, connect, upgrade, drops };
}

test('an address has so many WebSockets, and one that goes makes room for another', () => {
  const { connect, upgrade, drops } = stage();
  const sockets = [1, 2, 3].map(() => connect('10.0.0.1'));
  assert.deepEqual(sockets.map(upgrade), [true, true, false]);
  assert.deepEqual(drops(), [1, 0]);
  assert.ok(upgrade(connect('10.0.0.2')), 'another address has its own');
  sockets[0].destroy();
  assert.equal(upgrade(sockets[2]), true);
  assert.equal(upgrade(connect('10.0.0.1')), false);
  assert.deepEqual(drops(), [2, 0]);
});

test('an address has some connections more than WebSockets, and those beyond are destroyed unread', () => {
  const { connect, drops } = stage();
  const sockets = Array.from({ length: 2 + HTTP_PER_ADDRESS }, () => connect('10.0.0.1'));
  assert.ok(sockets.every(({ destroyed }) => !destroyed));
  assert.ok(connect('10.0.0.1').destroyed);
  assert.deepEqual(drops(), [1, 0]);
  assert.equal(connect('10.0.0.2').destroyed, false);
  sockets[0].destroy();
  assert.equal(connect('10.0.0.1').destroyed, false);
  assert.ok(connect('10.0.0.1').destroyed, 'who was refused has not made room by going');
});

test('a new bound holds for who comes later', () => {
  const { admission, connect, upgrade } = stage();
  const sockets = [1, 2, 3, 4].map(() => connect('10.0.0.1'));
  sockets.slice(0, 2).map(upgrade);
  admission.setPerAddress(3);
  assert.deepEqual(sockets.slice(2).map(upgrade), [true, false]);
  assert.ok(sockets.every(({ destroyed }) => !destroyed));
});

test('an address whose connections have all gone is forgotten with them', () => {
  const { connect, upgrade } = stage({ perAddressMax: 1 });
  for (let round = 0; round < 3; round++) {
    const [first, second] = [connect('10.0.0.1'), connect('10.0.0.1')];
    assert.deepEqual([upgrade(first), upgrade(second)], [true, false]);
    first.destroy();
    assert.ok(upgrade(second), 'while another connection of it is there');
    second.destroy();
  }
});

test('so many connections may not have said yet what they want', () => {
  const { admission, connect, upgrade, drops } = stage();
  const max = HANDSHAKES_PENDING_MIN;
  const sockets = Array.from({ length: max }, (_, i) => connect(`10.0.0.${i}`));
  assert.equal(admission.pending, max);
  assert.ok(connect('10.9.0.1').destroyed);
  assert.deepEqual(drops(), [0, 1]);
  assert.ok(upgrade(sockets[0]), 'this one has said it');
  assert.equal(admission.pending, max - 1);
  assert.equal(connect('10.9.0.1').destroyed, false);
  sockets[1].destroy();
  assert.equal(admission.pending, max - 1);
});

test('a large server lets as many wait as it has seats', () => {
  const clientsMax = HANDSHAKES_PENDING_MIN + 1;
  const { connect } = stage({ clientsMax });
  for (let i = 0; i < clientsMax; i++) assert.equal(connect(`10.0.0.${i}`).destroyed, false);
  assert.ok(connect('10.9.0.1').destroyed);
});

test('a connection that has gone before it is looked at is neither counted nor let in', () => {
  const { admission, connect, upgrade, drops } = stage();
  const socket = connect(undefined);
  assert.ok(socket.destroyed);
  assert.equal(upgrade(socket), false);
  assert.equal(admission.pending, 0);
  assert.deepEqual(drops(), [0, 0]);
});
