// The engine without threads and sockets, for benches: real zones, real rings, real router, and a sink that copies frames
// out of the ring as the gateway does.

import { createRandom } from '../../src/base/chance.js';
import { DEFAULTS, type Settings } from '../../src/config/settings.js';
import { Placement } from '../../src/engine/plan/placement.js';
import { planWorld, type WorldPlan } from '../../src/engine/plan/world-plan.js';
import { ZoneHost } from '../../src/engine/zone/zone-host.js';
import type { GameDefinition } from '../../src/game/definition.js';
import arena from '../../src/games/arena/game.js';
import { ByteRing } from '../../src/memory/rings/byte-ring.js';
import { ThreadControl } from '../../src/memory/tables/thread-control.js';
import type { ClientSink } from '../../src/net/gateway/world-port.js';
import { describeGame } from '../../src/protocol/game-description.js';
import { Router } from '../../src/server/main/router.js';
import { testIdentity } from '../../src/testing/test-identity.js';

const COMMAND_BYTES_MAX = 64;

/** The side of a square world in which about `seen` of `count` entities are in view of each other. */
export function worldSide(count: number, seen: number, viewRadius: number): number {
  return Math.ceil(Math.sqrt((count * Math.PI * viewRadius * viewRadius) / seen));
}

export class HeadlessWorld implements ClientSink {
  readonly settings: Settings;
  readonly plan: WorldPlan;
  readonly hosts: ZoneHost[];
  readonly router: Router;
  readonly control: ThreadControl;
  readonly game = arena as unknown as GameDefinition;
  readonly description = describeGame(this.game);
  tick = 0;
  frameCount = 0;
  frameBytes = 0;
  /** Changes with every byte of every frame's head and tail. */
  frameSum = 0;
  onFrame: (client: number, bytes: Uint8Array, start: number, limit: number) => void = () => {};
  private readonly copy = new Uint8Array(65536);
  private readonly message = new Uint8Array(COMMAND_BYTES_MAX);
  private readonly messageView = new DataView(this.message.buffer);
  private readonly sequence: Uint32Array;

  constructor(settings: Partial<Settings>) {
    this.settings = { ...DEFAULTS, zoneColumns: 1, zoneRows: 1, ...settings };
    const { spawn, worldWidth, worldHeight, zoneColumns, zoneRows, viewRadius, seed, clientsMax } = this.settings;
    this.plan = planWorld(this.settings, this.game, 1, 0);
    const random = createRandom(seed);
    const placement = new Placement(spawn, worldWidth, worldHeight, zoneColumns, zoneRows, viewRadius, random);
    this.router = new Router(this.plan, placement, this.game);
    this.router.connect(this);
    this.control = new ThreadControl(this.plan.controls[0]);
    const frames = new ByteRing(this.plan.frames[0]);
    const now = (): number => performance.now();
    this.hosts = this.plan.areas.map(
      (_, zone) => new ZoneHost(this.plan, zone, this.game, frames, this.control.phaseMs, now),
    );
    this.sequence = new Uint32Array(clientsMax);
    this.router.attachClients(0);
  }

  joinAll(clients: number): void {
    for (let client = 0; client < clients; client++) {
      this.router.join(client, 1, this.settings.updateHz, testIdentity(client));
    }
  }

  /** Milliseconds of the zones' part. */
  runTick(): number {
    this.tick++;
    const start = performance.now();
    for (const host of this.hosts) {
      host.runTick(this.tick);
    }
    return performance.now() - start;
  }

  deliver(): void {
    this.router.deliverAll();
  }

  /** What the gateway does with a checked Move. */
  sendMove(client: number, x: number, y: number): boolean {
    this.messageView.setInt8(8, x);
    this.messageView.setInt8(9, y);
    return this.send(client, this.game.commands[0].kind);
  }

  /** ... and with a Shoot. */
  sendShoot(client: number, angle: number): boolean {
    this.messageView.setUint16(8, angle, true);
    return this.send(client, this.game.commands[1].kind);
  }

  private send(client: number, kind: number): boolean {
    const seq = ++this.sequence[client];
    this.messageView.setUint16(0, kind, true);
    this.messageView.setUint32(4, seq, true);
    return this.router.command(client, 1, seq, kind, this.message, 8, 12);
  }

  joined(): void {}

  refused(client: number, _epoch: number, code: number): void {
    throw new Error(`client ${client} was refused with code ${code}`);
  }

  rejected(): void {}

  dropped(): void {}

  frame(client: number, _epoch: number, bytes: Uint8Array, start: number, limit: number): void {
    this.frameCount++;
    this.frameBytes += limit - start;
    this.copy.set(bytes.subarray(start, limit));
    this.frameSum = (Math.imul(this.frameSum, 31) + this.copy[limit - start - 1] + this.copy[20]) | 0;
    this.onFrame(client, bytes, start, limit);
  }
}
