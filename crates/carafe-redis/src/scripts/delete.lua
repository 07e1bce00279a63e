-- Deletes a record.
-- KEYS[1]: the record. ARGV: the version that is expected, or ''; the owner that is expected, or '';
-- the public id that is not to be deleted, or ''; the channel that is told.
-- 0: gone; -1: another version or owner, or that public id; the record that was there: deleted.
local held = redis.call('GET', KEYS[1])
if not held then return 0 end
if ARGV[1] ~= '' and string.sub(held, 1, 8) ~= ARGV[1] then return -1 end
if ARGV[2] ~= '' and string.sub(held, 9, 16) ~= ARGV[2] then return -1 end
if ARGV[3] ~= '' and string.sub(held, 26, 41) == ARGV[3] then return -1 end
redis.call('DEL', KEYS[1])
-- Whether or not the user of the store may publish.
redis.pcall('PUBLISH', ARGV[4], KEYS[1])
return held
