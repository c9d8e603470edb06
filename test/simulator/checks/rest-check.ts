// What must hold when a world has come to rest: nobody is on the way, every id is taken by exactly those who live, every
// client has one entity and sees what is there, and nothing waits in a ring.

import { POSITION_QUANTUM } from '../../../src/engine/plan/world-plan.js';
import type { EngineZone } from '../../../src/engine/zone/zone.js';
import type { ZoneHost } from '../../../src/engine/zone/zone-host.js';
import type { FieldDefinitions } from '../../../src/game/definition.js';
import { RecordRing } from '../../../src/memory/rings/record-ring.js';
import { COUNTER } from '../../../src/memory/tables/zone-counters.js';
import type { VirtualClient } from '../virtual/virtual-client.js';
import type { VirtualProcess } from '../virtual/virtual-process.js';
import { require } from './violation.js';

interface Living {
  zone: EngineZone;
  row: number;
}

export function checkRest(process: VirtualProcess): void {
  const zones = (process.hosts as ZoneHost[]).map((host) => host.zone);
  const living = findLiving(zones);
  // A full zone takes nobody in, and what is behind the first who waits cannot come either.
  const isFull = zones.some((zone) => zone.entityCount >= zone.ownCapacity);
  const lost = isFull ? [] : process.census.onTheirWay;
  require(lost.length === 0, 'who is on the way arrives', () => `${lost.length} do not: ${lost.slice(0, 5)}`);
  require(process.census.places.size - process.census.onTheirWay.length === living.size, 'nobody is lost', () =>
    `${living.size} live, ${process.census.places.size} should`);
  checkLeft(process, living);
  if (isFull) return;
  checkIds(zones, living);
  checkRings(process);
  checkOwners(process, zones, living);
  for (const client of process.clients) {
    if (client?.state === 'playing') checkView(process, client, living);
  }
}

function findLiving(zones: readonly EngineZone[]): Map<number, Living> {
  const living = new Map<number, Living>();
  for (const zone of zones) {
    let count = 0;
    for (let row = 0; row < zone.rowLimit; row++) {
      if (zone.alive[row] === 0) continue;
      count++;
      const id = zone.wireIdOf(row);
      const other = living.get(id);
      require(other === undefined, 'nobody is doubled', () => `${id} lives in zones ${other?.zone.id} and ${zone.id}`);
      living.set(id, { zone, row });
      require(zone.rowOfId[id] === row + 1, 'an entity is found by its id', () => `${id} in zone ${zone.id}`);
    }
    require(count === zone.entityCount, 'entities are counted', () =>
      `zone ${zone.id}: ${count}, ${zone.entityCount} counted`);
  }
  return living;
}

function checkIds(zones: readonly EngineZone[], living: ReadonlyMap<number, Living>): void {
  for (const zone of zones) {
    const leaked: number[] = [];
    for (let local = 0; local < zone.rowCapacity; local++) {
      const isTaken = zone.engine.idTaken[local] !== 0;
      const lives = living.has(zone.id * zone.rowCapacity + local);
      require(isTaken || !lives, 'an id in use is taken', () => `${local} of zone ${zone.id}`);
      if (isTaken && !lives) leaked.push(local);
    }
    require(leaked.length === 0, 'no id is taken for ever', () => `of zone ${zone.id}: ${leaked.join()}`);
  }
}

function checkRings({ plan }: VirtualProcess): void {
  const rings = [
    ...plan.words.map((buffer, zone) => ({ name: `words to zone ${zone}`, buffer })),
    ...plan.commands.map((buffer, zone) => ({ name: `commands to zone ${zone}`, buffer })),
    ...plan.handoffs.flatMap((targets, zone) =>
      targets.flatMap((buffer, target) =>
        buffer ? [{ name: `handoffs from zone ${zone} to ${target}`, buffer }] : [],
      ),
    ),
  ];
  for (const { name, buffer } of rings) {
    const ring = new RecordRing(buffer);
    const waiting = (ring.written() - ring.consumed()) | 0;
    require(waiting === 0, 'rings run empty', () => `${waiting} wait in ${name}`);
  }
}

/** Holds in a full zone too: who comes in when there is room has a client. */
function checkLeft(process: VirtualProcess, living: ReadonlyMap<number, Living>): void {
  const players = new Set(process.clients.filter((client) => client?.isLive === true).map((client) => `${client}`));
  const left: string[] = [];
  for (const { zone, row } of living.values()) {
    const holder = `client ${zone.owner[row] - 1}.${zone.engine.ownerGeneration[row]}`;
    if (zone.owner[row] !== 0 && !players.has(holder)) left.push(`${holder} in zone ${zone.id}`);
  }
  require(left.length === 0, 'who has left has no entity', () => left.join());
}

function checkOwners(process: VirtualProcess, zones: readonly EngineZone[], living: ReadonlyMap<number, Living>): void {
  const players = process.clients.filter((client): client is VirtualClient => client?.isLive === true);
  const owned = new Map<string, number>();
  for (const [id, { zone, row }] of living) {
    if (zone.owner[row] === 0) continue;
    const holder = `client ${zone.owner[row] - 1}.${zone.engine.ownerGeneration[row]}`;
    require(!owned.has(holder), 'a client has one entity', () => `${holder} has ${owned.get(holder)} and ${id}`);
    owned.set(holder, id);
  }
  for (const client of players) {
    require(client.state === 'playing', 'a join is answered', () => `${client}`);
    const id = owned.get(`${client}`);
    require(id !== undefined, 'a client has its entity', () => `${client} was told of ${client.entityId}`);
    require(id === client.entityId, 'a client knows its entity', () =>
      `${client} has ${id}, was told ${client.entityId}`);
  }
  const counted = zones.reduce((sum, zone) => sum + zone.counters[COUNTER.clients], 0);
  require(counted === players.length, 'clients are counted', () => `${counted} for ${players.length}`);
}

function checkView(process: VirtualProcess, client: VirtualClient, living: ReadonlyMap<number, Living>): void {
  const { settings, leaveRadius } = process.plan;
  const self = living.get(client.entityId) as Living;
  const selfX = self.zone.positionX[self.row];
  const selfY = self.zone.positionY[self.row];
  const { entities } = client.decoder;
  for (const [id, { zone, row }] of living) {
    const distance = Math.hypot(zone.positionX[row] - selfX, zone.positionY[row] - selfY);
    const state = entities.get(id);
    if (state === undefined) {
      require(distance > settings.viewRadius - 0.01, 'a client sees what is near', () =>
        `${client} misses ${id} at ${distance}`);
      continue;
    }
    require(distance < leaveRadius + 0.01, 'a client sees nothing that is far', () =>
      `${client} sees ${id} at ${distance}`);
    const isThere =
      Math.abs(state.x - zone.positionX[row]) <= POSITION_QUANTUM &&
      Math.abs(state.y - zone.positionY[row]) <= POSITION_QUANTUM;
    require(isThere, 'a client sees things where they are', () =>
      `${client}: ${id} at ${state.x}, ${state.y}, is at ${zone.positionX[row]}, ${zone.positionY[row]} in zone ${zone.id}`);
    require(state.kind === zone.kind[row], 'a client sees what things are', () => `${client}: ${id}`);
    checkFields(client, id, state.fields as number[], zone, row);
  }
  for (const id of entities.keys()) {
    require(living.has(id), 'a client sees nobody who is gone', () => `${client} sees ${id}`);
  }
}

function checkFields(
  client: VirtualClient,
  id: number,
  values: readonly number[],
  zone: EngineZone,
  row: number,
): void {
  let at = 0;
  for (const [name, { wire }] of Object.entries(zone.game.fields as FieldDefinitions)) {
    if (wire === undefined) continue;
    const value = values[at++];
    const truth = zone.columns[name][row];
    const step = wire.type === 'f32' ? 1e-3 : (wire.scale ?? 1);
    const isNear = Math.abs(value - truth) <= step * 0.51 + 1e-6;
    require(isNear, 'a client sees fields as they are', () =>
      `${client}: ${name} of ${id} is ${truth}, it sees ${value}`);
  }
}
