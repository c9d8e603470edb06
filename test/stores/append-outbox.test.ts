import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AppendOutbox } from '../../src/stores/append-outbox.js';
import { LOG_KEY_BYTES_MAX, LOG_OUTBOX_BYTES_MAX, LOG_RECORD_BYTES_MAX } from '../../src/stores/limits.js';
import { type LogRecord, PersistError } from '../../src/stores/store-ports.js';

function named(name: string, bytes = 10): LogRecord {
  return { topic: 't', key: name, value: new Uint8Array(bytes), timestampMs: 0 };
}

/** A writer whose writes end when the test says so. */
class HeldWriter {
  readonly writes: { keys: string[]; resolve: () => void; reject: (error: Error) => void }[] = [];
  readonly write = (lists: readonly (readonly LogRecord[])[]): Promise<void> =>
    new Promise((resolve, reject) => {
      this.writes.push({ keys: lists.flat().map(({ key }) => key), resolve, reject });
    });
}

const settle = () => new Promise((resolve) => setImmediate(resolve));
const isKind = (kind: string) => (error: unknown) => error instanceof PersistError && error.kind === kind;

test('appends of one turn are one write, later ones wait for it and are the next', async () => {
  const writer = new HeldWriter();
  const outbox = new AppendOutbox(writer.write);
  const first = [outbox.append([named('a'), named('b')]), outbox.append([named('c')])];
  await settle();
  const second = [outbox.append([named('d')]), outbox.append([named('e')])];
  await settle();
  assert.deepEqual(
    writer.writes.map(({ keys }) => keys),
    [['a', 'b', 'c']],
  );
  writer.writes[0].resolve();
  await Promise.all(first);
  await settle();
  assert.deepEqual(writer.writes[1].keys, ['d', 'e']);
  writer.writes[1].resolve();
  await Promise.all(second);
  assert.equal(outbox.waitingBytes, 0);
});

test('nothing that waits goes past a write that failed, and the next call begins afresh', async () => {
  const writer = new HeldWriter();
  const outbox = new AppendOutbox(writer.write);
  const failing = assert.rejects(outbox.append([named('a')]), isKind('timeout'));
  await settle();
  const behind = [outbox.append([named('b')]), outbox.append([named('c')])].map((p) =>
    assert.rejects(p, isKind('behind')),
  );
  writer.writes[0].reject(new PersistError('timeout', 'late'));
  await Promise.all([failing, ...behind]);
  assert.equal(outbox.waitingBytes, 0);
  const again = outbox.append([named('a')]);
  await settle();
  assert.deepEqual(writer.writes[1].keys, ['a']);
  writer.writes[1].resolve();
  await again;
});

test('a full queue refuses at once and takes again when there is room', async () => {
  const writer = new HeldWriter();
  const outbox = new AppendOutbox(writer.write);
  const large = Array.from({ length: 128 }, (_, n) => named(`k${n}`, LOG_OUTBOX_BYTES_MAX / 128 - 100));
  const taken = outbox.append(large);
  await assert.rejects(outbox.append([named('x', 100000)]), isKind('full'));
  await settle();
  writer.writes[0].resolve();
  await taken;
  const next = outbox.append([named('x', 100000)]);
  await settle();
  writer.writes[1].resolve();
  await next;
});

test('an append larger than the queue goes when it is alone', async () => {
  const writer = new HeldWriter();
  const outbox = new AppendOutbox(writer.write);
  const large = Array.from({ length: 100 }, (_, n) => named(`k${n}`, LOG_RECORD_BYTES_MAX));
  assert.ok(100 * LOG_RECORD_BYTES_MAX > LOG_OUTBOX_BYTES_MAX);
  const taken = outbox.append(large);
  await settle();
  writer.writes[0].resolve();
  await taken;
});

test('what can never be written is refused without a write', async () => {
  const writer = new HeldWriter();
  const outbox = new AppendOutbox(writer.write);
  await assert.rejects(outbox.append([{ ...named('a'), topic: '' }]), isKind('rejected'));
  await assert.rejects(outbox.append([named('')]), isKind('rejected'));
  await assert.rejects(outbox.append([named('k'.repeat(LOG_KEY_BYTES_MAX + 1))]), isKind('rejected'));
  await assert.rejects(outbox.append([named('ä'.repeat(LOG_KEY_BYTES_MAX / 2 + 1))]), isKind('rejected'));
  await outbox.append([]);
  await settle();
  assert.equal(writer.writes.length, 0);
});

test('closing waits for what is written and rejects what waits when its time is over', async () => {
  const writer = new HeldWriter();
  const outbox = new AppendOutbox(writer.write);
  const first = outbox.append([named('a')]);
  await settle();
  const second = assert.rejects(outbox.append([named('b')]), isKind('closed'));
  await outbox.close(30);
  await second;
  writer.writes[0].resolve();
  await first;
  await assert.rejects(outbox.append([named('c')]), isKind('closed'));
});

test('appends that were refused together are written alone, so that none is refused for what another holds', async () => {
  const writer = new HeldWriter();
  const outbox = new AppendOutbox(writer.write);
  const refusal = new PersistError('rejected', 'too large');
  const first = outbox.append([named('a')]);
  const second = assert.rejects(outbox.append([named('large')]), isKind('rejected'));
  const third = assert.rejects(outbox.append([named('c')]), isKind('behind'));
  await settle();
  writer.writes[0].reject(refusal);
  await settle();
  writer.writes[1].resolve();
  await first;
  await settle();
  writer.writes[2].reject(refusal);
  await Promise.all([second, third]);
  assert.deepEqual(
    writer.writes.map(({ keys }) => keys),
    [['a', 'large', 'c'], ['a'], ['large']],
  );
  const again = [outbox.append([named('c')]), outbox.append([named('d')])];
  await settle();
  assert.deepEqual(writer.writes[3].keys, ['c', 'd'], 'and joined again from then on');
  writer.writes[3].resolve();
  await Promise.all(again);
  assert.equal(outbox.waitingBytes, 0);
});
