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
-- A Redis whose memory is full lets a script go on that has written without taking any: it is the
-- leader who trims the feed.
redis.call('PERSIST', fence)
local number = redis.call('INCR', fence)
redis.call('SET', lease, number .. '\n' .. holder, 'PX', milliseconds)
return number
