// The figures beside the canvas: what the client counted, per second where that says more.

import type { TesseraClient } from '../../client/client.js';
import { RATE_MS } from './limits.js';

const NONE = '–';

export class Panel {
  /** Beginning of the current measurement; null before the first one of a connection. */
  private startMs: number | null = null;
  private startFrames = 0;
  private startBytes = 0;
  private framesPerSecond: number | null = null;
  private bytesPerSecond: number | null = null;

  show(client: TesseraClient, nowMs: number): void {
    const state = element('state');
    state.textContent = client.resumed ? 'joined again' : client.isSpectator ? 'watching' : client.state;
    state.dataset.state = client.state;
    this.measure(client, nowMs);
    const joined = client.state === 'joined';
    const { roundTrip } = client;
    set('health', joined ? healthOf(client) : NONE);
    set('tick', joined ? String(client.tick) : NONE);
    set('frames', this.framesPerSecond === null ? NONE : `${this.framesPerSecond.toFixed(0)} /s`);
    set('round-trip', joined && roundTrip.count > 0 ? `${roundTrip.smoothedMs.toFixed(1)} ms` : NONE);
    set('received', this.bytesPerSecond === null ? NONE : formatBytes(this.bytesPerSecond));
    set('in-view', joined ? String(client.entities.size) : NONE);
  }

  private measure({ state, traffic }: TesseraClient, nowMs: number): void {
    if (state !== 'joined') {
      this.startMs = null;
      this.framesPerSecond = null;
      this.bytesPerSecond = null;
      return;
    }
    if (this.startMs !== null) {
      const elapsedMs = nowMs - this.startMs;
      if (elapsedMs < RATE_MS) return;
      this.framesPerSecond = ((traffic.framesIn - this.startFrames) * 1000) / elapsedMs;
      this.bytesPerSecond = ((traffic.bytesIn - this.startBytes) * 1000) / elapsedMs;
    }
    this.startMs = nowMs;
    this.startFrames = traffic.framesIn;
    this.startBytes = traffic.bytesIn;
  }
}

function healthOf(client: TesseraClient): string {
  const index = client.welcome?.fields.findIndex((field) => field.name === 'hp') ?? -1;
  const hp = client.self?.fields[index];
  if (hp === undefined) return NONE;
  return hp === 0 ? 'dead' : String(hp);
}

function formatBytes(bytesPerSecond: number): string {
  return bytesPerSecond < 1024 ? `${bytesPerSecond.toFixed(0)} B/s` : `${(bytesPerSecond / 1024).toFixed(1)} KiB/s`;
}

function set(id: string, text: string): void {
  const target = element(id);
  if (target.textContent !== text) target.textContent = text;
}

export function element<T extends HTMLElement = HTMLElement>(id: string): T {
  return document.getElementById(id) as T;
}
