// The generator's threads, seen from the main thread: every request goes to all of them, and all answers come back.

import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type {
  SwarmMessage,
  SwarmPlan,
  SwarmProgress,
  SwarmRequest,
  SwarmRequestName,
  SwarmRequests,
} from './messages.js';

const CLOSE_DEADLINE_MS = 3000;

interface Waiting {
  resolve(result: never): void;
  reject(error: Error): void;
}

class SwarmThread {
  progress: SwarmProgress = { joined: 0, failed: 0, lost: 0, framesReceived: 0, inputsSent: 0 };
  readonly worker: Worker;
  private readonly waiting = new Map<number, Waiting>();
  private lastId = 0;

  constructor(plan: SwarmPlan) {
    this.worker = new Worker(new URL('./swarm-worker.js', import.meta.url), {
      workerData: plan,
      // A collection holds up reading, and with it every round trip that is under way: let there be few.
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MIB },
    });
    this.worker.on('message', (message: SwarmMessage) => this.receive(message));
    this.worker.on('error', (error) => this.failAll(error as Error));
    this.worker.on('exit', (code) => this.failAll(new Error(`a generator thread ended with code ${code}`)));
  }

  request<N extends SwarmRequestName>(name: N): Promise<SwarmRequests[N]> {
    this.lastId += 1;
    const message: SwarmRequest = { id: this.lastId, name };
    this.worker.postMessage(message);
    return new Promise((resolve, reject) => this.waiting.set(message.id, { resolve, reject }));
  }

  private receive(message: SwarmMessage): void {
    if (message.type === 'progress') {
      this.progress = message.progress;
      return;
    }
    const waiting = this.waiting.get(message.id)!;
    this.waiting.delete(message.id);
    if (message.type === 'reply') waiting.resolve(message.result as never);
    else waiting.reject(new Error(message.text));
  }

  private failAll(error: Error): void {
    for (const waiting of this.waiting.values()) waiting.reject(error);
    this.waiting.clear();
  }
}

const YOUNG_GENERATION_MIB = 192;

export class SwarmThreads {
  private readonly threads: SwarmThread[];

  /** Clients, sample and ramp are shared out evenly. */
  constructor(plan: SwarmPlan, threadCount: number) {
    const count = Math.min(threadCount, plan.clients);
    this.threads = Array.from({ length: count }, (_, index) => {
      const firstClient = Math.floor((plan.clients * index) / count);
      const limitClient = Math.floor((plan.clients * (index + 1)) / count);
      return new SwarmThread({
        ...plan,
        firstClient,
        clients: limitClient - firstClient,
        sample: Math.ceil(plan.sample / count),
        ramp: plan.ramp / count,
        seed: plan.seed + index,
      });
    });
  }

  requestAll<N extends SwarmRequestName>(name: N): Promise<SwarmRequests[N][]> {
    return Promise.all(this.threads.map((thread) => thread.request(name)));
  }

  progress(): SwarmProgress {
    const sum: SwarmProgress = { joined: 0, failed: 0, lost: 0, framesReceived: 0, inputsSent: 0 };
    for (const { progress } of this.threads) {
      for (const key of Object.keys(sum) as (keyof SwarmProgress)[]) sum[key] += progress[key];
    }
    return sum;
  }

  /** Says goodbye on every connection; returns why some had ended before. */
  async close(): Promise<Record<string, number>[]> {
    return Promise.all(this.threads.map(closeThread));
  }
}

/** A thread that does not end by itself is ended. */
async function closeThread(thread: SwarmThread): Promise<Record<string, number>> {
  const gone = once(thread.worker, 'exit');
  const timer = setTimeout(() => void thread.worker.terminate(), CLOSE_DEADLINE_MS);
  const disconnects = await thread.request('close');
  await gone;
  clearTimeout(timer);
  return disconnects;
}
