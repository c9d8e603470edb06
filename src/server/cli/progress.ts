// Owner of cli-progress. A bar on a terminal, a line now and then elsewhere; always on stderr, so that the last line
// of stdout stays the result.

import { SingleBar } from 'cli-progress';
import { nowMs } from '../../base/clock.js';
import { PROGRESS_LINE_MS } from '../limits.js';

export class Progress {
  private readonly bar: SingleBar | null;
  private readonly label: string;
  private readonly total: number;
  private toldMs = Number.NEGATIVE_INFINITY;

  constructor(label: string, total: number) {
    this.label = label;
    this.total = total;
    this.bar = process.stderr.isTTY
      ? new SingleBar({
          format: `${label.padEnd(10)} {bar} {value}/{total} {text}`,
          hideCursor: true,
          // The run has its own handlers: the bar must not end the process on Ctrl-C.
          gracefulExit: false,
          barCompleteChar: '#',
          barIncompleteChar: '-',
        })
      : null;
    this.bar?.start(total, 0, { text: '' });
  }

  update(value: number, text: string): void {
    const shown = Math.min(value, this.total);
    this.bar?.update(shown, { text });
    if (this.bar === null && nowMs() - this.toldMs >= PROGRESS_LINE_MS) {
      this.toldMs = nowMs();
      process.stderr.write(`${this.label} ${shown}/${this.total} ${text}\n`);
    }
  }

  stop(): void {
    this.bar?.stop();
  }
}

export function say(text: string): void {
  process.stderr.write(`${text}\n`);
}
