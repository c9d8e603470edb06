// The posts of a zone in its live block, in their order. post-layout.ts draws them; the first `count` are in use.

import * as P from '../../memory/world/post-layout.js';
import { LIVE_BLOCK, type WorldBuffer } from '../../memory/world/world-buffer.js';
import { SCALAR_POSTS } from '../../memory/world/world-layout.js';

export class PostQueue {
  readonly words: Int32Array;
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly capacity: number;
  private readonly scalars: Int32Array;

  constructor({ blocks, layout }: WorldBuffer) {
    const { posts, scalars } = blocks[LIVE_BLOCK];
    this.words = posts as Int32Array;
    this.bytes = new Uint8Array(this.words.buffer, this.words.byteOffset, this.words.byteLength);
    this.view = new DataView(this.words.buffer, this.words.byteOffset, this.words.byteLength);
    this.capacity = layout.posts?.capacity ?? 0;
    this.scalars = scalars;
  }

  get count(): number {
    return this.scalars[SCALAR_POSTS];
  }

  set count(count: number) {
    this.scalars[SCALAR_POSTS] = count;
  }

  /** @hot The first word of a post. */
  wordOf(index: number): number {
    return P.POSTS_HEAD_WORDS + index * P.POST_WORDS;
  }

  /** @hot The first word of a new post at the end, all 0; -1: there is no room. */
  add(): number {
    const { count, words } = this;
    if (count >= this.capacity) return -1;
    this.count = count + 1;
    const word = this.wordOf(count);
    words.fill(0, word, word + P.POST_WORDS);
    return word;
  }

  /** @hot Posts `start` to `end` - 1 move up to `to`. Returns where the next one is to stand. */
  moveUp(start: number, end: number, to: number): number {
    if (end > start && start !== to) this.words.copyWithin(this.wordOf(to), this.wordOf(start), this.wordOf(end));
    return to + end - start;
  }

  /** @hot Takes out posts `end` to `start` - 1: those behind them move up. */
  closeGap(end: number, start: number): void {
    const { count } = this;
    if (end === start) return;
    this.words.copyWithin(this.wordOf(end), this.wordOf(start), this.wordOf(count));
    this.count = count - (start - end);
  }
}
