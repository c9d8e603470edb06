// The way back from the bytes of a client message to its plain object, for tests of the way there.

import { ClientKind, clientTimeOf, kindOf, readJoin, seqOf } from '../../src/protocol/fb/client-message.js';
import { type CommandLayouts, decodeCommand } from '../../src/protocol/fb/command-layout.js';
import type { PlainObject } from '../../src/protocol/plain/plain-codec.js';

/** The plain object of a message that checkClientMessage has accepted, or null for a Join whose texts are not in order. */
export function describeMessage(
  layouts: CommandLayouts,
  view: DataView,
  offset: number,
  bytes: number,
): PlainObject | null {
  const kind = kindOf(view, offset);
  const seq = seqOf(view, offset);
  switch (kind) {
    case ClientKind.Join: {
      const join = readJoin(view, offset, bytes);
      if (join === null) return null;
      const { watch, ...rest } = join;
      if (watch === undefined) return { type: 'join', seq, ...rest };
      const watched = 'player' in watch ? { watchPlayer: watch.player } : { watchX: watch.x, watchY: watch.y };
      return { type: 'join', seq, ...rest, ...watched };
    }
    case ClientKind.Ping:
      return { type: 'ping', seq, clientTime: clientTimeOf(view, offset) };
    case ClientKind.Resync:
      return { type: 'resync', seq };
    case ClientKind.Leave:
      return { type: 'leave', seq };
  }
  const layout = layouts.find(kind);
  return layout === null ? null : { type: layout.name, seq, ...decodeCommand(layout, view, offset) };
}
