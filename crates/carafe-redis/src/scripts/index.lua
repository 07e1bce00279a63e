-- Notes a record in its user's index, and forgets those that have expired.
-- KEYS[1]: the index. ARGV: the record's id; its absolute expiry; '(' and now; milliseconds to
-- live.
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ARGV[3])
redis.call('ZADD', KEYS[1], ARGV[2], ARGV[1])
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[4]) then
    redis.call('PEXPIRE', KEYS[1], ARGV[4])
end
return 1
