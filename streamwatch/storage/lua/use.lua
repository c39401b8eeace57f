-- Count uses of something within a window that the first use opens.
--
-- KEYS
--  1  uses  counter, gone when its window ends
-- ARGV
--  1  milliseconds that the window is open for
--  2  how many uses
--
-- Result: {how many uses, these included; milliseconds until the window ends}.

local uses, milliseconds, times = KEYS[1], ARGV[1], ARGV[2]
local count = redis.call('INCRBY', uses, times)
if count == tonumber(times) then
  redis.call('PEXPIRE', uses, milliseconds)
end
return {count, redis.call('PTTL', uses)}
