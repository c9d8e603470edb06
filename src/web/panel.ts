// The figures beside the canvas: what the client counted, per second where that says more.

import type { TesseraClient } from '../client/client.js';

/** Rates are those of the last so many milliseconds. */
const RATE_MS = 1000;

export class Panel {
  private lastMs = 0;
  private lastFrames = 0;
  private lastBytes = 0;
  private framesPerSecond = 0;
  private bytesPerSecond = 0;

  show(client: TesseraClient, nowMs: number): void {
    this.measure(client, nowMs);
    const joined = client.state === 'joined';
    const state = element('state');
    state.textContent = client.state;
    state.dataset.state = client.state;
    const trip = client.roundTrip;
    set('health', joined ? healthOf(client) : '–');
    set('tick', joined ? String(client.tick) : '–');
    set('frames', joined ? `${this.framesPerSecond.toFixed(0)} /s` : '–');
    set('round-trip', joined && trip.count > 0 ? `${trip.smoothedMs.toFixed(1)} ms` : '–');
    set('received', joined ? formatBytes(this.bytesPerSecond) : '–');
    set('in-view', joined ? String(client.entities.size) : '–');
  }

  private measure({ traffic }: TesseraClient, nowMs: number): void {
    const elapsedMs = nowMs - this.lastMs;
    if (elapsedMs < RATE_MS) return;
    this.framesPerSecond = ((traffic.framesIn - this.lastFrames) * 1000) / elapsedMs;
    this.bytesPerSecond = ((traffic.bytesIn - this.lastBytes) * 1000) / elapsedMs;
    this.lastMs = nowMs;
    this.lastFrames = traffic.framesIn;
    this.lastBytes = traffic.bytesIn;
  }
}

function healthOf(client: TesseraClient): string {
  const index = client.welcome?.fields.findIndex((field) => field.name === 'hp') ?? -1;
  const hp = client.self?.fields[index];
  if (hp === undefined) return '–';
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
