-- Increment a counter whose first increment opens a window.
--
-- KEYS
--  1  counter  expires when its window ends
-- ARGV
--  1  milliseconds of the window
--  2  how much to add
--
-- Result: {the counter, milliseconds until the window ends}.

local counter, milliseconds, times = KEYS[1], ARGV[1], ARGV[2]
local count = redis.call('INCRBY', counter, times)
if count == tonumber(times) then
  redis.call('PEXPIRE', counter, milliseconds)
end
return {count, redis.call('PTTL', counter)}
