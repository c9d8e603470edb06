// What the page watches instead of playing: ?watch=x,y, a place, or ?watch=ID, a player by the id of its entity.

import type { Watch } from '../../protocol/fb/client-message.js';

/** Null: the address says nothing, or nothing that can be watched. */
export function readWatched(search: string): Watch | null {
  const text = new URLSearchParams(search).get('watch') ?? '';
  if (/^\d+$/.test(text)) return { player: Number(text) };
  const [x, y, ...more] = text.split(',').map((part) => (part.trim() === '' ? Number.NaN : Number(part)));
  return more.length === 0 && Number.isFinite(x) && Number.isFinite(y) ? { x, y } : null;
}
