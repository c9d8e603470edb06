// A Kafka broker behind a proxy. Clients ask a broker where the brokers are and go there: the answers are rewritten on
// their way so that they name the proxy. Its port takes the place of the broker's, behind the same host, so nothing
// changes its length.
//
//  an answer    | bytes i32 | ... | length of host | host | port i32 | ...

import { TcpProxy } from './tcp-proxy.js';

const SIZE_BYTES = 4;

export interface KafkaProxy {
  proxy: TcpProxy;
  /** host:port, for clients. */
  address: string;
  /** Addresses that were rewritten so far: none means that the broker names itself otherwise, and is not behind us. */
  rewrittenCount(): number;
}

export async function openKafkaProxy(host: string, port: number): Promise<KafkaProxy> {
  let count = 0;
  const from = Buffer.from(`${host}\0\0\0\0`, 'latin1');
  from.writeInt32BE(port, host.length);
  const to = Buffer.from(from);
  const proxy = await TcpProxy.open(port, 0, () =>
    collectAnswers((answer) => {
      count += replaceAll(answer, from, to);
    }),
  );
  to.writeInt32BE(proxy.port, host.length);
  return { proxy, address: `${host}:${proxy.port}`, rewrittenCount: () => count };
}

/** Whole answers only, since an address may come in two pieces. */
export function collectAnswers(change: (answer: Buffer) => void): (bytes: Buffer) => Buffer {
  let waiting: Buffer = Buffer.alloc(0);
  return (bytes) => {
    waiting = waiting.length === 0 ? Buffer.from(bytes) : Buffer.concat([waiting, bytes]);
    let end = 0;
    while (waiting.length - end >= SIZE_BYTES) {
      const limit = end + SIZE_BYTES + waiting.readInt32BE(end);
      if (limit > waiting.length) break;
      change(waiting.subarray(end, limit));
      end = limit;
    }
    const whole = waiting.subarray(0, end);
    waiting = waiting.subarray(end);
    return whole;
  };
}

function replaceAll(bytes: Buffer, from: Buffer, to: Buffer): number {
  let count = 0;
  for (let at = bytes.indexOf(from); at >= 0; at = bytes.indexOf(from, at + to.length)) {
    to.copy(bytes, at);
    count++;
  }
  return count;
}
