// What can become of a backend, staged at the proxy in front of it. Each is begun and healed.

import type { TcpProxy } from './tcp-proxy.js';

const SLOW_MS = 2000;
const FLAP_MS = 1000;

export interface Fault {
  name: string;
  about: string;
  /** Resolves with how to heal it. */
  begin(proxy: TcpProxy): Promise<() => Promise<void>>;
}

export const FAULTS: readonly Fault[] = [
  {
    name: 'stopped',
    about: 'connections are cut, and new ones refused',
    async begin(proxy) {
      await proxy.shut();
      return () => proxy.reopen();
    },
  },
  {
    name: 'slow',
    about: `every answer comes ${SLOW_MS / 1000} s late`,
    async begin(proxy) {
      proxy.answerDelayMs = SLOW_MS;
      return async () => {
        proxy.answerDelayMs = 0;
        // What is under way would come late still.
        proxy.cut();
      };
    },
  },
  {
    name: 'half-open',
    about: 'connections are taken, and never answered',
    async begin(proxy) {
      proxy.mode = 'silent';
      return async () => {
        proxy.mode = 'open';
        proxy.cut();
      };
    },
  },
  {
    name: 'flapping',
    about: `stopped and well again every ${FLAP_MS / 1000} s`,
    async begin(proxy) {
      let isUp = false;
      await proxy.shut();
      const timer = setInterval(() => {
        isUp = !isUp;
        void (isUp ? proxy.reopen() : proxy.shut());
      }, FLAP_MS);
      return async () => {
        clearInterval(timer);
        await proxy.reopen();
      };
    },
  },
];
