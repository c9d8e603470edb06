// Where each client wants to walk. In the spread scene everybody roams: a random heading, kept for one to two seconds.
// In crowds everybody walks small circles, every other one the other way round, so that the spot stays together.

const HEADING_MS_MIN = 1000;
const HEADING_MS_MAX = 2000;
const CIRCLE_MS = 2000;
const WISH_MAX = 127;

export type MovementStyle = 'roam' | 'circle';

export class Movement {
  readonly wishX: Int8Array;
  readonly wishY: Int8Array;
  private readonly style: MovementStyle;
  private readonly random: () => number;
  private readonly turnAtMs: Float64Array;
  private readonly phase: Float32Array;

  constructor(clientCount: number, style: MovementStyle, random: () => number) {
    this.wishX = new Int8Array(clientCount);
    this.wishY = new Int8Array(clientCount);
    this.style = style;
    this.random = random;
    this.turnAtMs = new Float64Array(clientCount);
    this.phase = new Float32Array(clientCount);
    for (let client = 0; client < clientCount; client++) this.phase[client] = random() * Math.PI * 2;
  }

  /** @hot Renews the wish of one client, once per input. */
  steer(client: number, nowMs: number): void {
    if (this.style === 'circle') {
      const turn = (nowMs / CIRCLE_MS) * Math.PI * 2 * ((client & 1) === 0 ? 1 : -1);
      this.point(client, this.phase[client] + turn);
    } else if (nowMs >= this.turnAtMs[client]) {
      this.turnAtMs[client] = nowMs + HEADING_MS_MIN + this.random() * (HEADING_MS_MAX - HEADING_MS_MIN);
      this.point(client, this.random() * Math.PI * 2);
    }
  }

  private point(client: number, angle: number): void {
    this.wishX[client] = Math.round(Math.cos(angle) * WISH_MAX);
    this.wishY[client] = Math.round(Math.sin(angle) * WISH_MAX);
  }
}
