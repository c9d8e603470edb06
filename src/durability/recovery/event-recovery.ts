// Recovery from events: without a journal, the log still knows what happened to the entities of a snapshot. The game says
// what an event did (applyEvent); this file says which events those are.
//
// A log may hold events of other worlds, whose entities have the same names. So an event counts only if its session is known
// to be this world's: the snapshot's own, or a later one that another zone's snapshot of this world comes from.

import type { Log } from '../../base/log.js';
import { isUuid } from '../../base/uuid.js';
import { engineColumnsOf } from '../../engine/entities/columns.js';
import { wireIdOfKey } from '../../engine/entities/entity-key.js';
import type { WorldPlan } from '../../engine/plan/world-plan.js';
import type { EngineZone } from '../../engine/zone/zone.js';
import { createZoneParts } from '../../engine/zone/zone-parts.js';
import type { GameDefinition } from '../../game/definition.js';
import { RecordRing } from '../../memory/rings/record-ring.js';
import { COUNTER_COUNT } from '../../memory/tables/zone-counters.js';
import { LIVE_BLOCK, WorldBuffer } from '../../memory/world/world-buffer.js';
import { SCALAR_ROW_LIMIT } from '../../memory/world/world-layout.js';
import type { EventLog } from '../../stores/store-ports.js';
import { entityName } from '../entity-name.js';
import { type LoggedEvent, type ReadingLimits, readLoggedEvents } from '../events/logged-events.js';
import type { SnapshotHeader } from '../snapshots/zone-snapshot.js';
import { EVENTS_MARGIN_MS, EVENTS_MAX, EVENTS_READ_MS_MAX } from './limits.js';

/** `waitMs`: how long a silent log is waited for. */
export function eventLimits(waitMs: number): ReadingLimits {
  return { waitMs, readMs: EVENTS_READ_MS_MAX, eventsMax: EVENTS_MAX };
}

export interface EventsReport {
  /** Events. */
  applied: number;
  /** Entities that came after the snapshots: counted, not made up from events. */
  unknown: number;
}

export interface EventRecovery {
  plan: WorldPlan;
  game: GameDefinition;
  /** By zone, the snapshot that its world was filled with. */
  bases: readonly (SnapshotHeader | undefined)[];
  eventLog: EventLog;
  limits: ReadingLimits;
  skip: (reason: string) => void;
  log: Log;
}

export interface AppliedEvents {
  report: EventsReport;
  /** Of the last one applied; 0 for none. */
  tick: number;
}

/** Undefined: the log could not be read. Changes are in the live blocks, not committed. */
export async function recoverEvents(task: EventRecovery): Promise<AppliedEvents | undefined> {
  const { plan, game, bases, eventLog, limits, skip, log } = task;
  const zoneOfKey = findZones(plan);
  const unknown = new Set<number>();
  const isWanted = (event: LoggedEvent): boolean => {
    const home = zoneOfKey.get(event.key);
    const isLater = isSince(event, home ?? event.zone, bases);
    if (isLater && home === undefined && event.key !== 0) unknown.add(event.key); // 0: about nobody
    return isLater && home !== undefined;
  };
  const query = {
    names: game.events,
    forms: game.eventForms ?? {},
    sinceMs: beganMs(bases, plan.settings.tickHz) - EVENTS_MARGIN_MS,
    isWanted,
    limits,
    onNotice: (line: string) => log.info({}, `recovery: ${line}`),
  };
  try {
    const { events, cutOff } = await readLoggedEvents(eventLog, query);
    if (cutOff !== undefined) skip(`not all events since the snapshot are applied: ${cutOff}`);
    const { applied, tick } = applyAll(task, events, zoneOfKey);
    const missing = unknown.size === 0 ? '' : `; ${unknown.size} entities that came after it are not there`;
    log.info({}, `recovery: ${applied} events since the snapshot are applied${missing}`);
    return { report: { applied, unknown: unknown.size }, tick };
  } catch (error) {
    skip(`the event log: ${(error as Error).message}; what happened since the snapshot is left out`);
    return undefined;
  }
}

function findZones({ worlds, layout }: WorldPlan): Map<number, number> {
  const zones = new Map<number, number>();
  for (const [zone, buffer] of worlds.entries()) {
    const live = new WorldBuffer(buffer, layout).blocks[LIVE_BLOCK];
    const { alive, key } = engineColumnsOf(live);
    for (let row = 0; row < live.scalars[SCALAR_ROW_LIMIT]; row++) {
      if (alive[row] !== 0) zones.set(key[row], zone);
    }
  }
  return zones;
}

/** Whether it happened in this world, and after the snapshot of the zone. */
function isSince({ epoch, tick }: LoggedEvent, zone: number, bases: EventRecovery['bases']): boolean {
  const base = bases[zone];
  if (base === undefined) return false;
  if (epoch === base.epoch) return tick > base.tick;
  const { worldId = '' } = base;
  if (epoch < base.epoch || !isUuid(worldId)) return false;
  return bases.some((other) => other?.epoch === epoch && other.worldId === worldId);
}

/** When the oldest snapshot was taken, by the wall clock or by ticks, whichever is earlier: an epoch is the time of tick 0. */
function beganMs(bases: EventRecovery['bases'], tickHz: number): number {
  return Math.min(...bases.flatMap((base) => (base ? [base.takenAtMs, base.epoch + (base.tick * 1000) / tickHz] : [])));
}

function applyAll(
  task: EventRecovery,
  events: readonly LoggedEvent[],
  zoneOfKey: ReadonlyMap<number, number>,
): { applied: number; tick: number } {
  const byZone = task.plan.worlds.map((): LoggedEvent[] => []);
  for (const event of events) byZone[zoneOfKey.get(event.key) as number].push(event);
  let applied = 0;
  let tick = 0;
  for (const [zone, ofZone] of byZone.entries()) {
    // Zone by zone is enough: no entity changes zones while events are applied.
    const done = ofZone.length === 0 ? 0 : applyToZone(task, zone, ofZone);
    applied += done;
    for (const event of ofZone) tick = Math.max(tick, event.tick);
  }
  return { applied, tick };
}

/** Returns how many. */
function applyToZone({ plan, game, skip }: EventRecovery, zoneId: number, events: readonly LoggedEvent[]): number {
  const ring = new RecordRing(plan.events[zoneId]);
  const { zone } = createZoneParts(plan, zoneId, game, ring, new Float64Array(COUNTER_COUNT));
  zone.emit = () => {
    throw new Error('it emits an event');
  };
  let applied = 0;
  for (const { type, tick, key, otherKey, a, b } of events) {
    const row = rowOf(zone, key);
    if (row < 0) continue; // despawned by an event before this one
    try {
      const otherRow = otherKey === undefined ? -1 : rowOf(zone, otherKey);
      game.applyEvent?.(zone, row, { type, tick, a, b, otherRow });
      applied++;
    } catch (error) {
      const what = `'${game.events[type]}' of entity ${entityName(key)} at tick ${tick}`;
      skip(
        `applyEvent fails at ${what}: ${(error as Error).message}; the events of zone ${zoneId} from there on are left out`,
      );
      break;
    }
  }
  return applied;
}

function rowOf(zone: EngineZone, key: number): number {
  const row = zone.rowOfId[wireIdOfKey(key)] - 1;
  return row >= 0 && zone.alive[row] !== 0 && zone.engine.key[row] === key ? row : -1;
}
