-- Increment a counter. The first increment opens a window, after which the counter expires.
--
-- KEYS
--  1  counter  string, which expires when the window ends
-- ARGV
--  1  the window's length in milliseconds
--  2  the increment
--
-- Result: {the counter, milliseconds until the window ends}.

local counter, milliseconds, times = KEYS[1], ARGV[1], ARGV[2]
local count = redis.call('INCRBY', counter, times)
if count == tonumber(times) then
  redis.call('PEXPIRE', counter, milliseconds)
end
return {count, redis.call('PTTL', counter)}
