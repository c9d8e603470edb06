// Which implementation runs behind each port is decided here, by configuration, and known nowhere else.

import { join } from 'node:path';
import { assert } from '../base/assert.js';
import { openEmbeddedColdStore } from './embedded/embedded-cold-store.js';
import { openEmbeddedEventLog } from './embedded/embedded-event-log.js';
import { openEmbeddedHotStore } from './embedded/embedded-hot-store.js';
import { requireSoundStore } from './embedded/embedded-store.js';
import type { ColdStore, EventLog, HotStore, NoticeListener } from './store-ports.js';

export interface StoreSettings {
  /** Folder of the embedded stores. */
  folder: string;
  /** host:port of one or more brokers, separated by commas; empty: the embedded log. */
  kafka: string;
  /** redis://host:port; empty: the embedded hot store. */
  redis: string;
  /** mongodb://host:port/database; empty: the embedded cold store. */
  mongodb: string;
  onNotice?: NoticeListener;
}

export interface Stores {
  log: EventLog;
  hot: HotStore;
  cold: ColdStore;
  close(): Promise<void>;
}

type Backends = typeof import('./kafka/kafka-event-log.js') &
  typeof import('./mongodb/mongo-cold-store.js') &
  typeof import('./redis/redis-hot-store.js');
let backends: Partial<Backends> = {};

/** Before networked stores are opened. Those that are not configured are not loaded: that is most of a start's time. */
export async function loadBackends({
  kafka,
  redis,
  mongodb,
}: Pick<StoreSettings, 'kafka' | 'redis' | 'mongodb'>): Promise<void> {
  const wanted = [
    kafka === '' ? undefined : import('./kafka/kafka-event-log.js'),
    redis === '' ? undefined : import('./redis/redis-hot-store.js'),
    mongodb === '' ? undefined : import('./mongodb/mongo-cold-store.js'),
  ];
  backends = Object.assign({ ...backends }, ...(await Promise.all(wanted)));
}

function backend<K extends keyof Backends>(name: K): Backends[K] {
  const found = backends[name] as Backends[K] | undefined;
  assert(found !== undefined, 'a backend is loaded before it is opened', name);
  return found;
}

/** Of the event spool, below the stores' folder. */
export const SPOOL_FOLDER = 'spool';

/** Throws with one line where a file of an embedded store that these settings use is damaged. */
export function requireSoundStores({ folder, kafka, redis, mongodb }: StoreSettings): void {
  const used = [kafka === '' && 'log', redis === '' && 'hot', mongodb === '' && 'cold', SPOOL_FOLDER];
  for (const name of used) if (name !== false) requireSoundStore(join(folder, name));
}

/** The two that keep snapshots, without the log. */
export function openSnapshotStores({
  folder,
  redis,
  mongodb,
  onNotice = () => {},
}: Omit<StoreSettings, 'kafka'>): Omit<Stores, 'log'> {
  const hot =
    redis === ''
      ? openEmbeddedHotStore({ folder: join(folder, 'hot'), onNotice })
      : backend('openRedisHotStore')({ url: redis, onNotice });
  const cold =
    mongodb === ''
      ? openEmbeddedColdStore({ folder: join(folder, 'cold'), onNotice })
      : backend('openMongoColdStore')({ url: mongodb, onNotice });
  return {
    hot,
    cold,
    close: async () => {
      await Promise.all([hot.close(), cold.close()]);
    },
  };
}

/** Opens without waiting: a backend that is away now is found later. Only the embedded ones can fail here. */
export function openStores({ folder, kafka, redis, mongodb, onNotice = () => {} }: StoreSettings): Stores {
  const log =
    kafka === ''
      ? openEmbeddedEventLog({ folder: join(folder, 'log'), onNotice })
      : backend('openKafkaEventLog')({ brokers: kafka.split(',').map((broker) => broker.trim()), onNotice });
  const snapshots = openSnapshotStores({ folder, redis, mongodb, onNotice });
  return {
    ...snapshots,
    log,
    close: async () => {
      await Promise.all([log.close(), snapshots.close()]);
    },
  };
}
