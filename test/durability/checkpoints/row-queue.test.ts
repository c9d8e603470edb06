import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRandom } from '../../../src/base/chance.js';
import { type RowBatch, RowQueue } from '../../../src/durability/checkpoints/row-queue.js';

function bytes(n: number, length = 1): Uint8Array {
  return new Uint8Array(length).fill(n);
}

function firsts({ values }: RowBatch): number[] {
  return values.map((value) => value[0]);
}

test('a row that changes again waits once, in its old place, with its newest value', () => {
  const queue = new RowQueue();
  queue.put(1, bytes(10));
  queue.put(2, bytes(20));
  queue.put(1, bytes(11));
  assert.equal(queue.length, 2);
  const batch = queue.take(10, 1000)!;
  assert.deepEqual([batch.keys, firsts(batch), batch.isDelete], [[1, 2], [11, 20], false]);
  assert.equal(queue.take(10, 1000), undefined);
});

test('a batch is bounded by rows and by bytes, and one row is always taken', () => {
  const queue = new RowQueue();
  for (let key = 0; key < 10; key++) queue.put(key, bytes(key, 100));
  assert.deepEqual(queue.take(3, 10_000)!.keys, [0, 1, 2]);
  assert.deepEqual(queue.take(100, 250)!.keys, [3, 4]);
  assert.deepEqual(queue.take(100, 1)!.keys, [5]);
  assert.equal(queue.length, 4);
});

test('what is given back stands at the head again, in its order, and newer values take the place of older ones', () => {
  const queue = new RowQueue();
  for (const key of [1, 2, 3, 4]) queue.put(key, bytes(key));
  const batch = queue.take(3, 1000)!;
  queue.put(2, bytes(22));
  queue.put(5, bytes(5));
  queue.giveBack(batch);
  assert.equal(queue.length, 5);
  const again = queue.take(10, 1000)!;
  assert.deepEqual(
    [again.keys, firsts(again)],
    [
      [1, 2, 3, 4, 5],
      [1, 22, 3, 4, 5],
    ],
  );
});

test('a row is deleted only if the table may have it', () => {
  const queue = new RowQueue();
  queue.put(1, bytes(1));
  queue.delete(1);
  assert.equal(queue.length, 0, 'it never left');
  queue.put(2, bytes(2));
  const failed = queue.take(10, 1000)!;
  queue.delete(2);
  queue.giveBack(failed); // nobody knows whether it was written
  const deletion = queue.take(10, 1000)!;
  assert.deepEqual([deletion.isDelete, deletion.keys], [true, [2]]);
  queue.written(deletion);
  queue.delete(2);
  assert.equal(queue.length, 0, 'it is gone already');
  queue.noteStored(3);
  queue.delete(3);
  assert.deepEqual(queue.take(10, 1000)!.keys, [3]);
});

test('rows to put and rows to delete go in batches of their own', () => {
  const queue = new RowQueue();
  for (const key of [1, 2, 3]) queue.noteStored(key);
  queue.put(1, bytes(1));
  queue.delete(2);
  queue.delete(3);
  queue.put(4, bytes(4));
  queue.delete(1); // turns around: behind the others, where no batch is cut by it
  const sorts = [queue.take(9, 99)!, queue.take(9, 99)!, queue.take(9, 99)!].map(({ keys, isDelete }) => [
    isDelete,
    keys,
  ]);
  assert.deepEqual(sorts, [
    [true, [2, 3]],
    [false, [4]],
    [true, [1]],
  ]);
});

for (const seed of [1, 2, 3, 4]) {
  test(`whatever is done late, the table ends with the newest of every row once that is stated again, seed ${seed}`, () => {
    const random = createRandom(seed);
    const queue = new RowQueue();
    const wanted = new Map<number, number>();
    const table = new Map<number, number>();
    const late: RowBatch[] = [];
    const apply = ({ isDelete, keys, values }: RowBatch): void => {
      for (const [i, key] of keys.entries()) {
        if (isDelete) table.delete(key);
        else table.set(key, values[i][0]);
      }
    };
    const applyLate = (share: number): void => {
      for (const batch of late.splice(0)) {
        if (random() < share) apply(batch);
        else late.push(batch);
      }
    };
    const write = (failing: number): boolean => {
      const batch = queue.take(1 + Math.floor(random() * 5), 1000);
      if (batch === undefined) return false;
      if (random() < failing) {
        late.push(batch);
        queue.giveBack(batch);
        queue.doubt(batch);
      } else {
        apply(batch);
        queue.written(batch);
      }
      return true;
    };
    const change = (): void => {
      const key = Math.floor(random() * 30);
      if (random() < 0.6) {
        const value = Math.floor(random() * 256);
        wanted.set(key, value);
        queue.put(key, bytes(value));
      } else {
        wanted.delete(key);
        queue.delete(key);
      }
    };
    for (let round = 0; round < 50; round++) {
      for (let step = 0; step < 100; step++) {
        if (random() < 0.5) change();
        else write(0.5);
        if (random() < 0.1) applyLate(0.3);
      }
      applyLate(1);
      queue.restate();
      for (let step = 0; step < 20; step++) change();
      while (write(0));
      assert.deepEqual([...table].sort(), [...wanted].sort(), `seed ${seed} round ${round}`);
      assert.ok(!queue.isInDoubt);
    }
  });

  test(`whatever fails, the table ends with the newest of every row, seed ${seed}`, () => {
    const random = createRandom(seed);
    const queue = new RowQueue();
    const wanted = new Map<number, number>();
    const table = new Map<number, number>();
    const apply = (batch: RowBatch): void => {
      for (const [i, key] of batch.keys.entries()) {
        if (batch.isDelete) table.delete(key);
        else table.set(key, batch.values[i][0]);
      }
    };
    let underWay: RowBatch | undefined;
    for (let step = 0; step < 5000; step++) {
      const key = Math.floor(random() * 30);
      const chance = random();
      if (chance < 0.4) {
        const value = Math.floor(random() * 256);
        wanted.set(key, value);
        queue.put(key, bytes(value));
      } else if (chance < 0.6) {
        wanted.delete(key);
        queue.delete(key);
      } else if (underWay === undefined) {
        underWay = queue.take(1 + Math.floor(random() * 5), 1000);
      } else {
        const outcome = random();
        if (outcome < 0.7) apply(underWay); // of a write that failed nobody knows whether it was done
        if (outcome < 0.5) queue.written(underWay);
        else queue.giveBack(underWay);
        underWay = undefined;
      }
      assert.ok(queue.length <= 30, `seed ${seed} step ${step}: bounded by the rows there are`);
    }
    if (underWay !== undefined) queue.giveBack(underWay);
    for (let batch = queue.take(7, 1000); batch !== undefined; batch = queue.take(7, 1000)) {
      apply(batch);
      queue.written(batch);
    }
    assert.deepEqual([...table].sort(), [...wanted].sort(), `seed ${seed}`);
  });
}
