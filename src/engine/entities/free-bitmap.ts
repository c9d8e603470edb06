// Which of a fixed number of places are free. The lowest free place is always taken next: places stay dense, and the next
// one follows from those that are taken, so a restored zone needs no free list to go on in the same way.

export class FreeBitmap {
  /** One past the highest taken place. */
  limit = 0;
  private readonly words: Int32Array;
  /** No word below this one has a free place. */
  private lowestWord = 0;

  constructor(readonly capacity: number) {
    this.words = new Int32Array(Math.ceil(capacity / 32));
  }

  clear(): void {
    this.words.fill(0);
    this.limit = 0;
    this.lowestWord = 0;
  }

  /** @hot The lowest free place, now taken; -1 when all are. */
  take(): number {
    const words = this.words;
    let word = this.lowestWord;
    while (word < words.length && words[word] === -1) {
      word++;
    }
    this.lowestWord = word;
    if (word === words.length) {
      return -1;
    }
    const free = ~words[word];
    const bit = 31 - Math.clz32(free & -free);
    const place = word * 32 + bit;
    if (place >= this.capacity) {
      return -1;
    }
    this.mark(place);
    return place;
  }

  /** @hot The lowest free one of the 64 places of a chunk, now taken; -1 when all are. */
  takeOf(chunk: number): number {
    const { words } = this;
    for (let word = 2 * chunk; word < 2 * chunk + 2; word++) {
      const free = ~words[word];
      const place = word * 32 + 31 - Math.clz32(free & -free);
      if (free === 0 || word >= words.length || place >= this.capacity) {
        continue;
      }
      this.mark(place);
      return place;
    }
    return -1;
  }

  isEmpty(chunk: number): boolean {
    return (this.words[2 * chunk] | this.words[2 * chunk + 1]) === 0;
  }

  /** @hot Takes this very place. */
  mark(place: number): void {
    this.words[place >> 5] |= 1 << (place & 31);
    if (place >= this.limit) {
      this.limit = place + 1;
    }
  }

  /** @hot */
  give(place: number): void {
    const word = place >> 5;
    this.words[word] &= ~(1 << (place & 31));
    if (word < this.lowestWord) {
      this.lowestWord = word;
    }
    if (place === this.limit - 1) {
      this.lowerLimit();
    }
  }

  private lowerLimit(): void {
    let word = (this.limit - 1) >> 5;
    while (word > 0 && this.words[word] === 0) {
      word--;
    }
    this.limit = word * 32 + 32 - Math.clz32(this.words[word]);
  }
}
