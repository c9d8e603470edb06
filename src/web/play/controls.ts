// Keyboard and mouse as wishes: which way to walk, and whether and where to shoot.

const DIRECTIONS: Record<string, readonly [number, number]> = {
  KeyW: [0, -1],
  ArrowUp: [0, -1],
  KeyS: [0, 1],
  ArrowDown: [0, 1],
  KeyA: [-1, 0],
  ArrowLeft: [-1, 0],
  KeyD: [1, 0],
  ArrowRight: [1, 0],
};
const SHOOT_KEY = 'Space';

export class Controls {
  /** Where the pointer is, in CSS pixels of the page; null before it was seen. */
  pointer: { x: number; y: number } | null = null;
  /** Only what is pressed while this is set counts: typing a name is not walking. */
  enabled = false;
  private readonly keys = new Set<string>();
  private pointerDown = false;

  constructor(canvas: HTMLCanvasElement) {
    addEventListener('keydown', (event) => this.press(event));
    addEventListener('keyup', (event) => this.keys.delete(event.code));
    addEventListener('blur', () => this.release());
    addEventListener('pointermove', (event) => this.follow(event));
    addEventListener('pointerup', () => {
      this.pointerDown = false;
    });
    canvas.addEventListener('pointerdown', (event) => {
      this.follow(event);
      this.pointerDown = this.enabled;
    });
  }

  get isShooting(): boolean {
    return this.pointerDown || this.keys.has(SHOOT_KEY);
  }

  /** Each -1, 0 or 1. */
  get direction(): [number, number] {
    let x = 0;
    let y = 0;
    for (const code of this.keys) {
      x += DIRECTIONS[code]?.[0] ?? 0;
      y += DIRECTIONS[code]?.[1] ?? 0;
    }
    return [Math.sign(x), Math.sign(y)];
  }

  /** Whatever is held down is let go of: the window cannot see the keys being released. */
  release(): void {
    this.keys.clear();
    this.pointerDown = false;
  }

  private press(event: KeyboardEvent): void {
    if (!this.enabled || event.ctrlKey || event.metaKey || event.altKey) return;
    if (!(event.code in DIRECTIONS) && event.code !== SHOOT_KEY) return;
    // Arrows and space would scroll, and space would press the button that has the focus.
    event.preventDefault();
    this.keys.add(event.code);
  }

  private follow(event: PointerEvent): void {
    this.pointer = { x: event.clientX, y: event.clientY };
  }
}
