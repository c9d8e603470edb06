import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRandom } from '../../../src/base/chance.js';
import { EventEncoder } from '../../../src/durability/events/event-encoder.js';
import { parseTrusted } from '../../../src/protocol/plain/plain-codec.js';

const SEED = Number(process.env.TESSERA_SEED ?? 1);
const NUMBERS = [0, 1, 127, 128, 255, 256, 65535, 65536, 2 ** 31, 2 ** 32 - 1];
const VALUES = [...NUMBERS, 2 ** 32, 2 ** 53 - 1, 2 ** 53, -1, -(2 ** 31), -(2 ** 40), 0.1, -3.5, 1e300, Infinity];

const FORMS = [
  {},
  { a: 'x', b: 'y' },
  { other: 'by' },
  { other: 'n'.repeat(40), a: 'ä'.repeat(300), b: 'schön' },
  { b: 'huge'.repeat(20000) },
];

test('whatever an event holds, a MessagePack library reads it as it was', () => {
  const random = createRandom(SEED);
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)];
  for (const [i, form] of FORMS.entries()) {
    for (const epoch of [0, 5, 1_795_257_628_925]) {
      const type = ['died', 't'.repeat(100), 'größe'][i % 3];
      const encoder = new EventEncoder(type, form, epoch);
      for (let round = 0; round < 400; round++) {
        const values = {
          zoneId: pick([0, 9, 10, 63]),
          tick: pick(NUMBERS.filter((value) => value < 2 ** 31)),
          position: pick(NUMBERS),
          aggregateId: pick(['0.0', '8388607.511']),
          occurredAt: pick([0, 1_001_000, 1_795_257_628_925]),
          other: pick(['9.0', '8388607.511']),
          a: pick(VALUES),
          b: pick(VALUES),
        };
        const { zoneId, tick, position, aggregateId, occurredAt } = values;
        const payload: Record<string, string | number> = {};
        if ('other' in form) payload[form.other as string] = values.other;
        if ('a' in form) payload[form.a as string] = values.a;
        if ('b' in form) payload[form.b as string] = values.b;
        assert.deepEqual(
          parseTrusted('msgpack', encoder.encode(values)),
          {
            eventId: `${zoneId}-${epoch}-${tick}-${position}`,
            type,
            aggregateId,
            zoneId,
            tick,
            occurredAt,
            version: 1,
            payload,
          },
          `TESSERA_SEED=${SEED}`,
        );
      }
    }
  }
});

test('events that were encoded before keep their bytes', () => {
  const encoder = new EventEncoder('moved', { a: 'x' }, 7);
  const common = { zoneId: 1, position: 0, aggregateId: '1.0', occurredAt: 5, other: '', b: 0 };
  const encoded = Array.from({ length: 5000 }, (_, tick) => encoder.encode({ ...common, tick, a: tick / 2 }));
  for (const [tick, bytes] of encoded.entries()) {
    const event = parseTrusted('msgpack', bytes) as { eventId: string; payload: { x: number } };
    assert.deepEqual([event.eventId, event.payload.x], [`1-7-${tick}-0`, tick / 2]);
  }
});
