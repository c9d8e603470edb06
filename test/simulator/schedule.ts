// Virtual time. What is to happen is a task with a moment and an owner; tasks of one moment run in seeded order, and
// those whose owner has ended do not run. Between two tasks all promises settle: nothing here waits for a real timer, so
// one turn of the event loop is enough for that, and the order of everything follows from the seed.

import type { Chance } from './chance.js';

/** A process, or a part of one that can end by itself. */
export class Owner {
  private hasEnded = false;

  constructor(private readonly parent?: Owner) {}

  get isAlive(): boolean {
    return !this.hasEnded && (this.parent?.isAlive ?? true);
  }

  end(): void {
    this.hasEnded = true;
  }
}

interface Task {
  atMs: number;
  order: number;
  owner: Owner;
  action: () => void;
  /** Whether promises may have become ready by it. */
  isAsync: boolean;
}

export class Schedule {
  nowMs: number;
  /** Of what no process is part of; it never ends. */
  readonly world = new Owner();
  private readonly heap: Task[] = [];

  constructor(
    startMs: number,
    private readonly chance: Chance,
  ) {
    this.nowMs = startMs;
  }

  after(ms: number, owner: Owner, action: () => void, isAsync = true): void {
    this.push({ atMs: this.nowMs + Math.max(0, ms), order: this.chance.random(), owner, action, isAsync });
  }

  /** Again and again, each time `periodMs` later and a little off. */
  every(periodMs: number, owner: Owner, action: () => void): void {
    this.after(periodMs * this.chance.between(0.9, 1.1), owner, () => {
      action();
      this.every(periodMs, owner, action);
    });
  }

  /** Never resolves once the owner has ended: what waited for it is gone as well. */
  wait(ms: number, owner: Owner): Promise<void> {
    return new Promise((resolve) => this.after(ms, owner, resolve));
  }

  /** Runs what is due until then, or until `isOver`. */
  async runUntil(limitMs: number, isOver: () => boolean = () => false): Promise<void> {
    await settle();
    while (!isOver() && this.heap.length > 0 && this.heap[0].atMs <= limitMs) {
      const task = this.pop();
      this.nowMs = Math.max(this.nowMs, task.atMs);
      if (!task.owner.isAlive) continue;
      task.action();
      if (task.isAsync) await settle();
    }
    if (!isOver()) this.nowMs = Math.max(this.nowMs, limitMs);
  }

  private push(task: Task): void {
    const { heap } = this;
    let at = heap.push(task) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(task, heap[parent])) break;
      heap[at] = heap[parent];
      at = parent;
    }
    heap[at] = task;
  }

  private pop(): Task {
    const { heap } = this;
    const first = heap[0];
    const last = heap.pop() as Task;
    if (heap.length === 0) return first;
    let at = 0;
    for (;;) {
      let child = at * 2 + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1], heap[child])) child++;
      if (!isBefore(heap[child], last)) break;
      heap[at] = heap[child];
      at = child;
    }
    heap[at] = last;
    return first;
  }
}

function isBefore(a: Task, b: Task): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}

/** All promises that can settle have, and what follows from them. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
