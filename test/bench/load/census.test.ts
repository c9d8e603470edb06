import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type CensusRules, compareCensus, type Observation } from '../../../bench/load/report/census.js';
import { createRandom } from '../../../src/base/chance.js';
import { KNOWN_ENTITIES_MAX } from '../../../src/protocol/limits.js';

const RULES: CensusRules = { viewRadius: 24, leaveRadius: 27, quantum: 1 / 64, zoneAt: null };
const SEED = 17;

interface Place {
  id: number;
  x: number;
  y: number;
}

function randomPlaces(count: number, side: number, seed: number): Place[] {
  const random = createRandom(seed);
  return Array.from({ length: count }, (_, index) => ({ id: 1000 + index, x: random() * side, y: random() * side }));
}

function observe(
  client: number,
  self: Place,
  seen: readonly Place[],
  source: Observation['source'] = 'full',
): Observation {
  return {
    client,
    source,
    entityId: self.id,
    ids: Uint32Array.from(seen, (place) => place.id),
    x: Float64Array.from(seen, (place) => place.x),
    y: Float64Array.from(seen, (place) => place.y),
  };
}

/** What an honest server would tell everybody. */
function honest(places: readonly Place[], radius = RULES.viewRadius): Observation[] {
  return places.map((self, client) =>
    observe(
      client,
      self,
      places.filter((place) => Math.hypot(place.x - self.x, place.y - self.y) < radius),
    ),
  );
}

test('what an honest server shows is found right, and every pair in view is counted', () => {
  const places = randomPlaces(300, 200, SEED);
  const pairs = honest(places).reduce((count, { ids }) => count + ids.length - 1, 0);
  const report = compareCensus(honest(places), RULES);
  assert.equal(report.mismatches, 0, report.examples.join('\n'));
  assert.equal(report.clients, 300);
  // Those within the tolerance of the radius are not demanded.
  assert.ok(
    report.pairsExpected > pairs * 0.98 && report.pairsExpected <= pairs,
    `${report.pairsExpected} of ${pairs}`,
  );
  assert.equal(report.pairsSeen, report.pairsExpected);
});

test('what stands between the two radii may be seen or not', () => {
  const places = randomPlaces(300, 200, SEED + 1);
  assert.equal(compareCensus(honest(places, RULES.leaveRadius), RULES).mismatches, 0);
});

test('everyone that is not seen is found, against any smaller radius', () => {
  const places = randomPlaces(300, 200, SEED + 2);
  const report = compareCensus(honest(places, RULES.viewRadius - 2), RULES);
  assert.ok(report.missing > 0);
  assert.equal(report.missing, report.pairsExpected - report.pairsSeen);
  assert.equal(report.mismatches, report.missing);
  assert.match(report.examples[0], /^client \d+ does not see client \d+ at 2[23]\.\d+ units$/);
});

test('one single missing entity in many is found', () => {
  const places = randomPlaces(300, 200, SEED + 3);
  const observations = honest(places);
  const victim = observations.find(({ ids }) => ids.length > 3)!;
  const others = places.filter((place) => victim.ids.includes(place.id) && place.id !== victim.entityId);
  const near = others.filter(
    (place) => Math.hypot(place.x - places[victim.client].x, place.y - places[victim.client].y) < 23,
  );
  const blinded = observe(
    victim.client,
    places[victim.client],
    places.filter((place) => victim.ids.includes(place.id) && place.id !== near[0].id),
  );
  observations[victim.client] = blinded;
  assert.equal(compareCensus(observations, RULES).missing, 1);
});

test('what is not seen across a border is told apart', () => {
  const west = { id: 1, x: 95, y: 50 };
  const east = { id: 2, x: 105, y: 50 };
  const far = { id: 3, x: 90, y: 50 };
  const rules = { ...RULES, zoneAt: (x: number) => (x < 100 ? 0 : 1) };
  const report = compareCensus(
    [observe(0, west, [west]), observe(1, east, [east]), observe(2, far, [far, west])],
    rules,
  );
  assert.equal(report.missing, 5);
  assert.equal(report.missingAcrossBorder, 4);
  assert.match(report.examples[0], /across the border of zones 0 and 1/);
});

test('an entity in a wrong place, or far beyond the radius, is found', () => {
  const a = { id: 1, x: 10, y: 10 };
  const b = { id: 2, x: 20, y: 10 };
  const c = { id: 3, x: 40, y: 10 };
  const report = compareCensus(
    [observe(0, a, [a, { ...b, x: 20.2 }, c]), observe(1, b, [a, b, c]), observe(2, c, [b, c])],
    RULES,
  );
  assert.equal(report.misplaced, 1);
  assert.equal(report.beyondLeaveRadius, 1);
  assert.equal(report.mismatches, 2);
});

test('a client that does not see itself is blind', () => {
  const a = { id: 1, x: 10, y: 10 };
  const report = compareCensus([observe(0, a, [])], RULES);
  assert.equal(report.blind, 1);
  assert.equal(report.clients, 1);
  assert.equal(report.mismatches, 1);
});

test('a view that was kept up by deltas is held against where everybody is', () => {
  const a = { id: 1, x: 10, y: 10 };
  const b = { id: 2, x: 20, y: 10 };
  const drifted = observe(0, a, [a, { ...b, y: 14 }], 'deltas');
  const report = compareCensus([...honest([a, b]), drifted], RULES);
  assert.equal(report.views, 3);
  assert.equal(report.misplaced, 1);
  assert.match(report.examples[0], /client 0 \(by deltas\) sees client 1 4\.000 units from where it is/);
});

test('entities that belong to no client are nobody to miss', () => {
  const a = { id: 1, x: 10, y: 10 };
  assert.equal(compareCensus([observe(0, a, [a, { id: 99, x: 500, y: 500 }])], RULES).mismatches, 0);
});

test('in a crowd larger than what a client is told of, the nearest half must be seen', () => {
  const crowd = randomPlaces(KNOWN_ENTITIES_MAX + 100, 10, SEED + 4);
  const nearest = (self: Place, count: number): Place[] =>
    [...crowd]
      .sort((a, b) => Math.hypot(a.x - self.x, a.y - self.y) - Math.hypot(b.x - self.x, b.y - self.y))
      .slice(0, count);
  const told = crowd.map((self, client) => observe(client, self, nearest(self, KNOWN_ENTITIES_MAX)));
  const report = compareCensus(told, RULES);
  assert.equal(report.mismatches, 0, report.examples.join('\n'));
  assert.equal(report.crowded, crowd.length);
  const tooFew = crowd.map((self, client) => observe(client, self, nearest(self, KNOWN_ENTITIES_MAX / 4)));
  assert.ok(compareCensus(tooFew, RULES).missing > 0);
});
