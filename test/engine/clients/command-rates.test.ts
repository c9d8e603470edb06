import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CommandRates } from '../../../src/engine/clients/command-rates.js';
import type { EngineZone } from '../../../src/engine/zone/zone.js';

const CLIENTS = 3;
const COMMANDS = 2;

function stage(tickHz = 10) {
  const zone = { tick: 1, dt: 1 / tickHz };
  return { zone, rates: new CommandRates(zone as EngineZone, CLIENTS, COMMANDS) };
}

function spendAll(rates: CommandRates, client: number, slot: number, perSecond: number): number {
  let spent = 0;
  while (spent < 100 && rates.spend(client, slot, perSecond)) spent++;
  return spent;
}

test('a client has so many commands in a tick, and as many in the next', () => {
  const { zone, rates } = stage();
  const count = (): boolean[] => [1, 2, 3, 4].map(() => rates.count(1, 3));
  assert.deepEqual(count(), [true, true, true, false]);
  assert.equal(rates.count(2, 3), true, 'another client has its own');
  zone.tick++;
  assert.deepEqual(count(), [true, true, true, false]);
});

test('a bucket begins full, holds one second, and time fills it', () => {
  const { zone, rates } = stage(8);
  assert.equal(spendAll(rates, 1, 1, 4), 4);
  zone.tick++;
  assert.equal(spendAll(rates, 1, 1, 4), 0, 'half of one');
  zone.tick++;
  assert.equal(spendAll(rates, 1, 1, 4), 1);
  zone.tick += 6;
  assert.equal(spendAll(rates, 1, 1, 4), 3);
  zone.tick += 8000;
  assert.equal(spendAll(rates, 1, 1, 4), 4, 'a long rest earns no more than a second');
});

test('each client has a bucket for each command', () => {
  const { rates } = stage();
  for (let client = 0; client < CLIENTS; client++) {
    for (let slot = 0; slot < COMMANDS; slot++) assert.equal(spendAll(rates, client, slot, 2), 2);
  }
});

test('a rate below one per second gives one, and the next after its time', () => {
  const { zone, rates } = stage(8);
  assert.equal(spendAll(rates, 0, 0, 0.5), 1);
  zone.tick += 15;
  assert.equal(spendAll(rates, 0, 0, 0.5), 0);
  zone.tick++;
  assert.equal(spendAll(rates, 0, 0, 0.5), 1);
});
