-- Acquire a lease that no other holder has.
--
-- KEYS
--  1  lease  string "<fence>\n<holder>", which expires with the lease
--  2  fence  counter without expiry, incremented with each acquisition
-- ARGV
--  1  holder
--  2  the lease's duration in milliseconds
--
-- Result: the fence; nil if another holder has the lease.

local lease, fence = KEYS[1], KEYS[2]
local holder, milliseconds = unpack(ARGV)
local held = redis.call('GET', lease)
if held and string.match(held, '^%d+\n(.*)$') ~= holder then
  return nil
end
-- When its memory is full, Redis rejects the first write of a script if it needs memory, but not
-- later ones. PERSIST needs none. The lease must be acquired even then: the leader trims the feed.
redis.call('PERSIST', fence)
local number = redis.call('INCR', fence)
redis.call('SET', lease, number .. '\n' .. holder, 'PX', milliseconds)
return number
