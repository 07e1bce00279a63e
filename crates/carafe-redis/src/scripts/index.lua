-- Notes a record in its user's index, and forgets those that have expired.
-- What has expired by the caller's clock must have expired by the server's as well.
-- KEYS[1]: the index. ARGV: the record's id; its absolute expiry; now; milliseconds to live.
local now = math.min(tonumber(ARGV[3]), tonumber(redis.call('TIME')[1]))
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('(%.0f', now))
redis.call('ZADD', KEYS[1], ARGV[2], ARGV[1])
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[4]) then
    redis.call('PEXPIRE', KEYS[1], ARGV[4])
end
return 1
