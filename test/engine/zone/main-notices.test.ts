import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MainNotices } from '../../../src/engine/zone/main-notices.js';
import { FRAME_BODY, FROM_ZONE_GRANTED, FROM_ZONE_REJECT } from '../../../src/memory/records/thread-records.js';
import { ByteRing } from '../../../src/memory/rings/byte-ring.js';
import { ClientTable } from '../../../src/memory/tables/client-table.js';

function stage(most: number) {
  const buffer = ByteRing.create(1024);
  const [zone, main] = [new ByteRing(buffer), new ByteRing(buffer)];
  const notices = new MainNotices(zone, new ClientTable(ClientTable.create(4), 4), most);
  const read = (): number[] => {
    zone.publish();
    const requests: number[] = [];
    while (main.next()) {
      requests.push(main.view.getUint32(main.offset + FRAME_BODY, true));
      main.release();
    }
    return requests;
  };
  return { notices, read };
}

test('a notice that finds no room is said later, in its order; a rejection is not', () => {
  const { notices, read } = stage(4);
  let told = 0;
  while (!notices.isFull) {
    notices.tell(0, FROM_ZONE_GRANTED, told++, 0, 0);
    assert.ok(told < 100);
  }
  notices.tell(0, FROM_ZONE_REJECT, 999, 0, 0);
  const heard = read();
  assert.deepEqual(
    heard,
    Array.from({ length: told - 4 }, (_, i) => i),
  );
  notices.retry();
  assert.ok(!notices.isFull);
  assert.deepEqual(
    [...heard, ...read()],
    Array.from({ length: told }, (_, i) => i),
  );
});
