-- Count a use of something within a window that the first use opens.
--
-- KEYS
--  1  uses  counter, gone when its window ends
-- ARGV
--  1  milliseconds that the window is open for
--
-- Result: {how many uses, this one included; milliseconds until the window ends}.

local uses, milliseconds = KEYS[1], ARGV[1]
local count = redis.call('INCR', uses)
if count == 1 then
  redis.call('PEXPIRE', uses, milliseconds)
end
return {count, redis.call('PTTL', uses)}
