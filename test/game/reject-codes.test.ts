import assert from 'node:assert/strict';
import { test } from 'node:test';
import { REJECT_CODE_COUNT, RejectCode, rejectName, rejectReason } from '../../src/game/reject-codes.js';

test('every reject code of the schema has a name and its own words', () => {
  const codes = Object.values(RejectCode).filter((value) => typeof value === 'number');
  assert.equal(codes.length, REJECT_CODE_COUNT);
  assert.equal(Math.max(...codes), REJECT_CODE_COUNT - 1);
  assert.equal(new Set(codes.map(rejectReason)).size, REJECT_CODE_COUNT);
  assert.equal(rejectName(RejectCode.OutOfRange), 'OutOfRange');
});

test('a code from a newer server still reads as something', () => {
  assert.equal(rejectName(999), 'Code999');
  assert.equal(rejectReason(999), 'code 999');
});
