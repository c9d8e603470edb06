// Draws what the server has sent, and nothing else: no entity here was not in a frame, and none is where no frame had it.

import type { TesseraClient } from '../../client/client.js';
import type { Interpolator, Place } from '../../client/interpolation.js';
import { BODY_RADIUS, HP_MAX, PILLAR_RADIUS, PROJECTILE_RADIUS } from '../../games/arena/rules.js';
import type { Watch } from '../../protocol/fb/client-message.js';
import type { EntityState } from '../../protocol/fb/entity-decoder.js';
import type { WelcomeInfo } from '../../protocol/fb/server-frame.js';

const GRID_UNITS = 8;
const COLOURS = {
  outside: '#0b0e13',
  ground: '#10141b',
  grid: '#1f2937',
  border: '#46546a',
  seen: '#161d28',
  sight: '#3d4f6b',
  healthBack: '#00000080',
  healthLeft: '#6fcf97',
  healthLow: '#eb6f6f',
};

interface Look {
  colour: string;
  radius: number;
  /** What is drawn later lies on top. */
  layer: number;
}
const OWN_LOOK: Look = { colour: '#f2b84b', radius: BODY_RADIUS, layer: 3 };
const UNKNOWN_LOOK: Look = { colour: '#9aa5b5', radius: BODY_RADIUS, layer: 1 };
const LOOKS: Record<string, Look> = {
  player: { colour: '#5aa9e6', radius: BODY_RADIUS, layer: 2 },
  npc: { colour: '#7d8c6c', radius: BODY_RADIUS, layer: 1 },
  // A dot of its true size could not be seen.
  projectile: { colour: '#ffe9b0', radius: PROJECTILE_RADIUS * 1.5, layer: 4 },
  pillar: { colour: '#3a4657', radius: PILLAR_RADIUS, layer: 0 },
};
const LAYERS = 5;

export class Scene {
  /** Where the camera stands, in world units, and how many CSS pixels a unit is. */
  private readonly camera: Place = { x: 0, y: 0 };
  private unitPixels = 1;
  private readonly context: CanvasRenderingContext2D;
  private readonly place: Place = { x: 0, y: 0 };
  private readonly layers: EntityState[][] = Array.from({ length: LAYERS }, () => []);

  constructor(
    private readonly canvas: HTMLCanvasElement,
    /** Null: the client's own entity is looked at. */
    private readonly watched: Watch | null,
  ) {
    this.context = canvas.getContext('2d')!;
  }

  /** Without an interpolator everything is drawn where the newest frame has it. */
  draw(client: TesseraClient, interpolator: Interpolator | null, nowMs: number): void {
    this.fitCanvas();
    const { welcome, entities } = client;
    if (welcome === null) {
      this.fill(COLOURS.outside);
      return;
    }
    this.unitPixels = Math.min(this.canvas.clientWidth, this.canvas.clientHeight) / (2.1 * welcome.viewRadius);
    this.aim(client, interpolator, nowMs);
    this.drawGround(welcome);
    for (const entity of entities.values()) {
      this.layers[this.lookOf(entity, welcome).layer].push(entity);
    }
    for (const layer of this.layers) {
      for (const entity of layer) {
        this.locate(entity, interpolator, nowMs);
        this.drawEntity(entity, welcome);
      }
      layer.length = 0;
    }
  }

  /** The camera stays where it is while what it follows is not in view. */
  private aim({ self, entities }: TesseraClient, interpolator: Interpolator | null, nowMs: number): void {
    const { watched, camera, place } = this;
    if (watched !== null && !('player' in watched)) {
      camera.x = watched.x;
      camera.y = watched.y;
      return;
    }
    const followed = watched === null ? self : entities.get(watched.player);
    if (followed === null || followed === undefined) return;
    this.locate(followed, interpolator, nowMs);
    camera.x = place.x;
    camera.y = place.y;
  }

  /** The angle from the middle of the view, where the own entity is, to a point of the page; 65536 is a full turn. */
  angleTo(pageX: number, pageY: number): number {
    const dx = pageX - this.canvas.clientWidth / 2;
    const dy = pageY - this.canvas.clientHeight / 2;
    return Math.round((Math.atan2(dy, dx) / (2 * Math.PI)) * 65536) & 0xffff;
  }

  private lookOf(entity: EntityState, welcome: WelcomeInfo): Look {
    const { watched } = this;
    if (entity.id === welcome.entityId || (watched !== null && 'player' in watched && entity.id === watched.player))
      return OWN_LOOK;
    return LOOKS[welcome.kinds[entity.kind]] ?? UNKNOWN_LOOK;
  }

  private locate(entity: EntityState, interpolator: Interpolator | null, nowMs: number): void {
    if (interpolator?.place(entity.id, nowMs, this.place) === true) return;
    this.place.x = entity.x;
    this.place.y = entity.y;
  }

  private fitCanvas(): void {
    const { canvas } = this;
    const width = Math.round(canvas.clientWidth * devicePixelRatio);
    const height = Math.round(canvas.clientHeight * devicePixelRatio);
    if (canvas.width !== width || canvas.height !== height) {
      canvas.width = width;
      canvas.height = height;
    }
    this.context.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
  }

  private fill(colour: string): void {
    this.context.fillStyle = colour;
    this.context.fillRect(0, 0, this.canvas.clientWidth, this.canvas.clientHeight);
  }

  private toPixelX(x: number): number {
    return this.canvas.clientWidth / 2 + (x - this.camera.x) * this.unitPixels;
  }

  private toPixelY(y: number): number {
    return this.canvas.clientHeight / 2 + (y - this.camera.y) * this.unitPixels;
  }

  private drawGround({ worldWidth, worldHeight, viewRadius }: WelcomeInfo): void {
    const { context, unitPixels } = this;
    this.fill(COLOURS.outside);
    const left = this.toPixelX(0);
    const top = this.toPixelY(0);
    context.fillStyle = COLOURS.ground;
    context.fillRect(left, top, worldWidth * unitPixels, worldHeight * unitPixels);
    // Nothing outside of this circle is sent, so nothing is drawn there.
    this.fillCircle(this.camera.x, this.camera.y, viewRadius, COLOURS.seen);
    this.drawGrid(worldWidth, worldHeight);
    context.lineWidth = 2;
    context.strokeStyle = COLOURS.border;
    context.strokeRect(left, top, worldWidth * unitPixels, worldHeight * unitPixels);
    context.lineWidth = 1;
    this.strokeCircle(this.camera.x, this.camera.y, viewRadius, COLOURS.sight);
  }

  private drawGrid(worldWidth: number, worldHeight: number): void {
    const { context, camera, canvas, unitPixels } = this;
    const halfWidth = canvas.clientWidth / 2 / unitPixels;
    const halfHeight = canvas.clientHeight / 2 / unitPixels;
    const startX = Math.max(0, camera.x - halfWidth);
    const endX = Math.min(worldWidth, camera.x + halfWidth);
    const startY = Math.max(0, camera.y - halfHeight);
    const endY = Math.min(worldHeight, camera.y + halfHeight);
    context.beginPath();
    for (let x = Math.ceil(startX / GRID_UNITS) * GRID_UNITS; x <= endX; x += GRID_UNITS) {
      context.moveTo(this.toPixelX(x), this.toPixelY(startY));
      context.lineTo(this.toPixelX(x), this.toPixelY(endY));
    }
    for (let y = Math.ceil(startY / GRID_UNITS) * GRID_UNITS; y <= endY; y += GRID_UNITS) {
      context.moveTo(this.toPixelX(startX), this.toPixelY(y));
      context.lineTo(this.toPixelX(endX), this.toPixelY(y));
    }
    context.lineWidth = 1;
    context.strokeStyle = COLOURS.grid;
    context.stroke();
  }

  private drawEntity(entity: EntityState, welcome: WelcomeInfo): void {
    const { x, y } = this.place;
    const look = this.lookOf(entity, welcome);
    const hp = Number(entity.fields[welcome.fields.findIndex((field) => field.name === 'hp')] ?? HP_MAX);
    const isBody = look.radius === BODY_RADIUS;
    if (isBody && hp === 0) {
      this.context.lineWidth = 1.5;
      this.strokeCircle(x, y, look.radius, look.colour);
      return;
    }
    this.fillCircle(x, y, look.radius, look.colour);
    if (look === OWN_LOOK) {
      this.context.lineWidth = 2;
      this.strokeCircle(x, y, look.radius * 1.7, look.colour);
    }
    if (isBody && hp < HP_MAX) this.drawHealth(x, y, hp / HP_MAX);
  }

  private drawHealth(x: number, y: number, part: number): void {
    const { context, unitPixels } = this;
    const width = BODY_RADIUS * 2.4 * unitPixels;
    const left = this.toPixelX(x) - width / 2;
    const top = this.toPixelY(y - BODY_RADIUS * 2.2);
    context.fillStyle = COLOURS.healthBack;
    context.fillRect(left, top, width, 4);
    context.fillStyle = part > 0.4 ? COLOURS.healthLeft : COLOURS.healthLow;
    context.fillRect(left, top, width * part, 4);
  }

  private fillCircle(x: number, y: number, radius: number, colour: string): void {
    this.traceCircle(x, y, radius);
    this.context.fillStyle = colour;
    this.context.fill();
  }

  private strokeCircle(x: number, y: number, radius: number, colour: string): void {
    this.traceCircle(x, y, radius);
    this.context.strokeStyle = colour;
    this.context.stroke();
  }

  private traceCircle(x: number, y: number, radius: number): void {
    this.context.beginPath();
    this.context.arc(this.toPixelX(x), this.toPixelY(y), radius * this.unitPixels, 0, 2 * Math.PI);
  }
}
