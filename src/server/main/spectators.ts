// What main knows of spectators: the zone that has each is in the routes, as of any client; here is what a zone must be told to
// take one up. A spectator goes from zone to zone by way of main: the zone that it leaves names the place that it looks from.

import { wireIdOfKey } from '../../engine/entities/entity-key.js';
import { POSITION_QUANTUM } from '../../engine/plan/world-plan.js';
import { RejectCode } from '../../game/reject-codes.js';
import * as R from '../../memory/records/thread-records.js';
import type { Watch } from '../../protocol/fb/client-message.js';
import type { ClientRoutes } from './client-routes.js';
import type { WatchOrder, ZoneOrders } from './zone-orders.js';

export interface SpectatorsOptions {
  routes: ClientRoutes;
  orders: Pick<ZoneOrders, 'watch' | 'seek'>;
  worldWidth: number;
  worldHeight: number;
  /** Of a place inside of the world. */
  zoneAt(x: number, y: number): number;
  begin(client: number, generation: number, zone: number, updateHz: number): void;
  /** No zone can be told of it. */
  drop(client: number): void;
}

interface Spectator {
  updateHz: number;
  /** Of the entity that it follows; 0: none. */
  key: number;
  /** Where it looked from when a zone said so last. */
  x: number;
  y: number;
  isPlaced: boolean;
}

export class Spectators {
  private readonly spectators = new Map<number, Spectator>();
  /** By client, of its entity; 0 where there is none. */
  private readonly keyOfClient: Uint32Array;

  constructor(private readonly options: SpectatorsOptions) {
    this.keyOfClient = new Uint32Array(options.routes.clientsMax);
  }

  has(client: number): boolean {
    return this.spectators.has(client);
  }

  /** A client has an entity. */
  notePlayer(client: number, key: number): void {
    this.keyOfClient[client] = key;
  }

  /** The client is nobody's any more. */
  forget(client: number): void {
    this.keyOfClient[client] = 0;
    this.spectators.delete(client);
  }

  begin(client: number, generation: number, updateHz: number, watch: Watch): RejectCode {
    const found = this.locate(watch);
    if (typeof found === 'number') return found;
    const { zone, ...place } = found;
    this.forget(client);
    const how = place.isPlaced ? R.WATCH_BEGIN : R.WATCH_FIND;
    const order = { updateHz, key: place.key, x: place.x, y: place.y, crossings: 0, how };
    if (!this.options.orders.watch(zone, client, generation, order)) return RejectCode.ServerFull;
    this.options.begin(client, generation, zone, updateHz);
    this.spectators.set(client, { updateHz, ...place });
    return RejectCode.None;
  }

  /** A restored thread is told of one that its zone had. */
  attach(client: number): void {
    const spectator = this.spectators.get(client);
    if (spectator === undefined) return;
    this.order(client, spectator, this.options.routes.zone[client], spectator.isPlaced ? R.WATCH_BEGIN : R.WATCH_FIND);
  }

  /** What a zone says of a spectator: x and y in steps of a position. */
  hear(client: number, stepsX: number, stepsY: number, what: number): void {
    const spectator = this.spectators.get(client);
    if (spectator === undefined) return;
    const { routes, worldWidth, worldHeight, zoneAt } = this.options;
    spectator.x = Math.min(stepsX * POSITION_QUANTUM, worldWidth - POSITION_QUANTUM);
    spectator.y = Math.min(stepsY * POSITION_QUANTUM, worldHeight - POSITION_QUANTUM);
    spectator.isPlaced = true;
    if (what === R.WATCHED_LOST) this.seek(client, spectator);
    // Found elsewhere: its zone is told to look there, and gives it up to the zone of the place.
    if (what === R.WATCHED_FOUND) this.order(client, spectator, routes.zone[client], R.WATCH_GO_ON);
    if (what !== R.WATCHED_LEFT) return;
    routes.zone[client] = zoneAt(spectator.x, spectator.y);
    routes.crossings[client]++;
    this.order(client, spectator, routes.zone[client], R.WATCH_GO_ON);
  }

  private locate(watch: Watch): (Omit<Spectator, 'updateHz'> & { zone: number }) | RejectCode {
    const { routes, worldWidth, worldHeight, zoneAt } = this.options;
    if ('player' in watch) {
      const player = this.keyOfClient.findIndex((key) => key !== 0 && wireIdOfKey(key) === watch.player);
      if (player < 0 || routes.zone[player] < 0) return RejectCode.NotAlive;
      return { key: this.keyOfClient[player], x: 0, y: 0, isPlaced: false, zone: routes.zone[player] };
    }
    const { x, y } = watch;
    if (!(x >= 0 && x < worldWidth && y >= 0 && y < worldHeight)) return RejectCode.OutOfRange;
    return { key: 0, x, y, isPlaced: true, zone: zoneAt(x, y) };
  }

  /** The entity is not where the spectator looks: it is hidden there, gone, or in a zone that is asked. */
  private seek(client: number, spectator: Spectator): void {
    const { routes, orders } = this.options;
    const player = this.keyOfClient.indexOf(spectator.key);
    const zone = player < 0 ? -1 : routes.zone[player];
    if (zone < 0) {
      spectator.key = 0; // its player has left: it stays where it is, and is not asked about again
      this.order(client, spectator, routes.zone[client], R.WATCH_GO_ON);
    } else if (zone !== routes.zone[client]) {
      orders.seek(zone, client, routes.generation[client], spectator.key); // without room the zone asks again
    }
  }

  private order(client: number, { updateHz, key, x, y }: Spectator, zone: number, how: number): void {
    const { routes, orders, drop } = this.options;
    const order: WatchOrder = { updateHz, key, x, y, crossings: routes.crossings[client], how };
    if (!orders.watch(zone, client, routes.generation[client], order)) drop(client);
  }
}
