// Who a player of a test is unless the test says so: the same in every run.

import type { Identity } from '../game/life.js';

export function testIdentity(number: number): Identity {
  const digits = number.toString(16).padStart(12, '0');
  return { playerId: `00000000-0000-4000-8000-${digits}`, name: `player ${number}`, claims: {} };
}
