// Lua that Redis runs as one step. A lease is two keys:
//
//  lease:<name>  hash {holder, beat, about}, expires when it is not renewed
//  fence:<name>  hash {holder, number}: the last holder and its fencing token; it never expires

/** KEYS: lease, fence. ARGV: holder, about, time to live, and the holder and beat that may be taken over. */
export const CLAIM = `
local lease = redis.call('HMGET', KEYS[1], 'holder', 'beat')
if not lease[1] or lease[1] == ARGV[1] or (lease[1] == ARGV[4] and lease[2] == ARGV[5]) then
  if lease[1] ~= ARGV[1] then redis.call('DEL', KEYS[1]) end
  if redis.call('HGET', KEYS[2], 'holder') ~= ARGV[1] then
    redis.call('HINCRBY', KEYS[2], 'number', 1)
    redis.call('HSET', KEYS[2], 'holder', ARGV[1])
  end
  redis.call('HSET', KEYS[1], 'holder', ARGV[1], 'about', ARGV[2])
  redis.call('HINCRBY', KEYS[1], 'beat', 1)
  redis.call('PEXPIRE', KEYS[1], ARGV[3])
end
local now = redis.call('HMGET', KEYS[1], 'holder', 'beat', 'about')
now[4] = redis.call('HGET', KEYS[2], 'number')
return now
`;

/** KEYS: lease. ARGV: holder. */
export const RELEASE = `
if redis.call('HGET', KEYS[1], 'holder') == ARGV[1] then redis.call('DEL', KEYS[1]) end
return 0
`;

/** KEYS: fence, then the keys to set. ARGV: holder and number of the fence, then value and time to live of each key. */
export const FENCED_SET = `
local fence = redis.call('HMGET', KEYS[1], 'holder', 'number')
if fence[1] and (fence[1] ~= ARGV[1] or fence[2] ~= ARGV[2]) then return fence end
for i = 2, #KEYS do redis.call('SET', KEYS[i], ARGV[2 * i - 1], 'PX', ARGV[2 * i]) end
return {}
`;
