import { Redis } from 'ioredis';

/** A connection of its own to a Redis that tests share, for what no server asks of it. */
async function withRedis<T>(url: string, act: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis(url);
  try {
    return await act(redis);
  } finally {
    redis.disconnect();
  }
}

export function emptyRedis(url: string): Promise<unknown> {
  return withRedis(url, (redis) => redis.flushdb());
}

export function listRedisKeys(url: string, pattern: string): Promise<string[]> {
  return withRedis(url, (redis) => redis.keys(pattern));
}
