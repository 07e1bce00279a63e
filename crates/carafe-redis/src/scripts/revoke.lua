-- Remembers up to two times, each the later of what is known and what is new.
-- KEYS[1]: the revocation. ARGV: the times, 20 digits each; milliseconds to live; the channel that is told.
local held = redis.call('GET', KEYS[1])
local new = ARGV[1]
if held and #held == #new then
    local merged = ''
    for at = 1, #new, 20 do
        local a, b = string.sub(held, at, at + 19), string.sub(new, at, at + 19)
        if a > b then merged = merged .. a else merged = merged .. b end
    end
    new = merged
end
local left = math.max(redis.call('PTTL', KEYS[1]), tonumber(ARGV[2]))
redis.call('SET', KEYS[1], new, 'PX', string.format('%.0f', left))
-- Whether or not the user of the store may publish.
redis.pcall('PUBLISH', ARGV[3], KEYS[1])
return 1
