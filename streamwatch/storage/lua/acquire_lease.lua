-- Take a lease that nobody else holds.
--
-- KEYS
--  1  lease  string "<fence>\n<holder>", gone when the lease ends
--  2  fence  counter that outlives the lease: grows with each holder
-- ARGV
--  1  holder
--  2  milliseconds to hold it for
--
-- Result: the fence; nil if somebody else holds the lease.

local lease, fence = KEYS[1], KEYS[2]
local holder, milliseconds = unpack(ARGV)
local held = redis.call('GET', lease)
if held and string.match(held, '^%d+\n(.*)$') ~= holder then
  return nil
end
local number = redis.call('INCR', fence)
redis.call('SET', lease, number .. '\n' .. holder, 'PX', milliseconds)
return number
