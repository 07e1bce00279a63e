-- Replaces a record if it has the version that is expected.
-- KEYS[1]: the record. ARGV: the header if nothing but the record's content changes, which begins with
-- the version that is expected; new header and record; milliseconds to live; 'new' if the user's index
-- hasn't the record yet; the channel that is told, if the session is no more at this record.
-- 0: gone; -1: another version; -2: the index has to be written first; 1: written; the record that
-- was there: written, and the index has to forget it.
local call, key, expected = redis.call, KEYS[1], ARGV[1]
-- As texts, since the server would make texts of numbers, which takes longer than the call.
local held, old = call('GETRANGE', key, '0', '23'), 1
if held ~= expected then
    if held == '' then return 0 end
    if string.sub(held, 1, 8) ~= string.sub(expected, 1, 8) then return -1 end
    if ARGV[4] == 'new' then return -2 end
    old = call('GET', key)
end
call('PSETEX', key, ARGV[3], ARGV[2])
-- Whether or not the user of the store may publish.
if ARGV[5] then redis.pcall('PUBLISH', ARGV[5], key) end
return old
