// The part of a WebSocket that the client uses. The browser's class fits, and so does that of ws, so that neither is
// imported here.

export interface Socket {
  binaryType: string;
  readonly readyState: number;
  onopen: ((event: never) => void) | null;
  onmessage: ((event: never) => void) | null;
  onerror: ((event: never) => void) | null;
  onclose: ((event: never) => void) | null;
  send(data: Uint8Array<ArrayBuffer>): void;
  close(code?: number, reason?: string): void;
}

export type SocketClass = new (url: string, protocols: string) => Socket;

export const SOCKET_OPEN = 1;

export interface CloseInfo {
  code: number;
  reason: string;
}
