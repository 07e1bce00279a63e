-- Replaces a record if it has the version that is expected.
-- KEYS[1]: the record. ARGV: the header if nothing but the record's content changes, which begins with
-- the version that is expected; new header and record; milliseconds to live; '1' if the user's index
-- has the record, or there is no user.
-- 0: gone; -1: another version; -2: the index has to be written first; 1: written; the record that
-- was there: written, and the index has to forget it.
local held = redis.call('GETRANGE', KEYS[1], 0, 23)
local old = 1
if held ~= ARGV[1] then
    if held == '' then return 0 end
    if string.sub(held, 1, 8) ~= string.sub(ARGV[1], 1, 8) then return -1 end
    if ARGV[4] ~= '1' then return -2 end
    old = redis.call('GET', KEYS[1])
end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return old
