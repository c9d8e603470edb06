// Which implementation runs behind each port is decided here, by configuration, and known nowhere else.

import { join } from 'node:path';
import { openEmbeddedColdStore } from './embedded-cold-store.js';
import { openEmbeddedEventLog } from './embedded-event-log.js';
import { openEmbeddedHotStore } from './embedded-hot-store.js';
import { openKafkaEventLog } from './kafka-event-log.js';
import { openMongoColdStore } from './mongo-cold-store.js';
import type { ColdStore, EventLog, HotStore, NoticeListener } from './ports.js';
import { openRedisHotStore } from './redis-hot-store.js';

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

/** Opens without waiting: a backend that is away now is found later. Only the embedded ones can fail here. */
export function openStores({ folder, kafka, redis, mongodb, onNotice = () => {} }: StoreSettings): Stores {
  const log =
    kafka === ''
      ? openEmbeddedEventLog({ folder: join(folder, 'log'), onNotice })
      : openKafkaEventLog({ brokers: kafka.split(',').map((broker) => broker.trim()), onNotice });
  const hot =
    redis === ''
      ? openEmbeddedHotStore({ folder: join(folder, 'hot'), onNotice })
      : openRedisHotStore({ url: redis, onNotice });
  const cold =
    mongodb === ''
      ? openEmbeddedColdStore({ folder: join(folder, 'cold'), onNotice })
      : openMongoColdStore({ url: mongodb, onNotice });
  return {
    log,
    hot,
    cold,
    close: async () => {
      await Promise.all([log.close(), hot.close(), cold.close()]);
    },
  };
}
