// What all threads agree on about the world, derived once from settings and game: buffers, areas, who runs what. It is
// plain data and shared buffers, so that it can be handed to a worker as it is.

import type { Area } from '../../base/area.js';
import { assert } from '../../base/assert.js';
import type { Settings } from '../../config/settings.js';
import type { GameDefinition } from '../../game/definition.js';
import type { CellPlan } from '../../memory/cells/cell-plan.js';
import {
  ARRIVAL_RING_RECORDS,
  COMMAND_RECORD_BYTES,
  COMMAND_RING_RECORDS,
  EVENT_RECORD_BYTES,
  EVENT_RING_RECORDS,
  FRAME_RING_BYTES,
  JOURNAL_RING_BYTES,
  JOURNAL_RING_BYTES_MIN,
  LARGE_RINGS_ZONES_MAX,
  POSTS_MAX,
  TEXT_COMMAND_RECORD_BYTES,
  TEXT_COMMAND_RING_RECORDS,
} from '../../memory/limits.js';
import { ByteRing } from '../../memory/rings/byte-ring.js';
import { RecordRing } from '../../memory/rings/record-ring.js';
import { BroadcastLog, HeardTable } from '../../memory/tables/broadcast-log.js';
import { ClientTable } from '../../memory/tables/client-table.js';
import { IdentityTable } from '../../memory/tables/identity-table.js';
import { IoCounters } from '../../memory/tables/io-counters.js';
import { LiveLimits } from '../../memory/tables/live-limits.js';
import { NoteTable } from '../../memory/tables/note-table.js';
import { ThreadControl } from '../../memory/tables/thread-control.js';
import { WorldBuffer } from '../../memory/world/world-buffer.js';
import { layOutWorld, type WorldLayout } from '../../memory/world/world-layout.js';
import { handoffRecordBytes, handoffRingRecords } from '../borders/handoff.js';
import { cutWorld, neighboursOf } from '../borders/mirrors.js';
import { arrivalRecordBytes } from '../clients/arrival.js';
import { placeComponents, specifyColumns } from '../entities/columns.js';
import { LEAVE_RADIUS_FACTOR } from '../replication/limits.js';
import { planCells, specifyCells } from './plan-cells.js';

/** World units per step of a position on the wire. */
export const POSITION_QUANTUM = 1 / 32;

export interface WorldPlan {
  settings: Settings;
  layout: WorldLayout;
  /** Undefined: the whole world is in memory. */
  cells: CellPlan | undefined;
  ownCapacity: number;
  areas: Area[];
  leaveRadius: number;
  worlds: SharedArrayBuffer[];
  /** Main's own words to each zone, which no flood of commands can hold up. */
  words: SharedArrayBuffer[];
  commands: SharedArrayBuffer[];
  events: SharedArrayBuffer[];
  /** What entered each zone, for the I/O thread to keep. */
  journals: SharedArrayBuffer[];
  /** By source zone, then target zone. */
  handoffs: (SharedArrayBuffer | undefined)[][];
  /** By zone: players who come in as they were stored, from main. */
  arrivals: SharedArrayBuffer[];
  clients: SharedArrayBuffer;
  /** Who they are. */
  identities: SharedArrayBuffer;
  /** Undefined: the game tells clients nothing. */
  notes: SharedArrayBuffer | undefined;
  /** By zone: what it tells clients of others. Empty where the game tells nothing. */
  broadcasts: SharedArrayBuffer[];
  /** How much of those each client has heard. */
  heard: SharedArrayBuffer | undefined;
  /** By thread. */
  zonesOfThread: number[][];
  frames: SharedArrayBuffer[];
  controls: SharedArrayBuffer[];
  io: SharedArrayBuffer;
  limits: SharedArrayBuffer;
  /** Milliseconds since the epoch at which tick 0 was due. */
  originMs: number;
  /** Names this session, and ascends from one to the next: part of the names of events, snapshots and journals. */
  epoch: number;
}

function roundUp(value: number, multiple: number): number {
  return Math.ceil(value / multiple) * multiple;
}

/** Rows of a zone that mirror its neighbours' entities, and the shared record. */
export function mirrorCapacityOf(ownCapacity: number, zoneCount: number, hasShared: boolean): number {
  if (zoneCount === 1) return hasShared ? 64 : 0;
  return roundUp(Math.max(1024, ownCapacity / 4), 64);
}

/** The only zone of a world without borders. */
export function layOutLoneZone(game: GameDefinition, ownCapacity: number): WorldLayout {
  const rows = ownCapacity + mirrorCapacityOf(ownCapacity, 1, game.shared !== undefined);
  return layOutWorld(specifyColumns(game.fields, game), rows, undefined, postsOf(game), placeComponents(game));
}

/** A zone's own, and what others send. */
function postsOf({ messages }: GameDefinition): number {
  return messages === undefined ? 0 : 2 * POSTS_MAX;
}

/** Room for two words about every client: all of them attach at once when a thread is replaced. */
function wordRecords(clientsMax: number): number {
  return 2 ** Math.ceil(Math.log2(2 * clientsMax + 64));
}

function ringShare(zoneCount: number, size: number): number {
  return zoneCount <= LARGE_RINGS_ZONES_MAX ? size : size / 8;
}

/** Seconds of what enters a zone that is full of players. */
function journalRingBytes(zoneCount: number, flushMs: number): number {
  if (flushMs === 0) return JOURNAL_RING_BYTES_MIN;
  return ringShare(zoneCount, JOURNAL_RING_BYTES);
}

/** By target zone: what one zone sends to it. */
function planHandoffs(
  { zoneColumns, zoneRows }: Settings,
  source: number,
  recordBytes: number,
  hasMessages: boolean,
): (SharedArrayBuffer | undefined)[] {
  const zoneCount = zoneColumns * zoneRows;
  const neighbours = new Set(neighboursOf(source, zoneColumns, zoneRows));
  return Array.from({ length: zoneCount }, (_, target) => {
    if (target === source) return undefined;
    return RecordRing.create(handoffRingRecords(zoneCount, hasMessages, neighbours.has(target)), recordBytes);
  });
}

export function planWorld(settings: Settings, game: GameDefinition, threadCount: number, originMs: number): WorldPlan {
  const zoneCount = settings.zoneColumns * settings.zoneRows;
  assert(threadCount >= 1 && threadCount <= zoneCount, 'every thread has a zone', threadCount);
  const ownCapacity = roundUp(settings.entitiesPerZone, 64);
  const rowCapacity = ownCapacity + mirrorCapacityOf(ownCapacity, zoneCount, game.shared !== undefined);
  const columns = specifyColumns(game.fields, game);
  const layout = layOutWorld(
    columns,
    rowCapacity,
    specifyCells(settings, game, columns),
    postsOf(game),
    placeComponents(game),
  );
  const zones = Array.from({ length: zoneCount }, (_, zone) => zone);
  const hasTexts = game.commands.some(({ payload }) => payload.some(({ textBytes }) => textBytes !== undefined));
  const commandBytes = hasTexts ? TEXT_COMMAND_RECORD_BYTES : COMMAND_RECORD_BYTES;
  const recordBytes = handoffRecordBytes(layout.columns, commandBytes);
  const zonesOfThread: number[][] = Array.from({ length: threadCount }, () => []);
  // Neighbouring numbers on one thread: fewer borders between threads.
  for (const zone of zones) {
    zonesOfThread[Math.floor((zone * threadCount) / zoneCount)].push(zone);
  }
  const leaveRadius = settings.viewRadius * LEAVE_RADIUS_FACTOR;
  return {
    settings,
    layout,
    cells: planCells(settings, game, layout, leaveRadius),
    ownCapacity,
    areas: cutWorld(settings.worldWidth, settings.worldHeight, settings.zoneColumns, settings.zoneRows),
    leaveRadius,
    worlds: zones.map((zone) => WorldBuffer.create(layout, zone)),
    words: zones.map(() => RecordRing.create(wordRecords(settings.clientsMax), COMMAND_RECORD_BYTES)),
    commands: zones.map(() =>
      RecordRing.create(hasTexts ? TEXT_COMMAND_RING_RECORDS : COMMAND_RING_RECORDS, commandBytes),
    ),
    events: zones.map(() => RecordRing.create(ringShare(zoneCount, EVENT_RING_RECORDS), EVENT_RECORD_BYTES)),
    journals: zones.map(() => ByteRing.create(journalRingBytes(zoneCount, settings.journalFlushMs))),
    handoffs: zones.map((source) => planHandoffs(settings, source, recordBytes, game.messages !== undefined)),
    arrivals: zones.map(() => RecordRing.create(ARRIVAL_RING_RECORDS, arrivalRecordBytes(game.fields))),
    clients: ClientTable.create(settings.clientsMax),
    identities: IdentityTable.create(settings.clientsMax),
    notes: game.notes?.length ? NoteTable.create(settings.clientsMax) : undefined,
    broadcasts: game.notes?.length ? zones.map(() => BroadcastLog.create()) : [],
    heard: game.notes?.length ? HeardTable.create(settings.clientsMax, zoneCount) : undefined,
    zonesOfThread,
    frames: zonesOfThread.map(() => ByteRing.create(FRAME_RING_BYTES)),
    controls: zonesOfThread.map(() => ThreadControl.create()),
    io: IoCounters.create(),
    limits: LiveLimits.create(settings),
    originMs,
    epoch: Math.floor(originMs),
  };
}

export function neighbourZones(plan: WorldPlan, zone: number): number[] {
  return neighboursOf(zone, plan.settings.zoneColumns, plan.settings.zoneRows);
}
