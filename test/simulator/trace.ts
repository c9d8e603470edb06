// What happened in a run, in order: a hash of all of it, and the last lines for a reader.

const LINES_KEPT = 60;

export class Trace {
  private hash = 0x811c9dc5;
  private readonly lines: string[] = [];

  constructor(
    private readonly nowMs: () => number,
    private readonly print?: (line: string) => void,
  ) {}

  add(line: string): void {
    const stamped = `${this.nowMs().toFixed(3)} ${line}`;
    this.mix(stamped);
    this.lines.push(stamped);
    if (this.lines.length > LINES_KEPT) this.lines.shift();
    this.print?.(stamped);
  }

  /** Counts in the hash, and is no line. */
  mix(text: string): void {
    let { hash } = this;
    for (let i = 0; i < text.length; i++) {
      hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
    }
    this.hash = hash;
  }

  get digest(): string {
    return (this.hash >>> 0).toString(16).padStart(8, '0');
  }

  get last(): readonly string[] {
    return this.lines;
  }
}
