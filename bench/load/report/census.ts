// Does everybody see what there is to see? Everybody stands still; the generator knows where each of its clients says
// it is, and what each of them sees. Whoever is nearer than the view radius must be seen, where it is; whoever is
// farther than the leave radius must not. Between the two radii both are right. Entities that belong to no client of
// ours (bots, pillars) may be seen or not.

import { KNOWN_ENTITIES_MAX } from '../../../src/protocol/limits.js';

/** What one client sees, and how it came to know: anew from a Full frame, or by deltas since it joined. */
export interface Observation {
  client: number;
  source: 'full' | 'deltas';
  /** The client's own entity. */
  entityId: number;
  ids: Uint32Array;
  x: Float64Array;
  y: Float64Array;
}

export interface CensusRules {
  viewRadius: number;
  leaveRadius: number;
  quantum: number;
  /** Number of the zone at a place, where the server tells how the world is cut; null where not. */
  zoneAt: ((x: number, y: number) => number) | null;
}

export interface CensusReport {
  clients: number;
  /** Views that were compared; a client of the decoded sample has two. */
  views: number;
  pairsExpected: number;
  pairsSeen: number;
  missing: number;
  /** Of those missing, where observer and observed stand in different zones. */
  missingAcrossBorder: number;
  misplaced: number;
  beyondLeaveRadius: number;
  /** Clients whose own entity is not in their view. */
  blind: number;
  /** Views with more around them than one client is told of: only the nearest half must be seen. */
  crowded: number;
  visibleMean: number;
  mismatches: number;
  examples: string[];
}

const EXAMPLES_MAX = 8;
/** Float rounding on the server's side of a comparison, in quanta. */
const DISTANCE_TOLERANCE_QUANTA = 4;
const PLACE_TOLERANCE_QUANTA = 2;
/** In a crowd that is larger than what one client is told of, at least this many of the nearest must be seen. */
const NEAREST_MIN = KNOWN_ENTITIES_MAX / 2;

interface Place {
  client: number;
  entityId: number;
  x: number;
  y: number;
}

/** Clients by square of the world, so that a neighbourhood is found without looking at everybody. */
class PlaceGrid {
  private readonly cells = new Map<string, Place[]>();
  private readonly side: number;

  constructor(places: Iterable<Place>, side: number) {
    this.side = side;
    for (const place of places) {
      const key = this.keyAt(place.x, place.y, 0, 0);
      const cell = this.cells.get(key);
      if (cell === undefined) this.cells.set(key, [place]);
      else cell.push(place);
    }
  }

  /** Everybody within one side of a place, and some beyond. */
  around(x: number, y: number): Place[] {
    const found: Place[] = [];
    for (let column = -1; column <= 1; column++) {
      for (let row = -1; row <= 1; row++) found.push(...(this.cells.get(this.keyAt(x, y, column, row)) ?? []));
    }
    return found;
  }

  private keyAt(x: number, y: number, column: number, row: number): string {
    return `${Math.floor(x / this.side) + column},${Math.floor(y / this.side) + row}`;
  }
}

class Census {
  readonly report: CensusReport;
  private readonly rules: CensusRules;
  /** Nobody farther away can matter. */
  private readonly radius: number;
  private readonly places = new Map<number, Place>();
  private readonly grid: PlaceGrid;
  private visibleSum = 0;

  constructor(observations: readonly Observation[], rules: CensusRules) {
    this.rules = rules;
    this.report = emptyReport();
    for (const observation of observations) {
      if (observation.source === 'full') this.locate(observation);
    }
    this.radius = Math.max(rules.viewRadius, rules.leaveRadius);
    this.grid = new PlaceGrid(this.places.values(), this.radius);
    this.report.clients = this.places.size + this.report.blind;
    for (const observation of observations) this.judge(observation);
    this.report.visibleMean = this.report.views === 0 ? 0 : this.visibleSum / this.report.views;
  }

  private locate(observation: Observation): void {
    const index = observation.ids.indexOf(observation.entityId);
    if (index < 0) {
      this.report.blind += 1;
      this.tell(`client ${observation.client} does not see its own entity ${observation.entityId}`);
      return;
    }
    const { client, entityId } = observation;
    this.places.set(entityId, { client, entityId, x: observation.x[index], y: observation.y[index] });
  }

  private judge(observation: Observation): void {
    const self = this.places.get(observation.entityId);
    if (self === undefined) return;
    this.report.views += 1;
    this.visibleSum += observation.ids.length;
    this.judgeSeen(observation, self);
    this.judgeMissing(observation, self);
  }

  /** What is seen must be where it says it is, and near enough. */
  private judgeSeen(observation: Observation, self: Place): void {
    const { quantum, leaveRadius } = this.rules;
    for (let i = 0; i < observation.ids.length; i++) {
      const place = this.places.get(observation.ids[i]);
      if (place === undefined) continue;
      const error = Math.hypot(observation.x[i] - place.x, observation.y[i] - place.y);
      const distance = Math.hypot(place.x - self.x, place.y - self.y);
      if (error > PLACE_TOLERANCE_QUANTA * quantum) {
        this.report.misplaced += 1;
        this.tell(`${describe(observation, place)} ${error.toFixed(3)} units from where it is`);
      } else if (distance > leaveRadius + DISTANCE_TOLERANCE_QUANTA * quantum) {
        this.report.beyondLeaveRadius += 1;
        this.tell(`${describe(observation, place)} although it is ${distance.toFixed(3)} units away`);
      }
    }
  }

  private judgeMissing(observation: Observation, self: Place): void {
    const seen = new Set(observation.ids);
    const around = this.grid
      .around(self.x, self.y)
      .map((place) => ({ place, distance: Math.hypot(place.x - self.x, place.y - self.y) }))
      .filter(({ place, distance }) => place.entityId !== self.entityId && distance < this.radius);
    const limit = this.rules.viewRadius - DISTANCE_TOLERANCE_QUANTA * this.rules.quantum;
    let expected = around.filter(({ distance }) => distance < limit);
    if (around.length + 1 + countStrangers(observation, this.places) > KNOWN_ENTITIES_MAX) {
      this.report.crowded += 1;
      expected = expected.sort((a, b) => a.distance - b.distance).slice(0, NEAREST_MIN);
    }
    this.report.pairsExpected += expected.length;
    for (const { place, distance } of expected) {
      if (seen.has(place.entityId)) this.report.pairsSeen += 1;
      else this.tellMissing(observation, self, place, distance);
    }
  }

  private tellMissing(observation: Observation, self: Place, place: Place, distance: number): void {
    this.report.missing += 1;
    const { zoneAt } = this.rules;
    const from = zoneAt?.(self.x, self.y);
    const to = zoneAt?.(place.x, place.y);
    if (from !== to) this.report.missingAcrossBorder += 1;
    const border = from === to ? '' : `, across the border of zones ${from} and ${to}`;
    this.tell(`${describe(observation, place, 'does not see')} at ${distance.toFixed(3)} units${border}`);
  }

  private tell(example: string): void {
    this.report.mismatches += 1;
    if (this.report.examples.length < EXAMPLES_MAX) this.report.examples.push(example);
  }
}

function describe(observation: Observation, place: Place, verb = 'sees'): string {
  const how = observation.source === 'full' ? '' : ' (by deltas)';
  return `client ${observation.client}${how} ${verb} client ${place.client}`;
}

function countStrangers(observation: Observation, places: ReadonlyMap<number, Place>): number {
  return observation.ids.reduce((count, id) => count + (places.has(id) ? 0 : 1), 0);
}

function emptyReport(): CensusReport {
  return {
    clients: 0,
    views: 0,
    pairsExpected: 0,
    pairsSeen: 0,
    missing: 0,
    missingAcrossBorder: 0,
    misplaced: 0,
    beyondLeaveRadius: 0,
    blind: 0,
    crowded: 0,
    visibleMean: 0,
    mismatches: 0,
    examples: [],
  };
}

export function compareCensus(observations: readonly Observation[], rules: CensusRules): CensusReport {
  return new Census(observations, rules).report;
}
