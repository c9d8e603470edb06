// The first values of the shared record, or of one that a game has come to have since its world began.

import type { EngineZone } from './zone.js';

export function beginShared(zone: EngineZone): void {
  const { shared } = zone.game;
  if (shared === undefined || !zone.keepsShared || zone.alive[zone.sharedRow] !== 0) return;
  zone.bearShared(shared.kind);
  zone.keepShared(() => shared.begin?.(zone as never));
}
