// What a client is told when it is made.

import type { Watch } from '../protocol/fb/client-message.js';
import type { DescribedCommand } from '../protocol/fb/command-layout.js';
import type { ReconnectOptions } from './backoff.js';
import type { SocketClass } from './socket.js';

export interface ClientOptions {
  /** ws://host:port/ws/game */
  url: string;
  name: string;
  /**
   * Who you are, or the resumeToken of an earlier connection, to come back to its entity. Once it is refused, the attempts
   * that follow go without it, until connect() is called again.
   */
  token?: string;
  /** Wanted frames per second; 0 leaves the choice to the server. */
  updateHz?: number;
  /**
   * To be a spectator: of a place, or of a player by the id of its entity. There is no `self` then, and send() sends nothing.
   * A lost connection is opened again by a new Join, for the same.
   */
  watch?: Watch;
  /** Commands of the game, for send(). */
  commands?: readonly DescribedCommand[];
  /** Default: the platform's own. Node before 22 has none; the class of ws fits. */
  WebSocket?: SocketClass;
  /** Monotonic milliseconds. */
  clock?: () => number;
  joinTimeoutMs?: number;
  /** Absent: a lost connection is lost. */
  reconnect?: Partial<ReconnectOptions>;
}
